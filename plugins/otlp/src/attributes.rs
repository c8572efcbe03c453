//! A list of attributes in which no key comes twice, as OTLP demands.

use std::borrow::Cow;

use siemaphore_sdk::Writer;
use siemaphore_sdk::json::{Names, Outline, scan};

use crate::value;

/// Objects whose members would be attributes beyond so many stay as they are. Repeating a long path for each of
/// thousands of members would make a record many times its document.
const MOST_FLATTENED: usize = 1_000;

/// An object deeper than this stays as it is, for the same reason.
const LONGEST_PREFIX_BYTES: usize = 128;

/// What a document's key gets before it when the key has another meaning already.
const ASIDE: &str = "document.";

/// Attributes being written. The list is closed by [`end`](Attributes::end).
#[derive(Debug)]
pub(crate) struct Attributes<'a> {
    out: &'a mut Writer,
    written: usize,
    /// Attributes with a meaning of ours, which the document may repeat.
    known: Vec<(&'static str, Cow<'a, str>)>,
    names: Names<'a>,
}

impl<'a> Attributes<'a> {
    pub(crate) fn begin(out: &'a mut Writer) -> Attributes<'a> {
        out.raw("[");
        Attributes { out, written: 0, known: Vec::new(), names: Names::default() }
    }

    pub(crate) fn text(&mut self, key: &'static str, text: Cow<'a, str>) {
        value::write_text(self.pair(key), &text);
        self.end_pair();
        self.names.insert(key);
        self.known.push((key, text));
    }

    pub(crate) fn unsigned(&mut self, key: &'static str, number: u64) {
        value::write_unsigned(self.pair(key), number);
        self.end_pair();
        self.names.insert(key);
        self.known.push((key, Cow::Owned(number.to_string())));
    }

    /// An attribute of the operator's, whose settings were checked for keys of ours.
    pub(crate) fn setting(&mut self, key: &str, text: &str) {
        value::write_text(self.pair(key), text);
        self.end_pair();
    }

    /// All members of a document, those of objects in it under their path: `tool_call.tool_name`. Null says nothing,
    /// so it has no attribute.
    pub(crate) fn document(&mut self, outline: &Outline<'a>) {
        let mut path = String::with_capacity(64);
        self.members(&mut path, outline);
    }

    pub(crate) fn end(self) {
        self.out.raw("]");
    }

    fn members(&mut self, path: &mut String, outline: &Outline<'_>) {
        for member in outline.members() {
            let parent = path.len();
            if parent > 0 {
                path.push('.');
            }
            path.push_str(&member.key());
            match self.flattened(path, member.value) {
                Some(inner) => self.members(path, &inner),
                None if member.value == "null" || self.is_repeated(path, member.value) => {}
                None => self.member(path, member.value),
            }
            path.truncate(parent);
        }
    }

    /// The members of an object that is written as one attribute for each of them.
    fn flattened<'v>(&self, path: &str, value: &'v str) -> Option<Outline<'v>> {
        if path.len() > LONGEST_PREFIX_BYTES || !scan::is_object(value) {
            return None;
        }
        let outline = Outline::new(value);
        let attributes = self.written.saturating_add(outline.members().len());
        (!outline.members().is_empty() && attributes <= MOST_FLATTENED).then_some(outline)
    }

    fn is_repeated(&self, path: &str, value: &str) -> bool {
        self.known.iter().any(|(key, text)| {
            *key == path && scan::text(value).unwrap_or(Cow::Borrowed(value)).as_ref() == text.as_ref()
        })
    }

    fn member(&mut self, path: &str, value: &str) {
        let mut key = path.to_owned();
        while !self.names.insert(key.clone()) {
            key.insert_str(0, ASIDE);
        }
        value::write(self.pair(&key), value);
        self.end_pair();
    }

    fn pair(&mut self, key: &str) -> &mut Writer {
        if self.written > 0 {
            self.out.raw(",");
        }
        self.written += 1;
        self.out.raw("{\"key\":");
        self.out.string(key);
        self.out.raw(",\"value\":");
        self.out
    }

    fn end_pair(&mut self) {
        self.out.raw("}");
    }
}
