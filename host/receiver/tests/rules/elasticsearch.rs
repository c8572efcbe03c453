use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};
use siemaphore_receiver::{ReceiverConfig, Siem};

use crate::support::{Lab, Reply, gzip, reply};

/// `id:api_key` in Base64, as Elasticsearch shows it.
const ENCODED: &str = "aWQ6c2VjcmV0";
const STREAM: &str = "/logs-siemaphore.security-default/_bulk";

async fn elasticsearch() -> Lab {
    Lab::start(Siem::elasticsearch(ENCODED)).await
}

fn bulk_request(lab: &Lab, path: &str) -> RequestBuilder {
    let request = lab.client.post(lab.url(path)).header(AUTHORIZATION, format!("ApiKey {ENCODED}"));
    request.header(CONTENT_TYPE, "application/x-ndjson")
}

async fn send(lab: &Lab, body: impl Into<reqwest::Body>) -> Reply {
    reply(bulk_request(lab, STREAM).body(body)).await
}

fn document() -> Value {
    json!({
        "@timestamp": "2026-06-08T20:15:30Z",
        "event": { "kind": "alert", "category": ["intrusion_detection"], "type": ["denied"], "outcome": "failure" },
    })
}

fn document_with(key: &str, value: Value) -> Value {
    let mut document = document();
    document[key] = value;
    document
}

fn lines(id: &str, document: &Value) -> String {
    format!("{}\n{document}\n", json!({ "create": { "_id": id } }))
}

/// The items of an answer that must be a 200.
fn items(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let items = reply.json()["items"].as_array().cloned().expect("items");
    items.iter().map(|item| item["create"].clone()).collect()
}

#[tokio::test]
async fn documents_are_created_and_compressed_ones_too() {
    let lab = elasticsearch().await;
    let body = lines("a", &document()) + &lines("b", &document());
    let answer = send(&lab, body).await;
    assert_eq!((answer.status, &answer.json()["errors"]), (200, &json!(false)));
    let zipped = gzip(lines("c", &document()).as_bytes());
    let request = bulk_request(&lab, STREAM).header(CONTENT_ENCODING, "gzip").body(zipped);
    assert_eq!(items(&reply(request).await)[0]["status"], 201);
    assert_eq!(lab.taken_whole(), 3);
    assert_eq!(lab.receiver.received()[0].record["event"]["kind"], "alert");
}

#[tokio::test]
async fn the_same_id_is_taken_once() {
    let lab = elasticsearch().await;
    let body = lines("a", &document()) + &lines("a", &document());
    let answer = send(&lab, body).await;
    let items = items(&answer);
    assert_eq!((&items[0]["status"], &items[1]["status"]), (&json!(201), &json!(409)));
    assert_eq!(items[1]["error"]["type"], "version_conflict_engine_exception");
    assert_eq!((lab.taken_whole(), &answer.json()["errors"]), (1, &json!(true)));
}

#[tokio::test]
async fn only_the_encoded_key_with_its_word_is_let_in() {
    let lab = elasticsearch().await;
    let request = |authorization: &str| {
        let request = lab.client.post(lab.url(STREAM)).header(CONTENT_TYPE, "application/x-ndjson");
        request.header(AUTHORIZATION, authorization).body(lines("a", &document()))
    };
    for wrong in ["ApiKey id:secret", "ApiKey secret", ENCODED, &format!("Bearer {ENCODED}")] {
        let answer = reply(request(wrong)).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["type"]),
            (401, &json!("security_exception")),
            "{wrong}"
        );
    }
    let missing = lab.client.post(lab.url(STREAM)).header(CONTENT_TYPE, "application/x-ndjson").body("");
    assert_eq!(reply(missing).await.status, 401);
}

#[tokio::test]
async fn opensearch_takes_basic_authentication_and_ten_mebibytes() {
    let lab = Lab::start(Siem::opensearch("siemaphore", "pass:word")).await;
    let request = |body: String| {
        let request = lab.client.post(lab.url(STREAM)).basic_auth("siemaphore", Some("pass:word"));
        request.header(CONTENT_TYPE, "application/x-ndjson").body(body)
    };
    assert_eq!(reply(request(lines("a", &document()))).await.status, 200);
    let large = lines("b", &document_with("message", json!("x".repeat(10 * 1024 * 1024))));
    let answer = reply(request(large)).await;
    assert_eq!(
        (answer.status, answer.json()),
        (413, json!({ "Message": "Request size exceeded 10485760 bytes" }))
    );
    let who =
        lab.client.get(lab.url("/_plugins/_security/authinfo")).basic_auth("siemaphore", Some("pass:word"));
    assert_eq!(reply(who).await.status, 200);
}

#[tokio::test]
async fn a_credential_can_be_tried_without_storing_anything() {
    let lab = elasticsearch().await;
    let url = lab.url("/_security/_authenticate");
    let right = lab.client.get(&url).header(AUTHORIZATION, format!("ApiKey {ENCODED}"));
    assert_eq!(reply(right).await.status, 200);
    assert_eq!(reply(lab.client.get(&url)).await.status, 401);
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn a_body_that_is_not_pairs_of_lines_is_refused_whole() {
    let lab = elasticsearch().await;
    let whole = lines("a", &document());
    let pretty = format!("{{\"create\":{{}}}}\n{}\n", serde_json::to_string_pretty(&document()).unwrap());
    let typed = format!("{{\"create\":{{\"_type\":\"_doc\"}}}}\n{}\n", document());
    let array = format!("[{}]\n", document());
    let bodies = [
        String::new(),
        whole.trim_end().to_owned(),
        format!("{whole}\n"),
        format!("{whole}{{\"create\":{{}}}}\n"),
        pretty,
        typed,
        array,
    ];
    for body in bodies {
        let answer = send(&lab, body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["error"]["reason"].is_string(), "{}", answer.text);
    }
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn paths_methods_and_content_types_are_checked() {
    let lab = elasticsearch().await;
    let answer = reply(bulk_request(&lab, "/a/b/_bulk")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("no handler found"), "{}", answer.text);
    let get = lab.client.get(lab.url(STREAM)).header(AUTHORIZATION, format!("ApiKey {ENCODED}"));
    assert_eq!(reply(get).await.status, 405);
    let request = lab.client.post(lab.url(STREAM)).header(AUTHORIZATION, format!("ApiKey {ENCODED}"));
    let answer = reply(request.header(CONTENT_TYPE, "text/plain").body(lines("a", &document()))).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (406, &json!("Content-Type header [text/plain] is not supported"))
    );
}

#[tokio::test]
async fn a_data_stream_takes_creations_with_a_time_only() {
    let lab = elasticsearch().await;
    let index = format!("{{\"index\":{{\"_id\":\"a\"}}}}\n{}\n", document());
    let answer = send(&lab, index).await;
    let error = &answer.json()["items"][0]["index"]["error"];
    assert!(error["reason"].as_str().unwrap().contains("op_type of create"), "{error}");
    let mut timeless = document();
    timeless.as_object_mut().unwrap().remove("@timestamp");
    let undated = document_with("@timestamp", json!("yesterday"));
    let items = items(&send(&lab, lines("b", &timeless) + &lines("c", &undated)).await);
    assert!(items.iter().all(|item| item["status"] == 400), "{items:?}");
    let elsewhere = bulk_request(&lab, "/plain-index/_bulk").body(lines("d", &timeless));
    assert_eq!(self::items(&reply(elsewhere).await)[0]["status"], 201, "an index needs no time");
    let uppercase = bulk_request(&lab, "/Logs/_bulk").body(lines("e", &document()));
    assert_eq!(self::items(&reply(uppercase).await)[0]["error"]["type"], "invalid_index_name_exception");
}

#[tokio::test]
async fn a_value_that_does_not_fit_the_mapping_is_refused_and_the_others_are_stored() {
    let lab = elasticsearch().await;
    for (first, second) in [
        (json!({ "a": 1 }), json!("text")),
        (json!("text"), json!({ "a": 1 })),
        (json!(1), json!("text")),
        (json!(true), json!("perhaps")),
        (json!({ "b": 1 }), json!({ "b.c": 1 })),
    ] {
        let lab = elasticsearch().await;
        let body = lines("a", &document_with("x", first))
            + &lines("b", &document_with("x", second))
            + &lines("c", &document());
        let items = items(&send(&lab, body).await);
        let statuses: Vec<_> = items.iter().map(|item| item["status"].as_u64().unwrap()).collect();
        assert_eq!(statuses, [201, 400, 201], "{items:?}");
        assert_eq!(items[1]["error"]["type"], "document_parsing_exception");
    }
    for unusable in [
        document_with("source", json!({ "ip": "the office" })),
        document_with("", json!(1)),
        document_with("a.", json!(1)),
        (0..25).fold(document(), |inner, _| document_with("deeper", inner)),
    ] {
        let items = items(&send(&lab, lines("d", &unusable)).await);
        assert_eq!(items[0]["status"], 400, "{unusable}");
    }
    let repeated = "{\"create\":{}}\n{\"@timestamp\":\"2026-06-08T20:15:30Z\",\"a\":1,\"a\":2}\n";
    assert_eq!(items(&send(&lab, repeated).await)[0]["status"], 400);
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn values_that_ecs_does_not_list_are_stored_and_noted() {
    let lab = elasticsearch().await;
    let event = json!({ "kind": "signal", "category": ["aegis"], "type": "denied", "outcome": "blocked", "severity": "high" });
    let items = items(&send(&lab, lines("a", &document_with("event", event))).await);
    assert_eq!(items[0]["status"], 400, "severity is a number in Elastic's template");
    let event = json!({ "kind": "signal", "category": ["aegis"], "type": "denied", "outcome": "blocked" });
    send(&lab, lines("b", &document_with("event", event))).await;
    let reasons = lab.reasons();
    assert_eq!(reasons.len(), 4, "{reasons:?}");
    assert!(
        reasons.iter().any(|reason| reason.contains("event.category \"aegis\" is no value")),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn the_answer_is_as_short_as_it_is_asked_for() {
    let lab = elasticsearch().await;
    let path = format!("{STREAM}?filter_path=errors,items.*.status,items.*.error.reason");
    let body = lines("a", &document()) + &lines("a", &document());
    let answer = reply(bulk_request(&lab, &path).body(body)).await.json();
    let reason = "[a]: version conflict, document already exists (current version [1])";
    let expected = json!({ "errors": true, "items": [
        { "create": { "status": 201 } }, { "create": { "status": 409, "error": { "reason": reason } } },
    ] });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_larger_body_than_configured_is_refused() {
    let config = ReceiverConfig { max_body_bytes: Some(1_000), ..ReceiverConfig::default() };
    let lab = Lab::start_with(Siem::elasticsearch(ENCODED), config).await;
    let answer = send(&lab, lines("a", &document_with("message", json!("x".repeat(1_000))))).await;
    assert_eq!(answer.status, 413);
}
