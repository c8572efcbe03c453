//! The document in UDM's `additional`, whose members are found by name: nested ones under their path.
//!
//! `additional` is a protobuf `Struct`: its numbers are doubles, and its readers stop at a nesting of 100, three of
//! which each list or object takes.

use siemaphore_sdk::Writer;
use siemaphore_sdk::json::{Names, Object, Outline, flatten, scan};

/// Lists and objects within so many others become texts.
const DEEPEST: u8 = 16;

/// The largest integer up to which a double holds each one.
const LARGEST_EXACT: u64 = 1 << 53;

/// The object being written.
#[derive(Debug)]
pub(crate) struct Additional<'a> {
    object: Object<'a>,
    names: Names<'a>,
}

impl<'a> Additional<'a> {
    pub(crate) fn begin(object: Object<'a>) -> Additional<'a> {
        Additional { object, names: Names::default() }
    }

    /// A field of ours, before those of the document.
    pub(crate) fn field(&mut self, name: &'static str, text: &str) {
        self.names.insert(name);
        self.object.plain_key(name).string(text);
    }

    /// All members of a document.
    pub(crate) fn document(&mut self, outline: &Outline<'_>) {
        flatten(outline, |path, value| {
            let name = self.names.insert_path(path);
            write_value(self.object.key(&name), value, 0);
        });
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
