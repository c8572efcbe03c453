//! Cutting a protobuf request into records without decoding it as a whole.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::{Events, LogsError, PART_BYTES, event, too_long};

// Numbers of fields. In the request: ResourceLogs.
const RESOURCE_LOGS: u32 = 1;
// In ResourceLogs the resource, in ScopeLogs the scope.
const OWNER: u32 = 1;
// In ResourceLogs the ScopeLogs, in ScopeLogs the records.
const CONTENT: u32 = 2;
const SCHEMA_URL: u32 = 3;

pub(super) fn decode(body: &[u8], events: &mut Events<'_>) -> Result<(), LogsError> {
    each_message(body, |field, resource_logs| match field {
        RESOURCE_LOGS => decode_resource_logs(resource_logs, events),
        _ => Ok(()),
    })
}

fn decode_resource_logs(message: &[u8], events: &mut Events<'_>) -> Result<(), LogsError> {
    events.enter_resource()?;
    let (resource, schema_url) = owner::<Resource>(message, "resource")?;
    let resource = event::resource(resource, schema_url);
    each_message(message, |field, scope_logs| match field {
        CONTENT => decode_scope_logs(scope_logs, &resource, events),
        _ => Ok(()),
    })
}

fn decode_scope_logs(message: &[u8], resource: &str, events: &mut Events<'_>) -> Result<(), LogsError> {
    events.enter_scope()?;
    let (scope, schema_url) = owner::<InstrumentationScope>(message, "scope")?;
    let scope = event::scope(scope, schema_url);
    each_message(message, |field, record| match field {
        CONTENT => events.add(resource, &scope, decode_record(record)),
        _ => Ok(()),
    })
}

fn decode_record(record: &[u8]) -> Result<LogRecord, String> {
    if record.len() > PART_BYTES {
        return Err(too_long("log record", record.len()));
    }
    LogRecord::decode(record).map_err(|error| error.to_string())
}

/// The resource or scope, which may stand behind what it owns, and the schema's address.
fn owner<T: Message + Default>(message: &[u8], name: &str) -> Result<(T, String), LogsError> {
    let (mut owner, mut schema_url) = (T::default(), String::new());
    each_message(message, |field, bytes| {
        match field {
            OWNER | SCHEMA_URL if bytes.len() > PART_BYTES => {
                return Err(LogsError::Unreadable(too_long(name, bytes.len())));
            }
            OWNER => {
                owner = T::decode(bytes).map_err(|error| LogsError::Unreadable(error.to_string()))?;
            }
            SCHEMA_URL => schema_url = String::from_utf8_lossy(bytes).into_owned(),
            _ => {}
        }
        Ok(())
    })?;
    Ok((owner, schema_url))
}

/// Every field of a message that has a length: number and content. Others are passed over.
fn each_message<'a>(
    mut message: &'a [u8],
    mut each: impl FnMut(u32, &'a [u8]) -> Result<(), LogsError>,
) -> Result<(), LogsError> {
    let unreadable = |problem: prost::DecodeError| LogsError::Unreadable(problem.to_string());
    while !message.is_empty() {
        let (field, wire_type) = decode_key(&mut message).map_err(unreadable)?;
        if wire_type != WireType::LengthDelimited {
            skip_field(wire_type, field, &mut message, DecodeContext::default()).map_err(unreadable)?;
            continue;
        }
        let length = decode_varint(&mut message).map_err(unreadable)?;
        let split = usize::try_from(length).ok().and_then(|length| message.split_at_checked(length));
        let Some((content, rest)) = split else {
            return Err(LogsError::Unreadable("a field is longer than the body".to_owned()));
        };
        message = rest;
        each(field, content)?;
    }
    Ok(())
}
