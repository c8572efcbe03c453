//! Sources with a JSON Schema of their own, and what is counted of what they send.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

#[path = "support/intake.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use siemaphore_intake::{
    Append, AppendError, Appended, EventLog, Intake, IntakeConfig, IntakeMetrics, LogFuture, Mark, RawEvents,
    Schema, Source, SourceSnapshot, Taken,
};
use siemaphore_model::{Normaliser, Redaction};
use tokio::sync::Semaphore;
use tower::ServiceExt;

use self::support::{TOKEN, TestIntake, gateway};

/// Redaction would make text of the prompt.
fn strict() -> Source {
    let schema = json!({
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "integer"}, "prompt": {"type": "object"}},
    });
    Source { schema: Some(Arc::new(Schema::compile(&schema.to_string()).unwrap())), ..gateway() }
}

fn counted(intake: &TestIntake) -> SourceSnapshot {
    intake.metrics.snapshot().remove(0)
}

fn refused(snapshot: &SourceSnapshot) -> Vec<(&'static str, u64)> {
    snapshot.refused_by.iter().copied().filter(|(_, count)| *count > 0).collect()
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_itself_with_its_place_and_counted_by_reason() {
    let intake = TestIntake::with(IntakeConfig::default(), vec![strict()]);
    let body = "{\"id\":1,\"prompt\":{\"text\":\"q\"}}\n{\"id\":\"s3cret\"}\n{\"id\":3,\n{\"prompt\":{}}\n7\n{\"id\":5}";
    let answer = intake.post(&[("content-type", "application/x-ndjson")], body).await;
    answer.expect(200, 2);
    let expected = [
        (1, "/id: the value is not of type \"integer\""),
        (2, "not valid JSON: a member name in double quotes is expected at byte 8 (line 1, column 9)"),
        (3, "the event: \"id\" is a required property"),
        (4, "the event is a number; a JSON object is expected"),
    ];
    let told = answer.refused();
    assert_eq!(told.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((told[0], told[2], told[3]), (expected[0], expected[2], expected[3]));
    assert!(!answer.text.contains("s3cret"));
    assert!(intake.log.documents()[0].contains("[redacted]"), "{:?}", intake.log.documents());

    let snapshot = counted(&intake);
    assert_eq!((snapshot.accepted, snapshot.refused), (2, 4));
    assert_eq!(refused(&snapshot), [("not-json", 1), ("not-an-object", 1), ("schema", 2)]);
    let last = snapshot.last_refusal.unwrap();
    assert_eq!((last.reason, last.text.as_str()), ("not-an-object", expected[3].1));
}

#[tokio::test]
async fn a_request_without_an_event_that_fits_is_refused_as_one_without_a_valid_event() {
    let intake = TestIntake::with(IntakeConfig::default(), vec![strict()]);
    let answer = intake.post(&[], r#"[{"id":"a"},{}]"#).await;
    answer.expect_error(422, "no event was accepted");
    assert_eq!(answer.refused()[0], (0, "/id: the value is not of type \"integer\""));
    assert_eq!((counted(&intake).refused, intake.log.requests()), (2, 0));
}

#[tokio::test]
async fn log_records_of_opentelemetry_have_to_fit_as_documents() {
    let schema = json!({"properties": {"severity_text": {"enum": ["WARN"]}}, "required": ["severity_text"]});
    let schema = Schema::compile(&schema.to_string()).unwrap();
    let source = Source { schema: Some(Arc::new(schema)), ..gateway() };
    let intake = TestIntake::with(IntakeConfig::default(), vec![source]);
    let record = |text: &str| json!({"severityText": text, "body": {"stringValue": "b"}});
    let body = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record("WARN"), record("INFO")]}]}]});
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let answer = intake.send("POST", "/v1/logs", &headers, body.to_string()).await;
    assert_eq!(
        answer.body["partialSuccess"],
        json!({
            "rejectedLogRecords": "1",
            "errorMessage": "log record 1: /severity_text: the value is not one of \"WARN\"",
        })
    );
    assert_eq!(refused(&counted(&intake)), [("schema", 1)]);
}

#[tokio::test]
async fn what_the_host_fetches_itself_has_to_fit_too() {
    let intake = TestIntake::with(IntakeConfig::default(), vec![strict()]);
    let feed = intake.intake.feed("gateway").unwrap();
    let events = RawEvents::of([r#"{"id":1}"#, r#"{"id":"a"}"#, "oops"]);
    let mark = Mark { key: "1".to_owned(), note: String::new() };
    let Taken::Stored { accepted: 1, refused: 2, reasons } = feed.take(&events, &mark).await.unwrap() else {
        panic!("stored")
    };
    assert_eq!(reasons[0], (1, "/id: the value is not of type \"integer\"".to_owned()));
    feed.count_refused("the line is too long to be an event");
    let snapshot = counted(&intake);
    assert_eq!(refused(&snapshot), [("not-json", 1), ("schema", 1), ("unreadable", 1)]);
    assert_eq!(snapshot.last_refusal.unwrap().text, "the line is too long to be an event");
}

#[tokio::test]
async fn events_that_are_refused_again_with_a_repeated_request_are_counted_once() {
    let intake = TestIntake::with(IntakeConfig::default(), vec![strict()]);
    intake.log.find_nothing_early();
    for _ in 0..3 {
        intake.post(&[("idempotency-key", "k")], r#"[{"id":1},{}]"#).await.expect(200, 1);
    }
    let snapshot = counted(&intake);
    assert_eq!((snapshot.accepted, snapshot.refused, snapshot.repeated), (1, 1, 2));
    intake.log.refuse_with(AppendError::Closed);
    intake.post(&[("idempotency-key", "other")], r#"[{"id":1},{}]"#).await.expect_error(503, "closed");
    assert_eq!(counted(&intake).refused, 1);
}

#[tokio::test]
async fn requests_are_counted_by_their_way_and_by_why_they_were_refused() {
    let intake = TestIntake::new();
    intake.post(&[], r#"{"id":1}"#).await.expect(200, 1);
    intake.post(&[], "").await.expect_error(400, "empty");
    intake.post(&[("content-encoding", "br")], "x").await.expect_error(415, "br");
    intake.send("POST", "/v1/events", &[], "{}").await.expect_error(401, "token");
    let authorization = format!("Bearer {TOKEN}");
    intake.send("POST", "/v1/logs", &[("authorization", &authorization)], "{}").await;
    let snapshot = counted(&intake);
    assert_eq!(snapshot.requests, [("events", 3), ("logs", 1), ("webhook", 0)]);
    assert_eq!(snapshot.refused_requests, [("empty", 1), ("encoding", 1), ("media-type", 1)]);
    assert_eq!(intake.metrics.unauthorized(), 1);
}

#[tokio::test]
async fn events_of_an_unknown_version_are_counted_and_told_or_refused_as_the_source_says() {
    let event =
        |version: &str| json!({"event_type": "a", "agent": {"agent_id": "x"}, "schema_version": version});
    let body = json!([event("1.4"), event("2.0"), event("2.0"), event("3.1")]).to_string();
    let intake = TestIntake::new();
    intake.post(&[], body.clone()).await.expect(200, 4);
    let told = "/schema_version is version 2.0; the profile systemprompt knows 1";
    let versions = counted(&intake).unknown_versions;
    assert_eq!(versions[0], (told.to_owned(), 2));
    assert_eq!((versions.len(), versions[1].1), (2, 1));

    let normaliser = Normaliser::new("auto", &Redaction::default()).unwrap().refusing_unknown_versions();
    let source = Source { normaliser: Arc::new(normaliser), ..gateway() };
    let intake = TestIntake::with(IntakeConfig::default(), vec![source]);
    let answer = intake.post(&[], body).await;
    answer.expect(200, 1);
    assert_eq!(answer.refused()[0], (1, told));
    assert_eq!(refused(&counted(&intake)), [("schema-version", 3)]);
    assert_eq!(counted(&intake).unknown_versions, []);
}

/// Says that events were handed over, and stores them when it is told to.
struct SlowLog {
    handed_over: Semaphore,
    go_on: Semaphore,
}

impl EventLog for SlowLog {
    fn append(&self, _: Append) -> LogFuture<'_, Appended> {
        Box::pin(async move {
            self.handed_over.add_permits(1);
            self.go_on.acquire().await.unwrap().forget();
            Ok(Appended::Stored)
        })
    }

    fn repeated<'a>(&'a self, _: &'a str, _: &'a str, _: &'a [u8; 32]) -> LogFuture<'a, Option<String>> {
        Box::pin(async { Ok(None) })
    }
}

#[tokio::test]
async fn what_was_stored_is_counted_when_the_producer_has_gone_away_meanwhile() {
    let log = Arc::new(SlowLog { handed_over: Semaphore::new(0), go_on: Semaphore::new(0) });
    let metrics = Arc::new(IntakeMetrics::default());
    let intake =
        Intake::new(IntakeConfig::default(), vec![strict()], Arc::clone(&log) as _, Arc::clone(&metrics));
    let request = http::Request::post("/v1/events").header("authorization", format!("Bearer {TOKEN}"));
    let request = request.body(axum::body::Body::from(r#"[{"id":1},{"id":2},{}]"#)).unwrap();
    let answer = tokio::spawn(intake.router().oneshot(request));
    log.handed_over.acquire().await.unwrap().forget();
    answer.abort();
    answer.await.unwrap_err();
    assert_eq!(metrics.snapshot()[0].accepted, 0);
    log.go_on.add_permits(1);
    let counted = async {
        while metrics.snapshot()[0].accepted == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), counted).await.unwrap();
    assert_eq!(metrics.snapshot()[0].refused, 1);
}

/// A schema that is asked of each of many events, on threads for it.
#[tokio::test]
async fn a_schema_whose_questions_multiply_refuses_events_and_goes_on() {
    let level = json!({"anyOf": [{"allOf": [{"$ref": "#/$defs/below"}, {"required": ["b"]}]},
        {"allOf": [{"$ref": "#/$defs/below"}, {"required": ["c"]}]}]});
    let schema = json!({"$defs": {"level": level, "below": {"properties": {"a": {"$ref": "#/$defs/level"}}}}, "$ref": "#/$defs/level"});
    let source =
        Source { schema: Some(Arc::new(Schema::compile(&schema.to_string()).unwrap())), ..gateway() };
    let intake = TestIntake::with(IntakeConfig::default(), vec![source]);
    let deep = format!("{}{{}}{}", r#"{"a":"#.repeat(50), "}".repeat(50));
    let fits = json!({"b": 1, "a": {"c": 1}});
    let answer = intake.post(&[], format!("[{deep},{fits},{deep}]")).await;
    answer.expect(200, 1);
    assert_eq!(answer.refused().iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(Value::from(intake.log.ids().len()), 1);
}
