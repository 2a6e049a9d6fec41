//! XML. Each element has a number after its name, counted among its like in the same element:
//! `configuration/0/folder/3/path` is an attribute, `configuration/0/gui/0/address` a text.
//!
//! Nothing is fetched and no entity is expanded but the five that every reader knows.

use super::{Entry, Malformed, line_of, text};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::collections::HashMap;

/// Configurations nest three or four levels.
const MOST_LEVELS: usize = 64;

/// An element that is open.
struct Open {
    name: Vec<u8>,
    number: usize,
    text: String,
    line: u64,
    counts: HashMap<Vec<u8>, usize>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let mut reader = Reader::from_str(text(bytes)?);
    let mut walk = Walk { open: Vec::new(), top: HashMap::new(), entries: Vec::new() };
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let line = || line_of(bytes, at);
        let wrong = |detail| Malformed { line: Some(line()), detail };
        match reader.read_event() {
            Ok(Event::Start(start)) => walk.begin(&start, line()).map_err(wrong)?,
            Ok(Event::Empty(start)) => {
                walk.begin(&start, line()).map_err(wrong)?;
                walk.end();
            }
            Ok(Event::End(_)) => walk.end(),
            Ok(Event::Text(piece)) => walk.say(&piece),
            Ok(Event::CData(piece)) => walk.say(&piece),
            Ok(Event::GeneralRef(reference)) => match reference.resolve_char_ref() {
                Ok(Some(letter)) => walk.say(letter.encode_utf8(&mut [0; 4])),
                Ok(None) => {
                    let known = resolve_predefined_entity(&reference);
                    walk.say(known.ok_or_else(|| wrong("it names an entity of its own"))?);
                }
                Err(_) => return Err(wrong("it is not XML")),
            },
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => {
                let at = usize::try_from(reader.error_position()).unwrap_or(at);
                return Err(Malformed { line: Some(line_of(bytes, at)), detail: "it is not XML" });
            }
        }
    }
    if !walk.open.is_empty() || walk.top.is_empty() {
        return Err(Malformed {
            line: Some(line_of(bytes, bytes.len())),
            detail: "it ends too early",
        });
    }
    Ok(walk.entries)
}

/// Where the reader is.
struct Walk {
    open: Vec<Open>,
    top: HashMap<Vec<u8>, usize>,
    entries: Vec<Entry>,
}

impl Walk {
    fn begin(&mut self, start: &BytesStart<'_>, line: u64) -> Result<(), &'static str> {
        if self.open.len() >= MOST_LEVELS {
            return Err("it is nested too deep");
        }
        let name = start.name().as_ref().to_owned().into_bytes();
        let counts = self.open.last_mut().map_or(&mut self.top, |open| &mut open.counts);
        let count = counts.entry(name.clone()).or_default();
        let number = *count;
        *count += 1;
        self.open.push(Open { name, number, text: String::new(), line, counts: HashMap::new() });
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| "it is not XML")?;
            let value = attribute.normalized_value(XmlVersion::default());
            let value = value.map_err(|_| "it is not XML")?.into_owned().into_bytes();
            let mut key = self.key(self.open.len());
            key.push(attribute.key.as_ref().to_owned().into_bytes());
            self.entries.push(Entry { key, value, line: Some(line) });
        }
        Ok(())
    }

    fn end(&mut self) {
        let mut key = self.key(self.open.len());
        // The text is the element's own: its number says nothing more.
        key.pop();
        if let Some(open) = self.open.pop()
            && !open.text.trim().is_empty()
        {
            let value = open.text.into_bytes();
            self.entries.push(Entry { key, value, line: Some(open.line) });
        }
    }

    fn say(&mut self, piece: &str) {
        if let Some(open) = self.open.last_mut() {
            open.text.push_str(piece);
        }
    }

    fn key(&self, levels: usize) -> Vec<Vec<u8>> {
        let parts = |open: &Open| [open.name.clone(), open.number.to_string().into_bytes()];
        self.open.iter().take(levels).flat_map(parts).collect()
    }
}
