//! Files of events as people have them: one event a line, an array, or one pretty-printed object.
//!
//! Reads as it goes, so that a file may be larger than memory; only one array element or line is held at a time.

use std::io::{self, BufRead};

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A line longer than this cannot be an event (256 KiB) by any writing of it.
const LONGEST_LINE_BYTES: usize = 4 * 1024 * 1024;
const BEGINNING_BYTES: usize = 256;
/// What some editors put before the first character.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Hands every event of `reader` to `each`, as one line of text without its end, until `each` fails.
///
/// What is not JSON is handed over as it stands where the lines show where it ends: the host refuses it with its
/// number, and the lines beside it are kept.
pub(crate) fn for_each_event(
    mut reader: impl BufRead,
    each: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    if reader.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    match first_byte(&mut reader)? {
        None => Ok(()),
        Some(b'[') => for_each_element(reader, each),
        Some(_) => for_each_line(reader, each),
    }
}

/// Skips white space and looks at what follows.
fn first_byte(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let buffered = reader.fill_buf()?;
        if buffered.is_empty() {
            return Ok(None);
        }
        let blank = buffered.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if let Some(byte) = buffered.get(blank).copied() {
            reader.consume(blank);
            return Ok(Some(byte));
        }
        reader.consume(blank);
    }
}

fn for_each_line(mut reader: impl BufRead, each: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    let mut line = Vec::new();
    let mut first = true;
    while read_line(&mut reader, &mut line)? {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        // A value that is not complete goes on in the next line; one that is broken is its line's affair alone.
        if first && serde_json::from_str::<&RawValue>(text).is_err_and(|error| error.is_eof()) {
            return whole_values(&line, reader, each);
        }
        first = false;
        if !text.is_empty() {
            each(text)?;
        }
        line.clear();
    }
    Ok(())
}

/// Of a line that is too long to be an event only the beginning is kept: the host refuses it, with its number.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let read = io::Read::take(&mut *reader, LONGEST_LINE_BYTES as u64).read_until(b'\n', line)?;
    if read >= LONGEST_LINE_BYTES && !line.ends_with(b"\n") {
        line.truncate(BEGINNING_BYTES);
        reader.skip_until(b'\n')?;
    }
    Ok(read > 0)
}

/// Values that span lines: pretty-printed objects, one after the other. The first line has been read already.
fn whole_values(
    first_line: &[u8],
    reader: impl BufRead,
    each: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    let values = serde_json::Deserializer::from_reader(io::Read::chain(first_line, reader));
    for value in values.into_iter::<Box<RawValue>>() {
        each(&on_one_line(value?.get()))?;
    }
    Ok(())
}

fn for_each_element(reader: impl BufRead, each: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    // An error of `each` must come back as it is, not as a syntax error.
    let mut failure = None;
    let mut each = |text: &str| each(text).map_err(|error| failure = Some(error));
    let parsed = Elements { each: &mut each }.deserialize(&mut deserializer);
    match failure {
        Some(error) => Err(error),
        None => Ok(parsed?),
    }
}

struct Elements<'a> {
    each: &'a mut dyn FnMut(&str) -> Result<(), ()>,
}

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<Box<RawValue>>()? {
            (self.each)(&on_one_line(element.get())).map_err(|()| serde::de::Error::custom("stopped"))?;
        }
        Ok(())
    }
}

/// The same JSON without line breaks. In valid JSON they stand between tokens only, where a space does as well.
fn on_one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> io::Result<Vec<String>> {
        let mut events = Vec::new();
        for_each_event(text.as_bytes(), &mut |event| {
            events.push(event.to_owned());
            Ok(())
        })?;
        Ok(events)
    }

    #[test]
    fn lines_arrays_and_pretty_objects_give_the_same_events() {
        let expected = [r#"{"a": 1}"#, r#"{"b": [2]}"#];
        assert_eq!(events("\n{\"a\": 1}\r\n\n{\"b\": [2]}").unwrap(), expected);
        assert_eq!(events(r#" [{"a": 1}, {"b": [2]}]"#).unwrap(), expected);
        assert_eq!(events("{\n\"a\": 1}\n{\"b\":\n[2]}\n").unwrap(), [r#"{ "a": 1}"#, r#"{"b": [2]}"#]);
        assert_eq!(events("\u{feff}{\"a\": 1}\n{\"b\": [2]}").unwrap(), expected);
        assert_eq!(events("  \n ").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_broken_line_is_handed_over_and_a_broken_array_is_an_error() {
        assert_eq!(events("{}\n{\"a\":\n{}").unwrap(), ["{}", "{\"a\":", "{}"]);
        assert_eq!(events("oops\"}\n{}").unwrap(), ["oops\"}", "{}"]);
        let long = format!("{{}}\n{}\n{{}}", "x".repeat(LONGEST_LINE_BYTES + 10));
        assert_eq!(events(&long).unwrap(), ["{}", &"x".repeat(BEGINNING_BYTES), "{}"]);
        events(r#"[{"a": 1}, {"b"#).unwrap_err();
        events("{\n\"a\": ").unwrap_err();
    }

    #[test]
    fn an_error_of_the_receiver_stops_the_reading_and_comes_back_as_it_is() {
        for text in ["{}\n{}", "[{},{}]"] {
            let mut calls = 0;
            let error = for_each_event(text.as_bytes(), &mut |_| {
                calls += 1;
                Err(io::Error::other("enough"))
            });
            assert_eq!(error.unwrap_err().to_string(), "enough");
            assert_eq!(calls, 1);
        }
    }
}
