//! JSON values as OTLP's `AnyValue`.

use siemaphore_sdk::Writer;
use siemaphore_sdk::json::{Outline, scan};

/// A text, from its characters.
pub(crate) fn write_text(out: &mut Writer, text: &str) {
    out.object().plain_key("stringValue").string(text);
}

/// 64-bit integers are decimal strings in JSON: a reader in JavaScript would lose digits of a number.
pub(crate) fn write_unsigned(out: &mut Writer, value: u64) {
    let mut object = out.object();
    let value_out = object.plain_key("intValue");
    value_out.raw("\"");
    value_out.unsigned(value);
    value_out.raw("\"");
}

/// Lists and objects within so many others become texts: each is nested four times as deep in JSON, and three times in
/// protobuf, whose readers stop at 100.
const DEEPEST: u8 = 16;

/// Any value of a document. Null is an `AnyValue` without a value.
pub(crate) fn write(out: &mut Writer, json: &str) {
    write_at(out, json, 0);
}

fn write_at(out: &mut Writer, json: &str, depth: u8) {
    match json.as_bytes().first() {
        Some(b'{' | b'[') if depth >= DEEPEST => write_text(out, json),
        Some(b'"') => out.object().plain_key("stringValue").raw(json),
        Some(b't' | b'f') => out.object().plain_key("boolValue").raw(json),
        Some(b'{') => write_object(out, json, depth),
        Some(b'[') => write_list(out, json, depth),
        Some(b'-' | b'0'..=b'9') => write_number(out, json),
        _ => drop(out.object()),
    }
}

/// A number that OTLP has no type for stays a text, with all its digits.
fn write_number(out: &mut Writer, number: &str) {
    let mut object = out.object();
    let is_whole = !number.contains(['.', 'e', 'E']) && number != "-0";
    let is_finite = || number.parse::<f64>().is_ok_and(f64::is_finite);
    let key = match is_whole {
        true if number.parse::<i64>().is_ok() => "intValue",
        false if is_finite() => return object.plain_key("doubleValue").raw(number),
        _ => "stringValue",
    };
    let value = object.plain_key(key);
    value.raw("\"");
    value.raw(number);
    value.raw("\"");
}

fn write_object(out: &mut Writer, json: &str, depth: u8) {
    let mut object = out.object();
    let mut list = object.object("kvlistValue");
    let values = list.plain_key("values");
    values.raw("[");
    for (place, member) in Outline::new(json).members().iter().enumerate() {
        separate(values, place);
        let mut pair = values.object();
        let key = pair.plain_key("key");
        key.raw("\"");
        key.raw(member.raw_key);
        key.raw("\"");
        write_at(pair.plain_key("value"), member.value, depth + 1);
    }
    values.raw("]");
}

fn write_list(out: &mut Writer, json: &str, depth: u8) {
    let mut object = out.object();
    let mut list = object.object("arrayValue");
    let values = list.plain_key("values");
    values.raw("[");
    for (place, item) in scan::items(json).enumerate() {
        separate(values, place);
        write_at(values, item, depth + 1);
    }
    values.raw("]");
}

fn separate(out: &mut Writer, place: usize) {
    if place > 0 {
        out.raw(",");
    }
}
