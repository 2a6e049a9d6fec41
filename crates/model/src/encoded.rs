//! Bytes as JSON can carry them: a string where they are UTF-8, else `{"base64": …}`.
//!
//! For the journal. What is read back is exactly what was written, whatever the bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form<'a> {
    Text(std::borrow::Cow<'a, str>),
    Encoded { base64: String },
}

/// For `#[serde(serialize_with)]`, and for types that hold bytes.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => serializer.serialize_str(text),
        Err(_) => Form::Encoded { base64: STANDARD.encode(bytes) }.serialize(serializer),
    }
}

/// For `#[serde(deserialize_with)]`, and for types that hold bytes.
///
/// # Errors
/// The deserializer's, and one for what is not Base64.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<[u8]>, D::Error> {
    match Form::deserialize(deserializer)? {
        Form::Text(text) => Ok(text.into_owned().into_bytes().into()),
        Form::Encoded { base64 } => {
            STANDARD.decode(base64).map(Into::into).map_err(serde::de::Error::custom)
        }
    }
}
