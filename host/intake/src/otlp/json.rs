//! Cutting a JSON request into records, and reading each as OTLP's JSON mapping says: names in lower camel case, 64-bit
//! numbers as text or numbers, enumerations as numbers, identifiers in hexadecimal, bytes in base64. Unknown names are
//! passed over.
//!
//! The official types' own reading of JSON is stricter than the mapping (a missing or null member is an error), and
//! decodes a request as a whole.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Known;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Events, LogsError, PART_BYTES, event, too_long};

/// The most elements of one list of resources, scopes or records. A request may have as many events by default.
const LIST: usize = 10_000;

pub(super) fn decode(body: &[u8], events: &mut Events<'_>) -> Result<(), LogsError> {
    let request: RequestJson = serde_json::from_slice(body).map_err(unreadable)?;
    for resource_logs in request.resource_logs.0 {
        events.enter_resource()?;
        let resource_logs: ResourceLogsJson = part(resource_logs)?;
        let resource: OwnerJson = resource_logs.resource.map(owner).transpose()?.unwrap_or_default();
        let resource = event::resource(resource.try_into()?, resource_logs.schema_url.unwrap_or_default());
        for scope_logs in resource_logs.scope_logs.0 {
            events.enter_scope()?;
            let scope_logs: ScopeLogsJson = part(scope_logs)?;
            let scope: OwnerJson = scope_logs.scope.map(owner).transpose()?.unwrap_or_default();
            let scope = event::scope(scope.try_into()?, scope_logs.schema_url.unwrap_or_default());
            for record in scope_logs.log_records.0 {
                events.add(&resource, &scope, decode_record(record.get()))?;
            }
        }
    }
    Ok(())
}

fn decode_record(record: &str) -> Result<LogRecord, String> {
    if record.len() > PART_BYTES {
        return Err(too_long("log record", record.len()));
    }
    let record: LogRecordJson = serde_json::from_str(record).map_err(|error| error.to_string())?;
    record.try_into()
}

fn owner(text: &RawValue) -> Result<OwnerJson, LogsError> {
    if text.get().len() > PART_BYTES {
        return Err(LogsError::Unreadable(too_long("resource or scope", text.get().len())));
    }
    part(text)
}

fn part<'a, T: Deserialize<'a>>(text: &'a RawValue) -> Result<T, LogsError> {
    serde_json::from_str(text.get()).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> LogsError {
    LogsError::Unreadable(error.to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestJson<'a> {
    #[serde(borrow, default)]
    resource_logs: List<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogsJson<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default)]
    scope_logs: List<'a>,
    schema_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogsJson<'a> {
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    #[serde(borrow, default)]
    log_records: List<'a>,
    schema_url: Option<String>,
}

/// A resource or a scope.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OwnerJson {
    name: Option<String>,
    version: Option<String>,
    attributes: Option<Vec<KeyValueJson>>,
    dropped_attributes_count: Option<Integer>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LogRecordJson {
    time_unix_nano: Option<Integer>,
    observed_time_unix_nano: Option<Integer>,
    severity_number: Option<Integer>,
    severity_text: Option<String>,
    event_name: Option<String>,
    body: Option<AnyValueJson>,
    attributes: Option<Vec<KeyValueJson>>,
    dropped_attributes_count: Option<Integer>,
    flags: Option<Integer>,
    trace_id: Option<String>,
    span_id: Option<String>,
}

#[derive(Deserialize)]
struct KeyValueJson {
    #[serde(default)]
    key: String,
    value: Option<AnyValueJson>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AnyValueJson {
    string_value: Option<String>,
    bool_value: Option<bool>,
    int_value: Option<Integer>,
    double_value: Option<Double>,
    array_value: Option<ValuesJson<AnyValueJson>>,
    kvlist_value: Option<ValuesJson<KeyValueJson>>,
    bytes_value: Option<String>,
}

#[derive(Deserialize)]
struct ValuesJson<T> {
    values: Option<Vec<T>>,
}

impl TryFrom<OwnerJson> for Resource {
    type Error = LogsError;

    fn try_from(json: OwnerJson) -> Result<Resource, LogsError> {
        Ok(Resource {
            attributes: attributes(json.attributes).map_err(LogsError::Unreadable)?,
            dropped_attributes_count: fitting(json.dropped_attributes_count)
                .map_err(LogsError::Unreadable)?,
            ..Resource::default()
        })
    }
}

impl TryFrom<OwnerJson> for InstrumentationScope {
    type Error = LogsError;

    fn try_from(json: OwnerJson) -> Result<InstrumentationScope, LogsError> {
        Ok(InstrumentationScope {
            name: json.name.unwrap_or_default(),
            version: json.version.unwrap_or_default(),
            attributes: attributes(json.attributes).map_err(LogsError::Unreadable)?,
            dropped_attributes_count: fitting(json.dropped_attributes_count)
                .map_err(LogsError::Unreadable)?,
        })
    }
}

impl TryFrom<LogRecordJson> for LogRecord {
    type Error = String;

    fn try_from(json: LogRecordJson) -> Result<LogRecord, String> {
        Ok(LogRecord {
            time_unix_nano: fitting(json.time_unix_nano)?,
            observed_time_unix_nano: fitting(json.observed_time_unix_nano)?,
            severity_number: fitting(json.severity_number)?,
            severity_text: json.severity_text.unwrap_or_default(),
            event_name: json.event_name.unwrap_or_default(),
            body: json.body.map(any_value).transpose()?,
            attributes: attributes(json.attributes)?,
            dropped_attributes_count: fitting(json.dropped_attributes_count)?,
            flags: fitting(json.flags)?,
            trace_id: from_hex("traceId", json.trace_id)?,
            span_id: from_hex("spanId", json.span_id)?,
        })
    }
}

fn attributes(json: Option<Vec<KeyValueJson>>) -> Result<Vec<KeyValue>, String> {
    json.unwrap_or_default().into_iter().map(key_value).collect()
}

fn key_value(json: KeyValueJson) -> Result<KeyValue, String> {
    Ok(KeyValue { key: json.key, value: json.value.map(any_value).transpose()?, ..KeyValue::default() })
}

/// Of several values in one the first of this order counts.
fn any_value(json: AnyValueJson) -> Result<AnyValue, String> {
    let value = if let Some(text) = json.string_value {
        Some(Known::StringValue(text))
    } else if let Some(boolean) = json.bool_value {
        Some(Known::BoolValue(boolean))
    } else if let Some(number) = json.int_value {
        Some(Known::IntValue(fitting(Some(number))?))
    } else if let Some(Double(number)) = json.double_value {
        Some(Known::DoubleValue(number))
    } else if let Some(array) = json.array_value {
        let values = array.values.unwrap_or_default().into_iter().map(any_value);
        Some(Known::ArrayValue(ArrayValue { values: values.collect::<Result<_, _>>()? }))
    } else if let Some(list) = json.kvlist_value {
        Some(Known::KvlistValue(KeyValueList { values: attributes(list.values)? }))
    } else if let Some(text) = json.bytes_value {
        let bytes = STANDARD.decode(&text).map_err(|error| format!("bytesValue is not base64: {error}"))?;
        Some(Known::BytesValue(bytes))
    } else {
        None
    };
    Ok(AnyValue { value })
}

fn from_hex(name: &str, text: Option<String>) -> Result<Vec<u8>, String> {
    let text = text.unwrap_or_default();
    let digit =
        |character: &u8| char::from(*character).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect::<Option<_>>().ok_or_else(|| format!("{name} is not hexadecimal"))
}

fn fitting<T: TryFrom<i128> + Default>(number: Option<Integer>) -> Result<T, String> {
    let Some(Integer(number)) = number else { return Ok(T::default()) };
    T::try_from(number).map_err(|_| format!("{number} is out of range for its field"))
}

/// The elements of a list as they are written, in bounds.
#[derive(Default)]
struct List<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for List<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<List<'a>, D::Error> {
        struct Elements<'a>(PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for Elements<'a> {
            type Value = List<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_unit<E: Error>(self) -> Result<List<'a>, E> {
                Ok(List::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<List<'a>, A::Error> {
                let mut elements = Vec::new();
                while elements.len() < LIST {
                    let Some(element) = sequence.next_element()? else { return Ok(List(elements)) };
                    elements.push(element);
                }
                match sequence.next_element::<IgnoredAny>()? {
                    None => Ok(List(elements)),
                    Some(_) => Err(A::Error::custom(format!("a list has more than {LIST} elements"))),
                }
            }
        }

        deserializer.deserialize_any(Elements(PhantomData))
    }
}

/// A whole number, or the same as text.
#[derive(Clone, Copy)]
struct Integer(i128);

/// A number, the same as text, or one of the names for what is no number.
#[derive(Clone, Copy)]
struct Double(f64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Integer, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Signed(i64),
            Unsigned(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Signed(number) => Ok(Integer(number.into())),
            Written::Unsigned(number) => Ok(Integer(number.into())),
            Written::Text(text) => {
                text.parse().map(Integer).map_err(|_| D::Error::custom("a whole number is expected"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Double, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Double(number)),
            // Rust reads the names too: NaN, Infinity, -Infinity.
            Written::Text(text) => {
                text.parse().map(Double).map_err(|_| D::Error::custom("a number is expected"))
            }
        }
    }
}
