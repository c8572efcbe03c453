//! Bodies as the official protobuf types of OpenTelemetry read them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use prost::Message;
use serde_json::Value;
use siemaphore_formatter_otlp::Otlp;
use siemaphore_producers::samples;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Event, Framing};

/// As the host frames the records of a batch.
fn body(events: &[Event]) -> String {
    let otlp = testkit::configure::<Otlp>("{}").unwrap();
    let Framing::Enclosed(parts) = &otlp.profile.framing else { panic!("the framing is not enclosed") };
    let records: Vec<String> = otlp.records(events).into_iter().map(Result::unwrap).collect();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let body = records.join(&text(&parts.separator));
    format!("{}{body}{}", text(&parts.prefix), text(&parts.suffix))
}

fn parsed(body: &str) -> ExportLogsServiceRequest {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn attributes(list: &[KeyValue]) -> BTreeMap<&str, Option<&Any>> {
    let map: BTreeMap<_, _> = list
        .iter()
        .map(|pair| (pair.key.as_str(), pair.value.as_ref().and_then(|value| value.value.as_ref())))
        .collect();
    assert_eq!(map.len(), list.len(), "a key comes twice");
    map
}

/// Whether every member and item of `ours` is in `theirs`: what the official types do not know, they leave out.
fn is_understood(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.iter().all(|(key, value)| theirs.get(key).is_some_and(|found| is_understood(value, found)))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| is_understood(ours, theirs))
        }
        // The official types write the empty value so.
        (Value::Object(ours), Value::Null) => ours.is_empty(),
        (ours, theirs) => ours == theirs,
    }
}

#[test]
fn every_documented_event_is_read_with_all_its_fields() {
    let events: Vec<Event> = samples().into_iter().map(|sample| sample.event).collect();
    let request = parsed(&body(&events));
    assert_eq!(request.resource_logs.len(), events.len());
    for (logs, event) in request.resource_logs.iter().zip(&events) {
        let resource = attributes(&logs.resource.as_ref().unwrap().attributes);
        assert_eq!(resource["service.name"], Some(&Any::StringValue(event.producer.clone())));
        assert_eq!(resource["siemaphore.organization"], Some(&Any::StringValue(event.organization.clone())));
        let [scope] = logs.scope_logs.as_slice() else { panic!("not one scope") };
        assert_eq!(scope.scope.as_ref().unwrap().name, "siemaphore");
        let [record] = scope.log_records.as_slice() else { panic!("not one record") };
        assert_eq!(record.time_unix_nano, event.timestamp_ns);
        assert_eq!(record.observed_time_unix_nano, event.received_ns);
        assert_eq!(record.severity_number, event.severity.pick([9, 10, 13, 17, 21]));
        assert_eq!(record.severity_text, event.severity.as_str());
        assert_eq!(record.event_name, event.event_type);
        let attributes = attributes(&record.attributes);
        assert_eq!(attributes["log.record.uid"], Some(&Any::StringValue(event.key.clone())));
        assert_eq!(attributes["event.name"], Some(&Any::StringValue(event.event_type.clone())));
    }
}

#[test]
fn nothing_in_a_body_is_unknown_to_the_official_types() {
    let mut events: Vec<Event> = samples().into_iter().map(|sample| sample.event).collect();
    events.extend(HOSTILE.map(event));
    for event in events {
        let body = body(std::slice::from_ref(&event));
        let theirs = serde_json::to_value(parsed(&body)).unwrap();
        let ours: Value = serde_json::from_str(&body).unwrap();
        assert!(is_understood(&ours, &theirs), "{ours}\nis read as\n{theirs}");
    }
}

#[test]
fn bodies_survive_the_way_to_protobuf_and_back() {
    let events: Vec<Event> = HOSTILE.map(event).into();
    let request = parsed(&body(&events));
    let again = ExportLogsServiceRequest::decode(request.encode_to_vec().as_slice()).unwrap();
    assert_eq!(again, request);
}

#[test]
fn an_empty_request_is_the_probe() {
    let probe = testkit::configure::<Otlp>("{}").unwrap().profile.probe.unwrap();
    assert!(!probe.get);
    assert_eq!(parsed(std::str::from_utf8(&probe.body).unwrap()), ExportLogsServiceRequest::default());
}

const HOSTILE: [&str; 8] = [
    r#"{"a":1,"a":{"b":2},"a.b":3,"\u0061.b":"4"}"#,
    r#"{"user":{"id":7},"user.id":"other","event":{"name":[],"id":{}},"log.record.uid":"mine"}"#,
    r#"{"n":[1,-1,1.5,1e400,-0,9223372036854775807,9223372036854775808,-9223372036854775809,1E2]}"#,
    r#"{"deep":[[[[{"a":[{"b":null,"b":1}]}]]]],"empty":[{},[],null,""],"":{"":{"":1}}}"#,
    r#"{"text":"\u0000\ud83d\ude00 \"quoted\" \\","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7"}"#,
    r#"{"trace_id":"00000000000000000000000000000000","span_id":"xyz","traceId":"4BF92F3577B34DA6A3CE929D0E0E4736"}"#,
    r#"{"input_tokens":18446744073709551615,"output_tokens":-1,"session_id":true,"model":["a"]}"#,
    "{ }",
];
