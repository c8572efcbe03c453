//! A list of attributes in which no key comes twice, as OTLP demands.

use std::borrow::Cow;

use siemaphore_sdk::Writer;
use siemaphore_sdk::json::{Names, Outline, flatten, scan};

use crate::value;

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

    /// All members of a document, those of objects in it under their path: `tool_call.tool_name`.
    pub(crate) fn document(&mut self, outline: &Outline<'a>) {
        flatten(outline, |path, value| {
            if !self.is_repeated(path, value) {
                let key = self.names.insert_path(path);
                value::write(self.pair(&key), value);
                self.end_pair();
            }
        });
    }

    pub(crate) fn end(self) {
        self.out.raw("]");
    }

    fn is_repeated(&self, path: &str, value: &str) -> bool {
        self.known.iter().any(|(key, text)| {
            *key == path && scan::text(value).unwrap_or(Cow::Borrowed(value)).as_ref() == text.as_ref()
        })
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
