//! A stream of server-sent events, cut into events as the HTML standard says (section 9.2.6).
//!
//! Lines end with CR, LF or CRLF; `data` lines are joined; a comment is nothing; what has no blank line behind it when
//! the stream ends is no event, and its id does not count. Pieces may be cut anywhere. What is held is bounded: of a
//! field that is too long only its beginning is kept, and an event with too much data is told as such.
//!
//! Where this differs from the standard: data stays bytes, because whoever takes an event checks it; and an id that no
//! header could carry back to the server is ignored, like one with a NUL.

use std::mem::take;
use std::time::Duration;

use http::HeaderValue;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What is kept of a line beside the data that an event may have: a field's name, a colon and a space.
const FIELD_BYTES: usize = 16;
/// The longest id that is taken, and the longest event type that can be asked for.
const NAME_BYTES: usize = 4096;

/// What stood between two blank lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// `message` when the stream does not say.
    pub(crate) event_type: Vec<u8>,
    pub(crate) data: Data,
    /// The last id of the stream, up to and with this event.
    pub(crate) id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Data {
    /// Nothing to dispatch; the id counts all the same.
    None,
    Whole(Vec<u8>),
    /// More than is allowed.
    TooLarge,
}

/// Of one connection.
#[derive(Debug)]
pub(crate) struct Parser {
    data_bytes: usize,
    line: Vec<u8>,
    /// There was more of the line than is kept.
    is_cut: bool,
    after_cr: bool,
    is_first_line: bool,
    event_type: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    is_too_large: bool,
    id: Option<String>,
    retry: Option<Duration>,
}

impl Parser {
    /// Events may have so much data. The last id goes on from the connection before.
    pub(crate) fn new(data_bytes: usize, id: Option<String>) -> Parser {
        Parser {
            data_bytes,
            line: Vec::new(),
            is_cut: false,
            after_cr: false,
            is_first_line: true,
            event_type: Vec::new(),
            data: Vec::new(),
            has_data: false,
            is_too_large: false,
            id,
            retry: None,
        }
    }

    /// How long the server wants us to wait before the next connection, when it has said so.
    pub(crate) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Adds what ends in this piece to `parsed`.
    pub(crate) fn push(&mut self, mut piece: &[u8], parsed: &mut Vec<Parsed>) {
        if piece.is_empty() {
            return;
        }
        if take(&mut self.after_cr) {
            piece = piece.strip_prefix(b"\n").unwrap_or(piece);
        }
        while let Some(end) = memchr::memchr2(b'\r', b'\n', piece) {
            let (line, rest) = piece.split_at(end);
            self.keep(line);
            parsed.extend(self.end_of_line());
            piece = match rest {
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
                [] => &[],
            };
        }
        self.keep(piece);
    }

    fn keep(&mut self, part: &[u8]) {
        let most = self.data_bytes.max(NAME_BYTES) + FIELD_BYTES;
        let room = most.saturating_sub(self.line.len()).min(part.len());
        self.line.extend_from_slice(part.get(..room).unwrap_or_default());
        self.is_cut |= room < part.len();
    }

    fn end_of_line(&mut self) -> Option<Parsed> {
        let (line, is_cut) = (take(&mut self.line), take(&mut self.is_cut));
        let mut line = line.as_slice();
        if take(&mut self.is_first_line) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            return self.end_of_event();
        }
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => (line.get(..colon)?, line.get(colon + 1..)?),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => self.data(value, is_cut),
            b"event" if value.len() <= NAME_BYTES => self.event_type = value.to_vec(),
            b"id" if is_id(value) => self.id = Some(String::from_utf8_lossy(value).into_owned()),
            b"retry" if value.iter().all(u8::is_ascii_digit) => {
                let milliseconds = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                self.retry = milliseconds.map(Duration::from_millis).or(self.retry);
            }
            // A comment, or a field that the standard does not know.
            _ => {}
        }
        None
    }

    fn data(&mut self, value: &[u8], is_cut: bool) {
        if take(&mut self.has_data) {
            self.data.push(b'\n');
        }
        self.has_data = true;
        self.is_too_large |= is_cut || self.data.len() + value.len() > self.data_bytes;
        if self.is_too_large {
            self.data = Vec::new();
        } else {
            self.data.extend_from_slice(value);
        }
    }

    fn end_of_event(&mut self) -> Option<Parsed> {
        let (event_type, data) = (take(&mut self.event_type), take(&mut self.data));
        let data = match (take(&mut self.has_data), take(&mut self.is_too_large)) {
            (false, _) => Data::None,
            (true, true) => Data::TooLarge,
            (true, false) => Data::Whole(data),
        };
        let event_type = if event_type.is_empty() { b"message".to_vec() } else { event_type };
        let parsed = Parsed { event_type, data, id: self.id.clone() };
        (parsed.data != Data::None || parsed.id.is_some()).then_some(parsed)
    }
}

fn is_id(value: &[u8]) -> bool {
    value.len() <= NAME_BYTES && HeaderValue::from_bytes(value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 20;

    fn parse(stream: &[u8], size: usize) -> (Vec<Parsed>, Parser) {
        let mut parser = Parser::new(LIMIT, None);
        let mut parsed = Vec::new();
        stream.chunks(size).for_each(|piece| parser.push(piece, &mut parsed));
        (parsed, parser)
    }

    /// Each event as `type data @id`, whatever pieces the stream comes in.
    fn check(stream: impl AsRef<[u8]>, expected: &[&str]) {
        for size in [1, 2, 3, 7, 100_000] {
            let (parsed, _) = parse(stream.as_ref(), size);
            let shown: Vec<String> = parsed.iter().map(show).collect();
            assert_eq!(shown, expected, "in pieces of {size}");
        }
    }

    fn show(parsed: &Parsed) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let data = match &parsed.data {
            Data::None => "-".to_owned(),
            Data::Whole(data) => format!("{:?}", text(data)),
            Data::TooLarge => "too large".to_owned(),
        };
        let id = parsed.id.as_ref().map(|id| format!(" @{id}")).unwrap_or_default();
        format!("{} {data}{id}", text(&parsed.event_type))
    }

    #[test]
    fn the_examples_of_the_standard_are_read_as_it_says() {
        check("data: YHOO\ndata: +2\ndata: 10\n\n", &[r#"message "YHOO\n+2\n10""#]);
        check(
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
            &[r#"message "first event" @1"#, r#"message "second event" @"#],
        );
        check("data\n\ndata\ndata\n\ndata:", &[r#"message """#, r#"message "\n""#]);
        check("data:test\n\ndata: test\n\n", &[r#"message "test""#, r#"message "test""#]);
        check(
            "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\ndata: x\n\n",
            &[r#"add "73857293""#, r#"remove "2153""#, r#"add "113411""#, r#"message "x""#],
        );
    }

    #[test]
    fn lines_end_in_three_ways() {
        check(
            "data: a\r\n\r\ndata: b\r\rdata: c\n\n",
            &[r#"message "a""#, r#"message "b""#, r#"message "c""#],
        );
        check("data: a\r\ndata: b\r\n\r\n", &[r#"message "a\nb""#]);
        check("event: x\rdata: a\r\r\ndata: b\n\n", &[r#"x "a""#, r#"message "b""#]);
        // A CR ends an event at once: nobody waits for an LF that may follow.
        check("data: a\r\r", &[r#"message "a""#]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_stream_where_it_begins_and_only_there() {
        check("\u{feff}data: a\n\n\u{feff}data: b\n\n", &[r#"message "a""#]);
        check("\u{feff}\u{feff}data: a\n\n", &[]);
        check("\u{feff}\n\ndata: a\n\n", &[r#"message "a""#]);
    }

    #[test]
    fn an_id_holds_until_the_next_one_and_counts_without_data() {
        check(
            "id: 7\n\ndata: a\n\nid: 8\ndata: b\n\nid\ndata: c\n\n",
            &["message - @7", r#"message "a" @7"#, r#"message "b" @8"#, r#"message "c" @"#],
        );
    }

    #[test]
    fn an_id_that_cannot_be_sent_back_is_ignored() {
        check(b"id: 7\ndata: a\n\nid: 8\0\ndata: b\n\n", &[r#"message "a" @7"#, r#"message "b" @7"#]);
        check(b"id: 7\nid: \x01\ndata: a\n\n", &[r#"message "a" @7"#]);
        check(format!("id: 7\nid: {}\ndata: a\n\n", "9".repeat(5000)), &[r#"message "a" @7"#]);
        check("id: Zürich 1\ndata: a\n\n", &[r#"message "a" @Zürich 1"#]);
    }

    #[test]
    fn what_has_no_blank_line_behind_it_is_no_event_and_its_id_does_not_count() {
        check("id: 1\ndata: a\n\nid: 2\ndata: b\n", &[r#"message "a" @1"#]);
        check("id: 1\ndata: a\n\nid: 2\ndata: b", &[r#"message "a" @1"#]);
        check(":\n\n:\n\n", &[]);
    }

    #[test]
    fn field_names_are_exact_and_one_space_is_no_part_of_a_value() {
        check("Data: a\n data: b\ndata : c\nfoo: d\ndata:  e\ndata:\tf\n\n", &[r#"message " e\n\tf""#]);
        check("data: a:b: c\n\n", &[r#"message "a:b: c""#]);
    }

    #[test]
    fn a_server_may_say_when_to_come_back() {
        let retry = |stream: &str| parse(stream.as_bytes(), 3).1.retry();
        assert_eq!(retry("data: a\n"), None);
        assert_eq!(retry("retry: 2500\n"), Some(Duration::from_millis(2500)));
        let unchanged =
            "retry: 25\nretry: soon\nretry: -1\nretry: 1.5\nretry: 99999999999999999999999\nretry:\n";
        assert_eq!(retry(unchanged), Some(Duration::from_millis(25)));
    }

    #[test]
    fn an_event_over_the_limit_is_told_and_what_follows_is_read() {
        let long = "x".repeat(10_000);
        check(
            format!("id: 1\ndata: {long}\n\ndata: 12345678901234567890\n\n: {long}\ndata: a\n\n"),
            &["message too large @1", r#"message "12345678901234567890" @1"#, r#"message "a" @1"#],
        );
        check(
            "data: 1234567890\ndata: 1234567890\ndata: b\n\ndata: c\n\n",
            &["message too large", r#"message "c""#],
        );
        check(format!("{long}{long}: {long}\ndata: a\n\n"), &[r#"message "a""#]);
    }

    #[test]
    fn what_is_held_of_a_stream_without_ends_is_bounded() {
        let mut parser = Parser::new(LIMIT, None);
        let mut parsed = Vec::new();
        for _ in 0..1000 {
            parser.push(&[b'x'; 1000], &mut parsed);
        }
        assert!(parser.line.capacity() <= 2 * (NAME_BYTES + FIELD_BYTES), "{}", parser.line.capacity());
        parser.push(b"\n", &mut parsed);
        for _ in 0..1000 {
            parser.push(b"data: 1234567890\n", &mut parsed);
        }
        assert!(parsed.is_empty() && parser.data.capacity() <= 2 * LIMIT, "{}", parser.data.capacity());
    }
}
