//! The operator's own body: a JSON object with placeholders, read and checked once.
//!
//! It is checked as JSON with something of the same length and kind in each placeholder's place, so that an error's
//! line and column are those of the template. What is put in later can then not break it: within a text it is escaped,
//! alone it is a whole value, and names hold no placeholders, so that none comes twice.

use siemaphore_sdk::facts::{FactPlaces, Facts};
use siemaphore_sdk::json::{Names, Outline, scan};
use siemaphore_sdk::{Event, Writer};

use crate::placeholder::{Placeholder, Value};

/// A template that makes valid JSON of every event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// Where a JSON value stands.
    Alone(Placeholder),
    /// Between the quotes of a text.
    Within(Placeholder),
}

const OPENING: &str = "{{";
const CLOSING: &str = "}}";

impl Template {
    /// An error says where it is and what to write instead.
    pub(crate) fn parse(text: &str) -> Result<Template, String> {
        let mut reader = Reader::new(text);
        while reader.step()? {}
        check(&reader.stand_in)?;
        reader.end_literal();
        Ok(Template { parts: reader.parts })
    }

    pub(crate) fn write(&self, event: &Event, places: &FactPlaces, record: &mut Writer) {
        let outline = Outline::new(&event.document);
        let facts = Facts::new(event, &outline, places);
        for part in &self.parts {
            match part {
                Part::Literal(text) => record.raw(text),
                Part::Alone(placeholder) => write_alone(placeholder.value(event, &outline, &facts), record),
                Part::Within(placeholder) => write_within(placeholder.value(event, &outline, &facts), record),
            }
        }
    }
}

fn write_alone(value: Value<'_>, record: &mut Writer) {
    match value {
        Value::Text(text) => record.string(&text),
        Value::Json(json) => record.raw(json),
        Value::Number(number) => record.unsigned(number),
        Value::Nothing => record.raw("null"),
    }
}

fn write_within(value: Value<'_>, record: &mut Writer) {
    match value {
        Value::Text(text) => write_escaped(&text, record),
        Value::Json(json) => match inner(json) {
            Some(escaped) => record.raw(escaped),
            None => write_escaped(json, record),
        },
        Value::Number(number) => record.unsigned(number),
        Value::Nothing => {}
    }
}

fn write_escaped(text: &str, record: &mut Writer) {
    let mut quoted = Writer::with_capacity(text.len() + 2);
    quoted.string(text);
    let quoted = String::from_utf8(quoted.into_bytes()).unwrap_or_default();
    record.raw(inner(&quoted).unwrap_or_default());
}

/// What stands between the quotes of a JSON string.
fn inner(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"')
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    within_string: bool,
    /// Where the first placeholder of the string that is being read stands.
    placeholder_in_string: Option<usize>,
    literal: String,
    parts: Vec<Part>,
    /// The template with a text of the same length for each placeholder.
    stand_in: String,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Reader<'a> {
        Reader {
            text,
            at: 0,
            within_string: false,
            placeholder_in_string: None,
            literal: String::new(),
            parts: Vec::new(),
            stand_in: String::with_capacity(text.len()),
        }
    }

    /// Reads a placeholder or a character; false at the end.
    fn step(&mut self) -> Result<bool, String> {
        let rest = self.rest();
        let Some(character) = rest.chars().next() else { return Ok(false) };
        if rest.starts_with(OPENING) {
            self.placeholder()?;
            return Ok(true);
        }
        // The character after a backslash neither ends the string nor begins a placeholder.
        if self.within_string && character == '\\' {
            self.keep(character);
            self.rest().chars().next().into_iter().for_each(|escaped| self.keep(escaped));
            return Ok(true);
        }
        if self.within_string || !character.is_ascii_whitespace() {
            self.keep(character);
        } else {
            // A record is one line.
            self.stand_in.push(character);
            self.at += character.len_utf8();
        }
        if character == '"' {
            self.quote()?;
        }
        Ok(true)
    }

    fn placeholder(&mut self) -> Result<(), String> {
        let body = self.rest().get(OPENING.len()..).unwrap_or_default();
        let Some(length) = body.find(CLOSING) else {
            return Err(self.problem(self.at, "this placeholder does not end: close it with }}"));
        };
        let name = body.get(..length).unwrap_or_default().trim();
        let placeholder = Placeholder::named(name).map_err(|message| self.problem(self.at, &message))?;
        let whole = OPENING.len() + length + CLOSING.len();
        self.end_literal();
        if self.within_string {
            self.placeholder_in_string.get_or_insert(self.at);
            self.parts.push(Part::Within(placeholder));
            self.stand_in.extend(std::iter::repeat_n('x', whole));
        } else {
            self.parts.push(Part::Alone(placeholder));
            self.stand_in.push('"');
            self.stand_in.extend(std::iter::repeat_n('x', whole - 2));
            self.stand_in.push('"');
        }
        self.at += whole;
        Ok(())
    }

    /// A string has begun or ended.
    fn quote(&mut self) -> Result<(), String> {
        self.within_string = !self.within_string;
        if self.within_string {
            return Ok(());
        }
        match self.placeholder_in_string.take() {
            Some(at) if self.rest().trim_start().starts_with(':') => {
                Err(self.problem(at, "a placeholder cannot be part of a name: write the name out"))
            }
            _ => Ok(()),
        }
    }

    fn keep(&mut self, character: char) {
        self.literal.push(character);
        self.stand_in.push(character);
        self.at += character.len_utf8();
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.parts.push(Part::Literal(std::mem::take(&mut self.literal)));
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn problem(&self, at: usize, message: &str) -> String {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
        format!("{message} (line {line}, column {column})")
    }
}

fn check(stand_in: &str) -> Result<(), String> {
    let value: serde_json::Value =
        serde_json::from_str(stand_in).map_err(|error| format!("the template is not JSON: {error}"))?;
    if !value.is_object() {
        return Err("the template is not a JSON object: begin with { and end with }".to_owned());
    }
    check_names(stand_in)
}

/// Most parsers keep one of two members with the same name: which one is anybody's guess. Lists are not looked into.
fn check_names(object: &str) -> Result<(), String> {
    let mut names = Names::default();
    for member in scan::members(object) {
        if !names.insert(member.key()) {
            return Err(format!("the name \"{}\" comes twice in one object: use it once", member.raw_key));
        }
        check_names(member.value)?;
    }
    Ok(())
}
