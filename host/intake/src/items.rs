//! Cutting a body into raw events: one object, the elements of an array, or lines.
//!
//! Only the borders are looked for here; whether an event is valid JSON is the normaliser's to say. Works on bytes,
//! because JSON's structure is ASCII and so invalid UTF-8 in one event cannot hide another.

/// How the events of a body are set apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// One event, or an array of events.
    Json,
    /// One event a line.
    Ndjson,
}

impl Format {
    /// What the type says. Types that are not about JSON say nothing: clients send whatever their default is.
    pub(crate) fn of_content_type(content_type: &str) -> Option<Format> {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Some(Format::Json),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines" => Some(Format::Ndjson),
            _ => None,
        }
    }

    /// By looking: a body that is one JSON value may have line breaks inside it, so it is lines only when something
    /// follows the first value, or when that has no end and a later line begins with an object.
    pub(crate) fn of_body(body: &[u8]) -> Format {
        let start = after_whitespace(body, 0);
        if body.get(start) == Some(&b'[') {
            return Format::Json;
        }
        let several = match value_end(body, start) {
            Some(end) => after_whitespace(body, end) < body.len(),
            None => memchr::memchr_iter(b'\n', body).any(|newline| body.get(newline + 1) == Some(&b'{')),
        };
        if several && memchr::memchr(b'\n', body).is_some() { Format::Ndjson } else { Format::Json }
    }
}

/// The raw events of a body, in order. After an error there are no more.
#[derive(Debug)]
pub(crate) struct Items<'a> {
    body: &'a [u8],
    at: usize,
    state: State,
}

/// From here on the body cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset} of the body; what follows could not be read")]
pub(crate) struct Broken {
    problem: &'static str,
    offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Single,
    Lines,
    FirstElement,
    NextElement,
    Done,
}

impl<'a> Items<'a> {
    pub(crate) fn new(body: &'a [u8], format: Format) -> Items<'a> {
        let at = after_whitespace(body, 0);
        let is_array = body.get(at) == Some(&b'[');
        match format {
            Format::Ndjson => Items { body, at: 0, state: State::Lines },
            Format::Json if is_array => Items { body, at: at + 1, state: State::FirstElement },
            Format::Json => Items { body, at, state: State::Single },
        }
    }

    /// Whether a mistake in one item leaves the others readable.
    pub(crate) fn are_independent(&self) -> bool {
        self.state == State::Lines
    }

    fn next_line(&mut self) -> Option<&'a [u8]> {
        loop {
            let rest = self.body.get(self.at..).filter(|rest| !rest.is_empty())?;
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            self.at += length + 1;
            let line = rest.get(..length).unwrap_or_default().trim_ascii();
            if !line.is_empty() {
                return Some(line);
            }
        }
    }

    fn next_element(&mut self) -> Option<Result<&'a [u8], Broken>> {
        self.at = after_whitespace(self.body, self.at);
        if self.state == State::NextElement || self.body.get(self.at) == Some(&b']') {
            match self.body.get(self.at) {
                Some(b']') => return self.end_of_array(),
                Some(b',') => self.at = after_whitespace(self.body, self.at + 1),
                Some(_) => return self.broken("',' or ']' is expected"),
                None => return self.broken("the array has no end"),
            }
        }
        self.state = State::NextElement;
        let Some(end) = value_end(self.body, self.at) else {
            let problem = match self.body.get(self.at) {
                None => "the array has no end",
                Some(b']' | b',' | b'}' | b':') => "an event is expected",
                Some(_) => "the event has no end",
            };
            return self.broken(problem);
        };
        let element = self.body.get(self.at..end)?;
        self.at = end;
        Some(Ok(element))
    }

    fn end_of_array(&mut self) -> Option<Result<&'a [u8], Broken>> {
        self.state = State::Done;
        self.at = after_whitespace(self.body, self.at + 1);
        if self.at < self.body.len() { self.broken("characters after the end of the array") } else { None }
    }

    fn broken(&mut self, problem: &'static str) -> Option<Result<&'a [u8], Broken>> {
        self.state = State::Done;
        Some(Err(Broken { problem, offset: self.at }))
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<&'a [u8], Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.state {
            State::Lines => self.next_line().map(Ok),
            State::FirstElement | State::NextElement => self.next_element(),
            State::Single => {
                self.state = State::Done;
                self.body.get(self.at..).map(|raw| Ok(raw.trim_ascii_end()))
            }
            State::Done => None,
        }
    }
}

fn after_whitespace(body: &[u8], at: usize) -> usize {
    let rest = body.get(at..).unwrap_or_default();
    let is_whitespace = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    at + rest.iter().position(|byte| !is_whitespace(byte)).unwrap_or(rest.len())
}

/// Where the value that begins at `start` ends, by counting brackets outside strings. None when it has no end.
fn value_end(body: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut depth = 0_usize;
    loop {
        match body.get(at)? {
            b'"' => at = string_end(body, at + 1)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            _ if depth == 0 => return scalar_end(body, at),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

fn string_end(body: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let rest = body.get(at..)?;
        at += memchr::memchr2(b'"', b'\\', rest)?;
        if body.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// A number or a word; at least one byte.
fn scalar_end(body: &[u8], start: usize) -> Option<usize> {
    let rest = body.get(start..)?;
    let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\n' | b'\r');
    let length = rest.iter().position(is_end).unwrap_or(rest.len());
    (length > 0).then_some(start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, format: Format, expected: &[&str], broken: Option<&str>) {
        let mut items = Items::new(body.as_bytes(), format);
        for item in expected {
            assert_eq!(items.next(), Some(Ok(item.as_bytes())), "{body}");
        }
        let last = items.next().map(|item| item.unwrap_err().problem);
        assert_eq!(last, broken, "{body}");
        assert_eq!(items.next(), None, "{body}");
    }

    #[test]
    fn bodies_are_cut_where_events_end() {
        check("{}", Format::Json, &["{}"], None);
        check(" {\n} \n", Format::Json, &["{\n}"], None);
        check("[]", Format::Json, &[], None);
        check(" [ ] ", Format::Json, &[], None);
        check(
            r#"[{"a":"]}\"["},1,"x",[2,{}]]"#,
            Format::Json,
            &[r#"{"a":"]}\"["}"#, "1", "\"x\"", "[2,{}]"],
            None,
        );
        check("{}\n\n {} \r\n{", Format::Ndjson, &["{}", "{}", "{"], None);
    }

    #[test]
    fn what_precedes_the_break_is_kept() {
        check("[", Format::Json, &[], Some("the array has no end"));
        check("[{}", Format::Json, &["{}"], Some("the array has no end"));
        check("[{},", Format::Json, &["{}"], Some("the array has no end"));
        check("[{},]", Format::Json, &["{}"], Some("an event is expected"));
        check("[,{}]", Format::Json, &[], Some("an event is expected"));
        check("[{},,{}]", Format::Json, &["{}"], Some("an event is expected"));
        check("[{} {}]", Format::Json, &["{}"], Some("',' or ']' is expected"));
        check(r#"[{},{"a":"b]"#, Format::Json, &["{}"], Some("the event has no end"));
        check("[{}]{}", Format::Json, &["{}"], Some("characters after the end of the array"));
    }

    #[test]
    fn the_format_is_seen_from_the_body_when_no_type_says_it() {
        for (body, expected) in [
            ("{}", Format::Json),
            ("{\n  \"a\": {\n}\n}\n", Format::Json),
            ("[\n{}\n]", Format::Json),
            ("{}\n{}", Format::Ndjson),
            ("{\"a\"\n{}\n", Format::Ndjson),
            ("oops\n{}\n", Format::Ndjson),
            ("{\n  \"a\": {", Format::Json),
            ("oops", Format::Json),
            ("", Format::Json),
        ] {
            assert_eq!(Format::of_body(body.as_bytes()), expected, "{body}");
        }
    }
}
