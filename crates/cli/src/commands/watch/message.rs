//! Messages of D-Bus, as far as one method of one service needs them (D-Bus specification 0.43, "Message Protocol").

/// A message in the bus's form, little-endian.
#[derive(Default)]
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    pub(super) fn align(&mut self, to: usize) {
        while !self.0.len().is_multiple_of(to) {
            self.0.push(0);
        }
    }

    pub(super) fn number(&mut self, number: u32) {
        self.align(4);
        self.0.extend(number.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        self.number(u32::try_from(length).unwrap_or(0));
    }

    pub(super) fn string(&mut self, text: &str) {
        // The bus ends a connection that sends a NUL.
        let text = text.replace('\0', "");
        self.length(text.len());
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }

    /// A field of the header: its number, the signature of its value, the value.
    fn field(&mut self, number: u8, kind: u8, text: &str) {
        self.align(8);
        self.0.extend([number, 1, kind, 0]);
        if kind == b'g' {
            self.0.push(u8::try_from(text.len()).unwrap_or(0));
            self.0.extend(text.as_bytes());
            self.0.push(0);
        } else {
            self.string(text);
        }
    }
}

/// A method call: to whom, on which object, of which interface, which method.
pub(super) fn call(serial: u32, to: [&str; 4], signature: &str, body: &[u8]) -> Vec<u8> {
    let [service, object, interface, method] = to;
    let mut fields = Message::default();
    fields.field(1, b'o', object);
    fields.field(2, b's', interface);
    fields.field(3, b's', method);
    fields.field(6, b's', service);
    if !signature.is_empty() {
        fields.field(8, b'g', signature);
    }
    // Little-endian, a method call, no flags, the first protocol.
    let mut message = Message(vec![b'l', 1, 0, 1]);
    message.length(body.len());
    message.number(serial);
    message.length(fields.0.len());
    message.0.extend(&fields.0);
    message.align(8);
    message.0.extend(body);
    message.0
}

/// The parts of a message that came.
pub(super) struct Came {
    /// To which call it is the answer, if it is one.
    pub(super) answers: Option<u32>,
    /// It is an error.
    pub(super) failed: bool,
    body: Vec<u8>,
    order: Order,
}

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

/// The length of what comes first in every message.
pub(super) const START: usize = 16;

/// No answer that is waited for is longer.
const MOST: usize = 1 << 20;

/// How many bytes follow this start of a message; `None` if it is none, or of a length that is not believed.
pub(super) fn rest(start: &[u8; START]) -> Option<usize> {
    let mut reader = Reader::new(start, order(start)?);
    reader.at = 4;
    let (body, _serial, fields) = (reader.length()?, reader.number()?, reader.length()?);
    let rest = fields.checked_next_multiple_of(8)?.checked_add(body)?;
    (rest <= MOST).then_some(rest)
}

fn order(start: &[u8]) -> Option<Order> {
    match start.first()? {
        b'l' => Some(Order::Little),
        b'B' => Some(Order::Big),
        _ => None,
    }
}

/// Reads a whole message.
pub(super) fn came(message: &[u8]) -> Option<Came> {
    let order = order(message)?;
    let mut reader = Reader::new(message, order);
    reader.at = 12;
    let fields = reader.length()?;
    let end = reader.at.checked_add(fields)?;
    let mut answers = None;
    while reader.at < end {
        reader.align(8)?;
        let number = reader.byte()?;
        let kind = reader.signature()?;
        match kind {
            b"u" if number == 5 => answers = Some(reader.number()?),
            b"u" => drop(reader.number()?),
            b"g" => drop(reader.signature()?),
            b"s" | b"o" => drop(reader.string()?),
            // Of no field that the specification knows.
            _ => return None,
        }
    }
    let body = message.get(end.checked_next_multiple_of(8)?..)?.to_vec();
    let kind = *message.get(1)?;
    Some(Came {
        answers: answers.filter(|_| kind == 2 || kind == 3),
        failed: kind == 3,
        body,
        order,
    })
}

impl Came {
    /// Its one argument, if that is a list of texts (`as`).
    pub(super) fn texts(&self) -> Option<Vec<&[u8]>> {
        let mut reader = Reader::new(&self.body, self.order);
        let length = reader.length()?;
        let end = reader.at.checked_add(length)?;
        let mut all = Vec::new();
        while reader.at < end {
            all.push(reader.string()?);
        }
        Some(all)
    }
}

/// Reads values one after the other.
struct Reader<'m> {
    bytes: &'m [u8],
    at: usize,
    order: Order,
}

impl<'m> Reader<'m> {
    fn new(bytes: &'m [u8], order: Order) -> Self {
        Self { bytes, at: 0, order }
    }

    fn align(&mut self, to: usize) -> Option<()> {
        self.at = self.at.checked_next_multiple_of(to)?;
        Some(())
    }

    fn take(&mut self, count: usize) -> Option<&'m [u8]> {
        let end = self.at.checked_add(count)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u32> {
        self.align(4)?;
        let bytes = self.take(4)?.try_into().ok()?;
        Some(match self.order {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        })
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// A text, and the NUL behind it.
    fn text(&mut self, length: usize) -> Option<&'m [u8]> {
        let text = self.take(length)?;
        self.byte().map(|_| text)
    }

    fn string(&mut self) -> Option<&'m [u8]> {
        let length = self.length()?;
        self.text(length)
    }

    fn signature(&mut self) -> Option<&'m [u8]> {
        let length = usize::from(self.byte()?);
        self.text(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(message: &[u8], at: usize) -> u32 {
        let bytes = message.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    }

    #[test]
    fn a_message_is_laid_out_as_the_bus_reads_it() {
        let body = b"0123456789";
        let message = call(2, ["x.y", "/x", "x.y", "Do"], "s", body);
        assert_eq!(message.get(..4), Some(&[b'l', 1, 0, 1][..]));
        assert_eq!(usize::try_from(word(&message, 4)).ok(), Some(body.len()));
        assert_eq!(word(&message, 8), 2);
        let fields = usize::try_from(word(&message, 12)).expect("small");
        assert_eq!(message.len(), (16 + fields).next_multiple_of(8) + body.len());
        let start = message.first_chunk().expect("long enough");
        assert_eq!(rest(start), Some(message.len() - START));
        let came = came(&message).expect("it is a message");
        assert_eq!((came.answers, came.failed), (None, false), "it is a call, and no answer");
    }

    /// An answer to call 7, with a list of two texts; each number written by `number`.
    fn answer(order: u8, number: fn(u32) -> [u8; 4]) -> Vec<u8> {
        let mut texts = Vec::new();
        for text in ["body", "body-markup"] {
            while texts.len() % 4 != 0 {
                texts.push(0);
            }
            texts.extend(number(u32::try_from(text.len()).expect("small")));
            texts.extend(text.as_bytes());
            texts.push(0);
        }
        let length = u32::try_from(texts.len()).expect("small");
        let mut message = vec![order, 2, 1, 1];
        for one in [length + 4, 3, 8] {
            message.extend(number(one));
        }
        message.extend([5, 1, b'u', 0]);
        message.extend(number(7));
        message.extend(number(length));
        message.extend(texts);
        message
    }

    #[test]
    fn an_answer_is_read_whichever_byte_comes_first() {
        for message in [answer(b'l', u32::to_le_bytes), answer(b'B', u32::to_be_bytes)] {
            let start = message.first_chunk().expect("long enough");
            assert_eq!(rest(start), Some(message.len() - START));
            let found = came(&message).expect("it is a message");
            assert_eq!((found.answers, found.failed), (Some(7), false));
            let texts: Option<Vec<&[u8]>> = Some(vec![b"body", b"body-markup"]);
            assert_eq!(found.texts(), texts);
        }
    }

    #[test]
    fn what_is_cut_short_or_lies_about_its_length_is_no_message() {
        let whole = answer(b'l', u32::to_le_bytes);
        for end in 0..whole.len() {
            let cut = whole.get(..end).unwrap_or_default();
            assert!(came(cut).is_none_or(|found| found.texts().is_none()), "{end}");
        }
        for at in 0..whole.len() {
            let mut bad = whole.clone();
            if let Some(byte) = bad.get_mut(at) {
                *byte = 0xff;
            }
            // It may be read as something else, and is nowhere read beyond its end.
            let texts = came(&bad).and_then(|found| found.texts().map(|texts| texts.len()));
            assert!(texts.is_none_or(|count| count < whole.len()), "{at}");
            let more = bad.first_chunk().and_then(rest);
            assert!(more.is_none_or(|more| more <= MOST), "{at}");
        }
        assert_eq!(rest(&[0xff; START]), None);
        assert_eq!(rest(&[b'l', 2, 1, 1, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
