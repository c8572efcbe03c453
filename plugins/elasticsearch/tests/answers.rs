//! Every answer of Elasticsearch and OpenSearch, and what becomes of the batch.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_elasticsearch::Elasticsearch;
use siemaphore_sdk::testkit::{self, answer};
use siemaphore_sdk::{Fate, Partial, Refusal, Response, Run, Verdict};

const OPENSEARCH: &str = r#"{"service":"opensearch"}"#;

fn verdict(status: u16, body: &str) -> Verdict {
    verdict_with("{}", &answer(status, body))
}

fn verdict_with(settings: &str, response: &Response) -> Verdict {
    testkit::configure::<Elasticsearch>(settings).unwrap().interpret(response)
}

/// The answer to a bulk request with these items.
fn bulk(items: &[Value]) -> Verdict {
    let errors = items.iter().any(|item| item["error"].is_object());
    let records = u32::try_from(items.len()).unwrap();
    let items: Vec<Value> = items.iter().map(|item| json!({ "create": item })).collect();
    let body = json!({ "errors": errors, "items": items }).to_string();
    verdict_with("{}", &Response { records, ..answer(200, &body) })
}

fn item(status: u16, kind: &str, reason: &str) -> Value {
    json!({ "status": status, "error": { "type": kind, "reason": reason } })
}

fn stored() -> Value {
    json!({ "status": 201 })
}

fn partial(verdict: Verdict) -> Partial {
    let Verdict::Partial(partial) = verdict else { panic!("{verdict:?} is not partial") };
    partial
}

fn held(verdict: Verdict) -> Refusal {
    let Verdict::Hold(refusal) = verdict else { panic!("{verdict:?} does not hold") };
    refusal
}

#[test]
fn all_stored_is_delivered() {
    assert_eq!(bulk(&[stored(), stored(), json!({ "status": 200 })]), Verdict::Delivered(None));
}

#[test]
fn two_hundred_is_no_delivery_when_items_failed() {
    let failed = partial(bulk(&[
        stored(),
        item(409, "version_conflict_engine_exception", "document already exists"),
        item(409, "version_conflict_engine_exception", "document already exists"),
        item(400, "document_parsing_exception", "failed to parse field [x]"),
        stored(),
        item(429, "es_rejected_execution_exception", "queue is full"),
        item(503, "unavailable_shards_exception", "primary shard is not active"),
    ]));
    let rejected =
        Fate::Rejected("status 400: document_parsing_exception: failed to parse field [x]".to_owned());
    let expected = [
        Run { first: 1, count: 2, fate: Fate::Duplicate },
        Run { first: 3, count: 1, fate: rejected },
        Run { first: 5, count: 2, fate: Fate::Retry },
    ];
    assert_eq!((failed.runs.as_slice(), &failed.rest), (expected.as_slice(), &Fate::Delivered));
    assert!(failed.note.unwrap().reason.contains("queue is full"));
}

#[test]
fn why_a_document_was_not_understood_is_said_down_to_its_cause() {
    let item = json!({ "status": 400, "error": {
        "type": "document_parsing_exception", "reason": "[1:7] failed to parse field [source.ip] of type [ip]",
        "caused_by": { "reason": "'nowhere' is not an IP string literal." },
    } });
    let failed = partial(bulk(&[stored(), item]));
    let [Run { fate: Fate::Rejected(reason), .. }] = failed.runs.as_slice() else { panic!("{failed:?}") };
    assert!(reason.ends_with("of type [ip]: 'nowhere' is not an IP string literal."), "{reason}");
}

#[test]
fn a_repeated_batch_is_all_duplicates() {
    let conflict = item(409, "version_conflict_engine_exception", "");
    let again = partial(bulk(&[conflict.clone(), conflict]));
    assert_eq!(again.runs, [Run { first: 0, count: 2, fate: Fate::Duplicate }]);
}

#[test]
fn a_cluster_that_takes_nothing_now_is_asked_again() {
    let full = item(
        429,
        "cluster_block_exception",
        "TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark",
    );
    let Verdict::Retry(retry) = bulk(&[full.clone(), full]) else { panic!("it does not retry") };
    assert!(retry.reason.contains("flood-stage"), "{}", retry.reason);
}

#[test]
fn what_would_fail_for_every_document_holds_and_says_what_to_do() {
    for (status, kind, reason, hint) in [
        (403, "security_exception", "action is unauthorized", "create_doc"),
        (403, "cluster_block_exception", "index blocked by: [FORBIDDEN/8/index write]", "read-only"),
        (404, "index_not_found_exception", "no such index", "auto_configure"),
        (400, "invalid_index_name_exception", "must be lowercase", "target"),
        (400, "illegal_argument_exception", "pipeline with id [x] does not exist", "pipeline"),
        (401, "security_exception", "token expired", "encoded"),
    ] {
        let refusal = held(bulk(&[item(status, kind, reason), item(status, kind, reason)]));
        assert!(refusal.reason.contains(reason) && refusal.hint.contains(hint), "{refusal:?}");
    }
}

#[test]
fn what_can_be_settled_is_settled_before_the_rest_holds() {
    let mixed = partial(bulk(&[
        stored(),
        item(403, "security_exception", "no"),
        item(400, "illegal_argument_exception", "x"),
    ]));
    let rejected = Fate::Rejected("status 400: illegal_argument_exception: x".to_owned());
    let expected =
        [Run { first: 1, count: 1, fate: Fate::Retry }, Run { first: 2, count: 1, fate: rejected }];
    assert_eq!(mixed.runs, expected);
    assert!(mixed.note.unwrap().hint.contains("create_doc"));
}

#[test]
fn a_document_in_the_failure_store_is_delivered_with_a_note() {
    let verdict = bulk(&[stored(), json!({ "status": 201, "failure_store": "used" })]);
    let Verdict::Delivered(Some(note)) = verdict else { panic!("{verdict:?}") };
    assert!(note.reason.starts_with("1 documents") && note.hint.contains("::failures"), "{note:?}");
    let verdict = bulk(&[json!({ "status": 201, "failure_store": "not_enabled" })]);
    assert_eq!(verdict, Verdict::Delivered(None));
}

#[test]
fn only_elasticsearchs_own_answer_is_believed() {
    let one_item = r#"{"errors":false,"items":[{"create":{"status":201}}]}"#;
    for body in ["", "OK", "<html>Sign in</html>", "{}", "[]", r#"{"errors":false}"#, one_item] {
        assert!(held(verdict(200, body)).hint.contains("5601"), "{body:?} is believed for ten documents");
    }
}

#[test]
fn an_answer_too_long_to_read_is_asked_for_in_parts() {
    let response = Response { truncated: true, ..answer(200, r#"{"errors":true,"items":[{"cre"#) };
    assert_eq!(verdict_with("{}", &response), Verdict::Split);
}

#[test]
fn requests_that_are_refused_whole_hold_with_a_hint() {
    let security = r#"{"error":{"root_cause":[],"type":"security_exception","reason":"unable to authenticate"},"status":401}"#;
    let refusal = held(verdict(401, security));
    assert_eq!(refusal.reason, "status 401: security_exception: unable to authenticate");
    assert!(refusal.hint.contains("`encoded`"), "{}", refusal.hint);
    let content_type = r#"{"error":"Content-Type header [text/plain] is not supported","status":406}"#;
    for (status, body, hint) in [
        (403, "{}", "create_doc"),
        (404, "", "prefix"),
        (405, r#"{"error":"Incorrect HTTP method","status":405}"#, "POST"),
        (406, content_type, "content type"),
        (400, r#"{"error":"no handler found for uri [/x/_bulk] and method [POST]"}"#, "endpoint"),
    ] {
        let refusal = held(verdict(status, body));
        assert!(refusal.hint.contains(hint), "{status}: {}", refusal.hint);
    }
}

#[test]
fn kibana_is_recognised() {
    let xsrf =
        r#"{"statusCode":400,"error":"Bad Request","message":"Request must contain a kbn-xsrf header."}"#;
    let refusal = held(verdict(400, xsrf));
    assert_eq!(refusal.reason, "status 400: Request must contain a kbn-xsrf header.");
    assert!(refusal.hint.contains("9200"), "{}", refusal.hint);
    let mut redirect = answer(302, "");
    redirect.headers.push(("kbn-name".to_owned(), "kibana".to_owned()));
    assert!(held(verdict_with("{}", &redirect)).hint.contains("Kibana"));
}

#[test]
fn opensearch_has_hints_of_its_own() {
    assert!(held(verdict_with(OPENSEARCH, &answer(401, "Unauthorized"))).hint.contains("basic"));
    let amazon = r#"{"Message":"User: anonymous is not authorized to perform: es:ESHttpPost"}"#;
    let refusal = held(verdict_with(OPENSEARCH, &answer(403, amazon)));
    assert!(refusal.reason.contains("anonymous") && refusal.hint.contains("access policy"), "{refusal:?}");
}

#[test]
fn the_rest_follows_the_status() {
    assert_eq!(verdict(413, r#"{"Message":"Request size exceeded 10485760 bytes"}"#), Verdict::Split);
    for status in [429, 500, 502, 503, 504] {
        assert!(matches!(verdict(status, ""), Verdict::Retry(_)), "{status}");
    }
    assert_eq!(verdict(302, ""), Verdict::Standard);
    let unframed = r#"{"error":{"type":"illegal_argument_exception","reason":"The bulk request must be terminated by a newline [\\n]"},"status":400}"#;
    assert!(matches!(verdict(400, unframed), Verdict::Rejected(_)));
}
