//! Appends JSON to one growing buffer.

use super::text;

/// The buffer that all records of a batch are written into, one after the other.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn with_capacity(bytes: usize) -> Writer {
        Writer { bytes: Vec::with_capacity(bytes) }
    }

    /// JSON that is complete already: a document, a number, `true`.
    #[inline]
    pub fn raw(&mut self, json: &str) {
        text::copy(&mut self.bytes, json.as_bytes());
    }

    /// A string, quoted and escaped.
    #[inline]
    pub fn string(&mut self, value: &str) {
        text::quote(&mut self.bytes, value);
    }

    pub fn unsigned(&mut self, mut value: u64) {
        const LONGEST: usize = 20;
        let mut digits = [b'0'; LONGEST];
        let mut start = LONGEST;
        for digit in digits.iter_mut().rev() {
            // The remainder of ten fits any integer.
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
            start -= 1;
            if value == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(digits.get(start..).unwrap_or_default());
    }

    /// Seconds since 1970 with as many decimals as the time has: three, six or nine. `1780949730.500`.
    pub fn epoch_seconds(&mut self, nanoseconds: u64) {
        self.unsigned(nanoseconds / 1_000_000_000);
        let fraction = nanoseconds % 1_000_000_000;
        let (mut fraction, places) = match fraction {
            whole if whole % 1_000_000 == 0 => (whole / 1_000_000, 3),
            whole if whole % 1_000 == 0 => (whole / 1_000, 6),
            whole => (whole, 9),
        };
        let mut decimals = [b'.'; 10];
        for digit in decimals.iter_mut().take(places + 1).skip(1).rev() {
            *digit = b'0' + (fraction % 10) as u8;
            fraction /= 10;
        }
        self.bytes.extend_from_slice(decimals.get(..=places).unwrap_or_default());
    }

    /// Begins an object. It is closed when the returned value is dropped.
    #[inline]
    pub fn object(&mut self) -> Object<'_> {
        self.bytes.push(b'{');
        Object { writer: self, empty: true }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes back everything after the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// An object being written: commas and the closing brace come by themselves. The caller sees to it that no key comes
/// twice.
#[derive(Debug)]
pub struct Object<'a> {
    writer: &'a mut Writer,
    empty: bool,
}

impl Object<'_> {
    /// Writes a key; the value has to follow.
    #[inline]
    pub fn key(&mut self, key: &str) -> &mut Writer {
        self.comma();
        self.writer.string(key);
        self.writer.bytes.push(b':');
        self.writer
    }

    /// Writes a key that is known to need no escaping, such as one that a scan found in a document.
    // A literal's length is known where this is inlined, and its copy becomes a few stores.
    #[inline(always)]
    pub fn plain_key(&mut self, key: &str) -> &mut Writer {
        self.comma();
        let bytes = &mut self.writer.bytes;
        bytes.push(b'"');
        text::copy(bytes, key.as_bytes());
        bytes.extend_from_slice(b"\":");
        self.writer
    }

    #[inline]
    pub fn string(&mut self, key: &str, value: &str) {
        self.key(key).string(value);
    }

    #[inline]
    pub fn raw(&mut self, key: &str, json: &str) {
        self.key(key).raw(json);
    }

    #[inline]
    pub fn unsigned(&mut self, key: &str, value: u64) {
        self.key(key).unsigned(value);
    }

    /// Begins an object within this one.
    #[inline]
    pub fn object(&mut self, key: &str) -> Object<'_> {
        self.key(key).object()
    }

    /// Members that are written already, separated by commas, without braces; nothing when empty.
    #[inline]
    pub fn members(&mut self, members: &str) {
        if !members.is_empty() {
            self.comma();
            self.writer.raw(members);
        }
    }

    #[inline]
    fn comma(&mut self) {
        if !std::mem::replace(&mut self.empty, false) {
            self.writer.bytes.push(b',');
        }
    }
}

impl Drop for Object<'_> {
    #[inline]
    fn drop(&mut self) {
        self.writer.bytes.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::default();
        write(&mut writer);
        String::from_utf8(writer.into_bytes()).unwrap()
    }

    #[test]
    fn epoch_seconds_have_the_decimals_that_the_time_has() {
        for (nanoseconds, expected) in [
            (0, "0.000"),
            (1_780_949_730_000_000_000, "1780949730.000"),
            (1_780_949_730_500_000_000, "1780949730.500"),
            (1_780_949_730_000_456_000, "1780949730.000456"),
            (1_780_949_730_000_000_007, "1780949730.000000007"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            assert_eq!(written(|writer| writer.epoch_seconds(nanoseconds)), expected);
        }
    }

    #[test]
    fn integers_are_written_in_full() {
        for value in [0, 7, 10, 99, 100, u64::MAX] {
            assert_eq!(written(|writer| writer.unsigned(value)), value.to_string());
        }
    }

    #[test]
    fn an_object_places_its_commas_and_closes_itself() {
        let text = written(|writer| {
            let mut object = writer.object();
            object.string("a", "x\"y");
            object.members("");
            object.members(r#""b":1,"c":2"#);
            {
                let mut inner = object.object("d");
                inner.unsigned("e", 3);
                inner.raw("f", "[4]");
            }
            object.object("g");
            object.plain_key("h").raw("null");
        });
        assert_eq!(text, r#"{"a":"x\"y","b":1,"c":2,"d":{"e":3,"f":[4]},"g":{},"h":null}"#);
    }
}
