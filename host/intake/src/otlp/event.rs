//! A log record as an event's document.
//!
//! Names are those of the data model in snake case. What the record does not have is left out, except
//! `severity_number` and the scope's name, by which the profile `otlp` recognises it. Times stay decimal text, as in
//! OTLP's own JSON: many readers would lose their last digits. Identifiers are lowercase hexadecimal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde_json::{Map, Number, Value};

pub(super) fn write(record: LogRecord, resource: &str, scope: &str, into: &mut String) {
    let mut members = Map::new();
    set_time(&mut members, "time_unix_nano", record.time_unix_nano);
    set_time(&mut members, "observed_time_unix_nano", record.observed_time_unix_nano);
    members.insert("severity_number".to_owned(), record.severity_number.into());
    set_text(&mut members, "severity_text", record.severity_text);
    set_text(&mut members, "event_name", record.event_name);
    if let Some(body) = record.body.and_then(|body| body.value) {
        members.insert("body".to_owned(), value(body));
    }
    set_attributes(&mut members, record.attributes, record.dropped_attributes_count);
    if record.flags != 0 {
        members.insert("flags".to_owned(), record.flags.into());
    }
    set_text(&mut members, "trace_id", hex(&record.trace_id));
    set_text(&mut members, "span_id", hex(&record.span_id));
    *into = text(members);
    // Never empty: there is always a severity number.
    into.pop();
    for (name, part) in [("resource", resource), ("scope", scope)] {
        if part != "{}" {
            into.push_str(",\"");
            into.push_str(name);
            into.push_str("\":");
            into.push_str(part);
        }
    }
    into.push('}');
}

pub(super) fn resource(resource: Resource, schema_url: String) -> String {
    let mut members = Map::new();
    set_attributes(&mut members, resource.attributes, resource.dropped_attributes_count);
    set_text(&mut members, "schema_url", schema_url);
    text(members)
}

pub(super) fn scope(scope: InstrumentationScope, schema_url: String) -> String {
    let mut members = Map::new();
    members.insert("name".to_owned(), scope.name.into());
    set_text(&mut members, "version", scope.version);
    set_attributes(&mut members, scope.attributes, scope.dropped_attributes_count);
    set_text(&mut members, "schema_url", schema_url);
    text(members)
}

fn set_time(members: &mut Map<String, Value>, name: &str, nanoseconds: u64) {
    if nanoseconds != 0 {
        members.insert(name.to_owned(), nanoseconds.to_string().into());
    }
}

fn set_text(members: &mut Map<String, Value>, name: &str, text: String) {
    if !text.is_empty() {
        members.insert(name.to_owned(), text.into());
    }
}

fn set_attributes(members: &mut Map<String, Value>, attributes: Vec<KeyValue>, dropped: u32) {
    if !attributes.is_empty() {
        members.insert("attributes".to_owned(), object(attributes));
    }
    if dropped != 0 {
        members.insert("dropped_attributes_count".to_owned(), dropped.into());
    }
}

/// Of attributes with one key the last counts: some SIEMs refuse a record with a member twice.
fn object(attributes: Vec<KeyValue>) -> Value {
    let member = |attribute: KeyValue| {
        let given = attribute.value.and_then(|given| given.value);
        (attribute.key, given.map_or(Value::Null, value))
    };
    Value::Object(attributes.into_iter().map(member).collect())
}

fn value(given: AnyValue) -> Value {
    match given {
        AnyValue::StringValue(text) => text.into(),
        AnyValue::BoolValue(boolean) => boolean.into(),
        AnyValue::IntValue(number) => number.into(),
        AnyValue::DoubleValue(number) => double(number),
        AnyValue::ArrayValue(array) => {
            array.values.into_iter().map(|given| given.value.map_or(Value::Null, value)).collect()
        }
        AnyValue::KvlistValue(list) => object(list.values),
        AnyValue::BytesValue(bytes) => STANDARD.encode(bytes).into(),
        // An index into a table that only profiles have.
        AnyValue::StringValueStrindex(_) => Value::Null,
    }
}

/// JSON has no infinity and no "not a number": as text they at least say what was there.
fn double(number: f64) -> Value {
    let text = || {
        if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
    };
    Number::from_f64(number).map_or_else(|| text().into(), Value::Number)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(members: Map<String, Value>) -> String {
    Value::Object(members).to_string()
}
