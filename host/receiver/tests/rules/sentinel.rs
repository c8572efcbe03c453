use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};
use siemaphore_receiver::{SentinelWorkspace, Siem};

use crate::support::{Lab, Reply, deflate, gzip, iso_hours_from_now, reply};

pub(crate) const CLIENT_ID: &str = "0a0a0a0a-1111-2222-3333-444444444444";
/// Has characters that a form must encode.
pub(crate) const CLIENT_SECRET: &str = "se+cr&et=va~lue 1";
pub(crate) const SCOPE: &str = "https://monitor.azure.com/.default";
pub(crate) const RULE: &str = "dcr-00000000000000000000000000000000";
pub(crate) const STREAM: &str = "Custom-AiEvents_CL";

pub(crate) async fn sentinel() -> Lab {
    Lab::start(Siem::sentinel(SentinelWorkspace {
        dcr_immutable_id: RULE.to_owned(),
        stream: STREAM.to_owned(),
        tenant: "contoso".to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
    }))
    .await
}

/// A token request that is right except for these parameters.
pub(crate) fn token_form(lab: &Lab, url: &str, changed: &[(&str, &str)]) -> RequestBuilder {
    let right = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("scope", SCOPE),
    ];
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in right {
        let changed = changed.iter().find(|(changed, _)| *changed == name);
        form.append_pair(name, changed.map_or(value, |(_, value)| value));
    }
    lab.client.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish())
}

pub(crate) async fn token(lab: &Lab) -> String {
    let url = lab.receiver.token_url().expect("Sentinel has a token endpoint");
    let answer = reply(token_form(lab, &url, &[])).await;
    answer.json()["access_token"].as_str().expect("a token").to_owned()
}

fn stream_url(lab: &Lab) -> String {
    lab.url(&format!("/dataCollectionRules/{RULE}/streams/{STREAM}?api-version=2023-01-01"))
}

async fn send(lab: &Lab, body: impl Into<reqwest::Body>) -> Reply {
    let request = lab.client.post(stream_url(lab)).bearer_auth(token(lab).await);
    reply(request.body(body)).await
}

fn record() -> Value {
    json!({ "TimeGenerated": iso_hours_from_now(0), "EventId": "evt_1", "Severity": "High", "Details": { "a": [1] } })
}

fn record_with(name: &str, value: Value) -> Value {
    let mut record = record();
    record[name] = value;
    record
}

fn error_code(reply: &Reply) -> (u16, String) {
    let code = reply.json()["error"]["code"].as_str().expect("an error code").to_owned();
    assert_eq!(reply.headers["x-ms-error-code"], code);
    (reply.status, code)
}

#[tokio::test]
async fn an_array_of_records_is_taken_with_an_empty_204() {
    let lab = sentinel().await;
    let answer = send(&lab, json!([record(), record()]).to_string()).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(lab.taken_whole(), 2);
    assert_eq!(lab.receiver.received()[1].record["Severity"], "High");
}

#[tokio::test]
async fn an_empty_array_is_a_probe_that_succeeds() {
    let lab = sentinel().await;
    assert_eq!(send(&lab, "[]").await.status, 204);
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn gzip_is_decoded_and_other_encodings_are_refused() {
    let lab = sentinel().await;
    let plain = json!([record()]).to_string();
    let token = token(&lab).await;
    let request = || lab.client.post(stream_url(&lab)).bearer_auth(&token);
    let zipped = request().header(CONTENT_ENCODING, "gzip").body(gzip(plain.as_bytes()));
    assert_eq!(reply(zipped).await.status, 204);
    let deflated = request().header(CONTENT_ENCODING, "deflate").body(deflate(plain.as_bytes()));
    assert_eq!(reply(deflated).await.status, 415);
}

#[tokio::test]
async fn only_a_token_of_its_own_endpoint_is_believed() {
    let lab = sentinel().await;
    let missing = reply(lab.client.post(stream_url(&lab)).body("[]")).await;
    assert_eq!(error_code(&missing), (401, "MissingToken".to_owned()));
    let forged = reply(lab.client.post(stream_url(&lab)).bearer_auth("forged").body("[]")).await;
    assert_eq!(error_code(&forged), (401, "InvalidToken".to_owned()));
    assert_eq!(forged.headers["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn an_expired_token_is_refused_and_a_new_one_works() {
    let lab = sentinel().await;
    let old = token(&lab).await;
    lab.receiver.expire_tokens();
    let expired = reply(lab.client.post(stream_url(&lab)).bearer_auth(&old).body("[]")).await;
    assert_eq!(error_code(&expired), (401, "ExpiredToken".to_owned()));
    assert_eq!(send(&lab, "[]").await.status, 204);
}

#[tokio::test]
async fn the_rule_stream_and_api_version_must_match() {
    let lab = sentinel().await;
    let token = token(&lab).await;
    let other_rule = RULE.replace('0', "1");
    let cases = [
        (
            format!("/dataCollectionRules/{other_rule}/streams/{STREAM}?api-version=2023-01-01"),
            404,
            "NotFound",
        ),
        (
            format!("/dataCollectionRules/{RULE}/streams/AiEvents_CL?api-version=2023-01-01"),
            404,
            "InvalidStream",
        ),
        (format!("/dataCollectionRules/{RULE}/streams/{STREAM}"), 400, "MissingApiVersionParameter"),
        (
            format!("/dataCollectionRules/{RULE}/streams/{STREAM}?api-version=2016-04-01"),
            400,
            "UnsupportedApiVersion",
        ),
        (format!("/dataCollectionRules/{RULE}/{STREAM}?api-version=2023-01-01"), 404, "NotFound"),
    ];
    for (path, status, code) in cases {
        let answer = reply(lab.client.post(lab.url(&path)).bearer_auth(&token).body("[]")).await;
        assert_eq!(error_code(&answer), (status, code.to_owned()), "{path}");
    }
    let answer = reply(lab.client.put(stream_url(&lab)).bearer_auth(&token).body("[]")).await;
    assert_eq!(error_code(&answer), (405, "MethodNotAllowed".to_owned()));
}

#[tokio::test]
async fn a_body_that_is_no_array_of_objects_is_refused_whole() {
    let lab = sentinel().await;
    for body in ["", "{}", "[", "[1]", "[{\"TimeGenerated\":\"2026-01-01T00:00:00Z\"},[]]", "[]x"] {
        assert_eq!(error_code(&send(&lab, body).await), (400, "InvalidPayload".to_owned()), "{body}");
    }
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn one_megabyte_is_the_cap_compressed_and_not() {
    let lab = sentinel().await;
    let large = Value::from(vec![record_with("Text", json!("x".repeat(50_000))); 21]).to_string();
    assert_eq!(send(&lab, large.clone()).await.status, 413);
    let zipped = lab.client.post(stream_url(&lab)).bearer_auth(token(&lab).await);
    let zipped = zipped.header(CONTENT_ENCODING, "gzip").body(gzip(large.as_bytes()));
    assert_eq!(reply(zipped).await.status, 413);
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn what_sentinel_loses_or_changes_is_a_violation() {
    let cases = [
        ("id", json!(1), "cannot be a column"),
        ("2fa", json!(true), "cannot be a column"),
        ("usr.email", json!("a"), "cannot be a column"),
        (&"A".repeat(46), json!(1), "cannot be a column"),
        ("Text", json!("x".repeat(64_001)), "truncated"),
        ("TimeGenerated", json!("08/06/2026"), "no ISO 8601"),
        ("TimeGenerated", json!(1_780_949_730), "no ISO 8601"),
        ("TimeGenerated", json!(iso_hours_from_now(-49)), "replaced"),
        ("TimeGenerated", json!(iso_hours_from_now(25)), "replaced"),
    ];
    for (name, value, reason) in cases {
        let lab = sentinel().await;
        assert_eq!(send(&lab, json!([record_with(name, value)]).to_string()).await.status, 204);
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(reason)), "{name}: {reasons:?}");
    }
}

#[tokio::test]
async fn a_record_without_its_time_is_a_violation() {
    let lab = sentinel().await;
    assert_eq!(send(&lab, r#"[{"EventId":"evt_1"}]"#).await.status, 204);
    assert_eq!(lab.reasons(), ["no TimeGenerated"]);
}
