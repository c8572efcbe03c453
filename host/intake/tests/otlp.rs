//! What an OpenTelemetry exporter may send to `/v1/logs`, and what it is answered.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/log.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
mod log;

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use log::MemoryLog;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Known;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::prelude::{ProptestConfig, prop_assert, proptest};
use prost::Message;
use serde_json::{Value, json};
use siemaphore_intake::{AppendError, Intake, IntakeConfig, IntakeMetrics, Source};
use siemaphore_model::{Normaliser, Redaction};
use tower::ServiceExt;

const TOKEN: &str = "token-of-the-gateway";
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

struct Scene {
    intake: Intake,
    log: Arc<MemoryLog>,
    metrics: Arc<IntakeMetrics>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Scene {
    fn new() -> Scene {
        Scene::with(IntakeConfig::default(), None)
    }

    fn with(config: IntakeConfig, events_per_second: Option<u32>) -> Scene {
        let source = Source {
            name: "gateway".to_owned(),
            organization: "acme".to_owned(),
            token_digests: vec![Source::digest(TOKEN)],
            signature: None,
            normaliser: Arc::new(Normaliser::new("auto", &Redaction::default()).unwrap()),
            schema: None,
            events_per_second,
        };
        let (log, metrics) = (Arc::new(MemoryLog::default()), Arc::new(IntakeMetrics::default()));
        let intake = Intake::new(config, vec![source], Arc::clone(&log) as _, Arc::clone(&metrics));
        Scene { intake, log, metrics }
    }

    async fn post(&self, content_type: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post("/v1/logs").header("content-type", content_type);
        request = request.header("authorization", format!("Bearer {TOKEN}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.intake.router().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, headers, body }
    }

    fn only_document(&self) -> Value {
        let documents = self.log.documents();
        assert_eq!(documents.len(), 1, "{documents:?}");
        serde_json::from_str(&documents[0]).unwrap()
    }
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn any(value: Known) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn attribute(key: &str, value: Known) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(any(value)), ..KeyValue::default() }
}

fn text(value: &str) -> Known {
    Known::StringValue(value.to_owned())
}

fn record() -> LogRecord {
    let nested = KeyValueList { values: vec![attribute("depth", Known::IntValue(2))] };
    let list =
        ArrayValue { values: vec![any(text("SSN")), any(Known::KvlistValue(nested)), AnyValue::default()] };
    LogRecord {
        time_unix_nano: 1_780_949_730_000_000_001,
        observed_time_unix_nano: 1_780_949_730_100_000_000,
        severity_number: 17,
        severity_text: "high".to_owned(),
        event_name: "dlp.pii_blocked".to_owned(),
        body: Some(any(text("PII blocked"))),
        attributes: vec![
            attribute("event.id", text("evt_1")),
            attribute("large", Known::IntValue(9_007_199_254_740_993)),
            attribute("least", Known::IntValue(i64::MIN)),
            attribute("half", Known::DoubleValue(0.5)),
            attribute("nothing", Known::DoubleValue(f64::NAN)),
            attribute("is_agent", Known::BoolValue(true)),
            attribute("bytes", Known::BytesValue(vec![0xff, 0x00])),
            attribute("entities", Known::ArrayValue(list)),
        ],
        flags: 1,
        trace_id: (0..16).collect(),
        span_id: vec![0xab; 8],
        ..LogRecord::default()
    }
}

fn request(log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let resource =
        Resource { attributes: vec![attribute("service.name", text("ai"))], ..Resource::default() };
    let scope =
        InstrumentationScope { name: "aisg".to_owned(), version: "1".to_owned(), ..Default::default() };
    let scope_logs = vec![ScopeLogs { scope: Some(scope), log_records, ..ScopeLogs::default() }];
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs { resource: Some(resource), scope_logs, schema_url: String::new() }],
    }
}

fn expected() -> Value {
    json!({
        "time_unix_nano": "1780949730000000001",
        "observed_time_unix_nano": "1780949730100000000",
        "severity_number": 17,
        "severity_text": "high",
        "event_name": "dlp.pii_blocked",
        "body": "PII blocked",
        "attributes": {
            "event.id": "evt_1",
            "large": 9_007_199_254_740_993_i64,
            "least": i64::MIN,
            "half": 0.5,
            "nothing": "NaN",
            "is_agent": true,
            "bytes": "/wA=",
            "entities": ["SSN", { "depth": 2 }, null],
        },
        "flags": 1,
        "trace_id": "000102030405060708090a0b0c0d0e0f",
        "span_id": "abababababababab",
        "resource": { "attributes": { "service.name": "ai" } },
        "scope": { "name": "aisg", "version": "1" },
    })
}

const AS_JSON: &str = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{
    "timeUnixNano":"1780949730000000001","observedTimeUnixNano":1780949730100000000,"severityNumber":17,
    "severityText":"high","eventName":"dlp.pii_blocked","body":{"stringValue":"PII blocked"},"attributes":[
    {"key":"event.id","value":{"stringValue":"evt_1"}},{"key":"large","value":{"intValue":"9007199254740993"}},
    {"key":"least","value":{"intValue":-9223372036854775808}},{"key":"half","value":{"doubleValue":0.5}},
    {"key":"nothing","value":{"doubleValue":"NaN"}},{"key":"is_agent","value":{"boolValue":true}},
    {"key":"bytes","value":{"bytesValue":"/wA="}},{"key":"entities","value":{"arrayValue":{"values":[
    {"stringValue":"SSN"},{"kvlistValue":{"values":[{"key":"depth","value":{"intValue":"2"}}]}},{}]}}}],
    "flags":1,"traceId":"000102030405060708090A0B0C0D0E0F","spanId":"abababababababab","unknown":{"a":[1]},
    "droppedAttributesCount":null}],"scope":{"name":"aisg","version":"1"}}],
    "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"ai"}}]}}]}"#;

#[tokio::test]
async fn both_encodings_become_the_same_event() {
    for (content_type, body) in [
        (PROTOBUF, request(vec![record()]).encode_to_vec()),
        ("application/json; charset=utf-8", AS_JSON.as_bytes().to_vec()),
    ] {
        let scene = Scene::new();
        let answer = scene.post(content_type, &[], body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(scene.only_document(), expected(), "{content_type}");
        assert_eq!(scene.log.ids(), ["evt_1"]);
        assert_eq!(scene.metrics.snapshot()[0].accepted, 1);
    }
}

#[tokio::test]
async fn a_resource_may_follow_its_records_and_fields_of_later_versions_are_passed_over() {
    let scene = Scene::new();
    let resource_logs = request(vec![record()]).resource_logs.remove(0);
    let first = ResourceLogs { resource: None, ..resource_logs.clone() }.encode_to_vec();
    let last = ResourceLogs { resource: resource_logs.resource, ..ResourceLogs::default() }.encode_to_vec();
    // Field 99 with a varint, and field 98 with a length.
    let unknown = [0x98, 0x06, 0x01, 0x92, 0x06, 0x01, 0x00];
    let message = [first, unknown.to_vec(), last].concat();
    let mut body = vec![0x0a];
    prost::encoding::encode_varint(message.len() as u64, &mut body);
    body.extend(message);
    assert_eq!(scene.post(PROTOBUF, &[], body).await.status, 200);
    assert_eq!(scene.only_document(), expected());
}

#[tokio::test]
async fn an_answer_is_in_the_encoding_of_its_request() {
    let scene = Scene::new();
    for body in [Vec::new(), request(vec![record()]).encode_to_vec()] {
        let answer = scene.post(PROTOBUF, &[], body).await;
        assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (200, PROTOBUF));
        assert_eq!(answer.body, b"", "a response without a partial success");
    }
    for body in ["{}", r#"{"resourceLogs":[]}"#, r#"{"resourceLogs":null}"#, AS_JSON] {
        let answer = scene.post(JSON, &[], body).await;
        assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (200, JSON));
        assert_eq!(answer.text(), "{}");
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_taken_is_counted_and_harms_only_itself() {
    let scene = Scene::new();
    let large = LogRecord { body: Some(any(Known::StringValue("x".repeat(300_000)))), ..record() };
    let answer =
        scene.post(PROTOBUF, &[], request(vec![record(), large.clone(), record()]).encode_to_vec()).await;
    assert_eq!(answer.status, 200);
    let partial = ExportLogsServiceResponse::decode(&*answer.body).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_log_records, 1);
    assert!(partial.error_message.contains("log record 1: the event has 300"), "{}", partial.error_message);

    let records = [
        r#"{"traceId":"xyz"}"#,
        r#"{"traceId":"abc"}"#,
        r#"{"timeUnixNano":"-1"}"#,
        r#"{"body":{"bytesValue":"*"}}"#,
        r#"{"body":{"intValue":"1.5"}}"#,
        r#"{"severityText":5}"#,
        "7",
        r#"{"eventName":"good"}"#,
    ];
    let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{}]}}]}}]}}"#, records.join(","));
    let answer = scene.post(JSON, &[], body).await;
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedLogRecords"], "7", "{partial}");
    let message = partial["errorMessage"].as_str().unwrap();
    assert!(message.contains("log record 0: traceId is not hexadecimal"), "{message}");
    assert!(message.ends_with("; and 2 more"), "{message}");
    let snapshot = &scene.metrics.snapshot()[0];
    assert_eq!((snapshot.accepted, snapshot.refused), (3, 8));

    let answer = scene.post(PROTOBUF, &[], request(vec![large]).encode_to_vec()).await;
    assert_eq!(answer.status, 200, "a client must not send it again");
    assert_eq!(scene.log.requests(), 2);
}

#[tokio::test]
async fn an_event_in_the_body_is_read_and_content_is_redacted() {
    let scene = Scene::new();
    let body = KeyValueList {
        values: vec![
            attribute("event_id", text("evt_9")),
            attribute("event_type", text("blocked")),
            attribute("prompt", text("my secret question")),
        ],
    };
    let messages = attribute("gen_ai.input.messages", text("my secret question"));
    let record = LogRecord {
        body: Some(any(Known::KvlistValue(body))),
        attributes: vec![messages],
        ..LogRecord::default()
    };
    assert_eq!(scene.post(PROTOBUF, &[], request(vec![record]).encode_to_vec()).await.status, 200);
    assert_eq!(scene.log.ids(), ["evt_9"]);
    let document = scene.only_document();
    assert_eq!(document["body"]["event_type"], "blocked");
    assert!(!document.to_string().contains("secret question"), "{document}");
    assert_eq!(scene.metrics.snapshot()[0].redacted, 2);
}

#[tokio::test]
async fn gzip_is_taken_and_what_cannot_be_is_refused_with_a_status_of_its_own_form() {
    let scene = Scene::new();
    let plain = request(vec![record()]).encode_to_vec();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &plain).unwrap();
    let packed = encoder.finish().unwrap();
    assert_eq!(scene.post(PROTOBUF, &[("content-encoding", "gzip")], packed.clone()).await.status, 200);

    for (content_type, headers, body, status, code, reason) in [
        (JSON, &[][..], b"{".to_vec(), 400, 3, "not an OTLP logs request"),
        (JSON, &[], packed, 400, 3, "not an OTLP logs request"),
        (JSON, &[("content-encoding", "br")], b"{}".to_vec(), 415, 3, "content encoding"),
        ("text/plain", &[], plain.clone(), 415, 3, "content type"),
        (JSON, &[("content-encoding", "gzip")], b"{}".to_vec(), 400, 3, "decompressed"),
    ] {
        let answer = scene.post(content_type, headers, body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.json()["code"], code);
        assert!(answer.json()["message"].as_str().unwrap().contains(reason), "{}", answer.text());
    }
    // As protobuf: field 1 the code, field 2 the message.
    let answer = scene.post(PROTOBUF, &[], vec![0x0a, 0xff]).await;
    assert_eq!((answer.status, &answer.body[..3]), (400, &[0x08, 3, 0x12][..]));
    assert_eq!(scene.log.requests(), 1);
}

#[tokio::test]
async fn a_client_without_a_token_is_refused_before_its_body_is_read() {
    let scene = Scene::new();
    let body = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = Request::post("/v1/logs").header("content-type", JSON).body(body).unwrap();
    let answer = scene.send(request).await;
    assert_eq!((answer.status, &answer.json()["code"]), (401, &json!(16)));
    assert!(answer.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn what_may_pass_later_says_when() {
    let scene = Scene::with(IntakeConfig::default(), Some(1));
    let body = request(vec![record(), record(), record()]).encode_to_vec();
    assert_eq!(scene.post(PROTOBUF, &[], body.clone()).await.status, 200);
    let answer = scene.post(PROTOBUF, &[], body.clone()).await;
    assert_eq!((answer.status, answer.headers.contains_key("retry-after")), (429, true));

    let scene = Scene::new();
    for refusal in [
        AppendError::DiskReserve { free_bytes: 1, reserve_bytes: 2 },
        AppendError::Storage("disk".to_owned()),
    ] {
        scene.log.refuse_with(refusal);
        let answer = scene.post(JSON, &[], AS_JSON).await;
        assert_eq!((answer.status, &answer.json()["code"]), (503, &json!(14)));
        assert!(answer.headers.contains_key("retry-after"));
    }
}

#[tokio::test]
async fn a_small_request_that_stands_for_much_is_refused() {
    let config = IntakeConfig { batch_events: 1_000, ..IntakeConfig::default() };
    let scene = Scene::with(config, None);
    // An empty record is two bytes.
    let body = request(vec![LogRecord::default(); 1_001]).encode_to_vec();
    let answer = scene.post(PROTOBUF, &[], body).await;
    assert_eq!(answer.status, 413);
    let mut large = request(vec![LogRecord::default(); 1_000]);
    let resource = large.resource_logs[0].resource.as_mut().unwrap();
    resource.attributes.push(attribute("padding", Known::StringValue("x".repeat(100_000))));
    let answer = scene.post(PROTOBUF, &[], large.encode_to_vec()).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("bytes of events"), "{}", answer.text());
    let list = format!(r#"{{"resourceLogs":[{}{{}}]}}"#, "{},".repeat(10_000));
    assert_eq!(scene.post(JSON, &[], list).await.status, 400);
    assert_eq!(scene.log.requests(), 0);
}

#[tokio::test]
async fn empty_resources_and_scopes_are_counted_as_records_are() {
    let config = IntakeConfig { batch_events: 1_000, ..IntakeConfig::default() };
    let scene = Scene::with(config, None);
    let resources =
        |count: usize| ExportLogsServiceRequest { resource_logs: vec![ResourceLogs::default(); count] };
    let resource = |scopes: usize| ResourceLogs {
        scope_logs: vec![ScopeLogs::default(); scopes],
        ..ResourceLogs::default()
    };
    // Of all resources together.
    let scopes =
        |more: usize| ExportLogsServiceRequest { resource_logs: vec![resource(500), resource(500 + more)] };
    let json_of = |count: usize, unit: &str| vec![unit; count].join(",");
    let json_resources = |count| format!(r#"{{"resourceLogs":[{}]}}"#, json_of(count, "{}"));
    let json_scopes = |more| {
        let resource = |count| format!(r#"{{"scopeLogs":[{}]}}"#, json_of(count, "{}"));
        format!(r#"{{"resourceLogs":[{},{}]}}"#, resource(500), resource(500 + more))
    };
    for (more, status) in [(0, 200), (1, 413)] {
        for body in [resources(1_000 + more), scopes(more)] {
            assert_eq!(scene.post(PROTOBUF, &[], body.encode_to_vec()).await.status, status);
        }
        for body in [json_resources(1_000 + more), json_scopes(more)] {
            assert_eq!(scene.post(JSON, &[], body).await.status, status);
        }
    }
}

#[tokio::test]
async fn a_value_nested_beyond_every_limit_is_a_refused_record() {
    let scene = Scene::new();
    let mut value = any(text("x"));
    for _ in 0..200 {
        value = any(Known::ArrayValue(ArrayValue { values: vec![value] }));
    }
    let deep = LogRecord { body: Some(value), ..LogRecord::default() };
    let answer = scene.post(PROTOBUF, &[], request(vec![deep, record()]).encode_to_vec()).await;
    let partial = ExportLogsServiceResponse::decode(&*answer.body).unwrap().partial_success.unwrap();
    assert_eq!((answer.status, partial.rejected_log_records), (200, 1));
    let body = format!("{}{}", r#"{"arrayValue":{"values":["#.repeat(5_000), "]}}".repeat(5_000));
    let json = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{body}}}]}}]}}]}}"#);
    let answer = scene.post(JSON, &[], json).await;
    assert_eq!(answer.json()["partialSuccess"]["rejectedLogRecords"], "1", "{}", answer.text());
}

fn answers(content_type: &'static str, body: Vec<u8>) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move { Scene::new().post(content_type, &[], body).await.status })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_arrives_is_answered(body in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        prop_assert!([200, 400].contains(&answers(PROTOBUF, body.clone())));
        prop_assert!([200, 400].contains(&answers(JSON, body)));
    }

    #[test]
    fn a_damaged_request_is_answered(
        at in 0_usize..10_000,
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..6),
        cut in 0_usize..6,
    ) {
        for (content_type, whole) in
            [(PROTOBUF, request(vec![record(), record()]).encode_to_vec()), (JSON, AS_JSON.as_bytes().to_vec())]
        {
            let mut body = whole;
            let at = at % body.len();
            let end = (at + cut).min(body.len());
            body.splice(at..end, bytes.iter().copied());
            prop_assert!([200, 400].contains(&answers(content_type, body)));
        }
    }
}
