//! The document in UDM's `additional`, whose members are found by name: nested ones under their path.
//!
//! `additional` is a protobuf `Struct`: its numbers are doubles, and its readers stop at a nesting of 100, three of
//! which each list or object takes.

use siemaphore_sdk::Writer;
use siemaphore_sdk::json::{Names, Object, Outline, scan};

/// Lists and objects within so many others become texts.
const DEEPEST: u8 = 16;

/// Objects whose members would be fields beyond so many stay as they are. Repeating a long path for each of thousands
/// of members would make a record many times its document.
const MOST_FLATTENED: usize = 1_000;
const LONGEST_PREFIX_BYTES: usize = 128;

/// The largest integer up to which a double holds each one.
const LARGEST_EXACT: u64 = 1 << 53;

/// What a document's field gets before it when its name is taken.
const ASIDE: &str = "document.";

/// The object being written.
#[derive(Debug)]
pub(crate) struct Additional<'a> {
    object: Object<'a>,
    names: Names<'a>,
    written: usize,
}

impl<'a> Additional<'a> {
    pub(crate) fn begin(object: Object<'a>) -> Additional<'a> {
        Additional { object, names: Names::default(), written: 0 }
    }

    /// A field of ours, before those of the document.
    pub(crate) fn field(&mut self, name: &'static str, text: &str) {
        self.names.insert(name);
        self.object.plain_key(name).string(text);
    }

    /// All members of a document. Null says nothing, so it has no field.
    pub(crate) fn document(&mut self, outline: &Outline<'_>) {
        self.members(&mut String::with_capacity(64), outline);
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
                None if member.value == "null" => {}
                None => self.member(path, member.value),
            }
            path.truncate(parent);
        }
    }

    /// The members of an object that is written as one field for each of them.
    fn flattened<'v>(&self, path: &str, value: &'v str) -> Option<Outline<'v>> {
        if path.len() > LONGEST_PREFIX_BYTES || !scan::is_object(value) {
            return None;
        }
        let outline = Outline::new(value);
        let fields = self.written.saturating_add(outline.members().len());
        (!outline.members().is_empty() && fields <= MOST_FLATTENED).then_some(outline)
    }

    fn member(&mut self, path: &str, value: &str) {
        let mut name = path.to_owned();
        while !self.names.insert(name.clone()) {
            name.insert_str(0, ASIDE);
        }
        self.written += 1;
        write_value(self.object.key(&name), value, 0);
    }
}

fn write_value(out: &mut Writer, value: &str, depth: u8) {
    match value.as_bytes().first() {
        Some(b'{' | b'[') if depth >= DEEPEST => out.string(value),
        Some(b'{') => {
            let mut object = out.object();
            for member in Outline::new(value).members() {
                write_value(object.plain_key(member.raw_key), member.value, depth + 1);
            }
        }
        Some(b'[') => {
            out.raw("[");
            for (place, item) in scan::items(value).enumerate() {
                if place > 0 {
                    out.raw(",");
                }
                write_value(out, item, depth + 1);
            }
            out.raw("]");
        }
        Some(b'-' | b'0'..=b'9') if !is_double(value) => out.string(value),
        _ => out.raw(value),
    }
}

/// Whether a double holds the number: a larger integer would lose digits, and becomes a text.
fn is_double(number: &str) -> bool {
    if number.contains(['.', 'e', 'E']) {
        return number.parse::<f64>().is_ok_and(f64::is_finite);
    }
    number.trim_start_matches('-').parse::<u64>().is_ok_and(|integer| integer <= LARGEST_EXACT)
}
