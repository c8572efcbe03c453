use reqwest::RequestBuilder;
use reqwest::header::CONTENT_ENCODING;
use serde_json::{Value, json};
use siemaphore_receiver::{GoogleAccount, SecOpsInstance, Siem};

use crate::support::{Lab, Reply, gzip, reply};

/// A key that was made for tests and opens nothing.
pub(crate) const KEY_FILE: &str =
    include_str!("../../../delivery/tests/attempt/test-only-service-account.json");
const INSTANCE: &str = "/v1/projects/soc/locations/eu/instances/01234567-89ab-cdef-0123-456789abcdef";

pub(crate) async fn secops() -> Lab {
    Lab::start(Siem::google_secops(SecOpsInstance {
        project: "soc".to_owned(),
        location: "eu".to_owned(),
        instance: "01234567-89ab-cdef-0123-456789abcdef".to_owned(),
        account: GoogleAccount::of_key_file(KEY_FILE).expect("a key file"),
    }))
    .await
}

fn token(lab: &Lab) -> String {
    lab.receiver.issue_token().expect("it issues tokens")
}

fn import(lab: &Lab) -> RequestBuilder {
    let request = lab.client.post(lab.url(&format!("{INSTANCE}/events:import")));
    request.bearer_auth(token(lab)).header("content-type", "application/json")
}

async fn send(lab: &Lab, events: &[Value]) -> Reply {
    reply(import(lab).body(body(events))).await
}

fn body(events: &[Value]) -> String {
    let events: Vec<Value> = events.iter().map(|udm| json!({ "udm": udm })).collect();
    json!({ "inlineSource": { "events": events } }).to_string()
}

fn udm() -> Value {
    json!({
        "metadata": {
            "eventTimestamp": "2026-06-08T20:15:30Z", "eventType": "USER_RESOURCE_ACCESS",
            "vendorName": "systemprompt", "productName": "systemprompt", "productLogId": "evt_1",
        },
        "principal": { "user": { "userid": "usr_1", "emailAddresses": ["a@example.com"] }, "ip": ["192.0.2.1"] },
        "target": { "resource": { "name": "database_query" } },
        "securityResult": [{ "severity": "HIGH", "action": ["BLOCK"], "ruleName": "pii", "summary": "x" }],
        "additional": { "tool_call.duration_ms": 145, "list": [1, { "a": null }] },
    })
}

/// A valid event, changed at one place; null takes the member away.
fn udm_with(pointer: &str, value: Value) -> Value {
    let mut udm = udm();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = udm.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    match value {
        Value::Null => drop(parent.remove(name)),
        value => drop(parent.insert(name.to_owned(), value)),
    }
    udm
}

#[tokio::test]
async fn events_are_taken_plain_and_compressed() {
    let lab = secops().await;
    let answer = send(&lab, &[udm(), udm()]).await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    let zipped = import(&lab).header(CONTENT_ENCODING, "gzip").body(gzip(body(&[udm()]).as_bytes()));
    assert_eq!(reply(zipped).await.status, 200);
    assert_eq!(lab.taken_whole(), 3);
    assert_eq!(lab.receiver.received()[0].record["metadata"]["productLogId"], "evt_1");
}

#[tokio::test]
async fn the_log_types_can_be_asked_for() {
    let lab = secops().await;
    let url = lab.url(&format!("{INSTANCE}/logTypes?pageSize=1"));
    assert_eq!(reply(lab.client.get(&url).bearer_auth(token(&lab))).await.status, 200);
    let denied = reply(lab.client.get(&url).bearer_auth("other")).await;
    assert_eq!((denied.status, &denied.json()["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
}

#[tokio::test]
async fn another_instance_method_or_verb_is_refused() {
    let lab = secops().await;
    for (path, status) in [
        ("/v1/projects/other/locations/eu/instances/01234567-89ab-cdef-0123-456789abcdef/events:import", 404),
        (&format!("{INSTANCE}/events:create"), 404),
        (&format!("{INSTANCE}/logTypes"), 405),
        ("/events:import", 404),
    ] {
        let answer = reply(lab.client.post(lab.url(path)).bearer_auth(token(&lab)).body("{}")).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json()["error"]["code"], status);
    }
}

#[tokio::test]
async fn one_invalid_event_has_the_whole_request_refused() {
    let lab = secops().await;
    for (pointer, value, message) in [
        ("/metadata/eventTimestamp", json!(null), "eventTimestamp field is not set"),
        ("/metadata/eventTimestamp", json!("yesterday"), "Invalid value"),
        ("/metadata/eventType", json!("DLP_EVENT"), "Invalid value"),
        ("/metadata/vendorName", json!(null), "vendorName field is not set"),
        ("/metadata/event_type", json!("GENERIC_EVENT"), "Unknown name \"event_type\""),
        ("/principal/user", json!(null), "principal.user field is not set"),
        ("/principal/ip", json!(["localhost"]), "Invalid value"),
        ("/principal/user/emailAddresses", json!("a@example.com"), "Invalid value"),
        ("/target/resource/name", json!(null), "target.resource.name field is not set"),
        ("/securityResult", json!([{ "severity": "high" }]), "Invalid value"),
        ("/securityResult", json!([{ "action": "BLOCK" }]), "Invalid value"),
        ("/additional", json!("text"), "Invalid value"),
    ] {
        let answer = send(&lab, &[udm(), udm_with(pointer, value)]).await;
        assert_eq!((answer.status, &answer.json()["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
        assert!(answer.text.contains(&message.replace('"', "\\\"")), "{pointer}: {}", answer.text);
    }
    for body in ["", "[]", "{}", r#"{"inlineSource":{}}"#, r#"{"inlineSource":{"events":[]}}"#] {
        assert_eq!(reply(import(&lab).body(body)).await.status, 400, "{body}");
    }
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn each_event_type_requires_its_own_fields() {
    let lab = secops().await;
    let login = |principal: Value, target: Value| {
        let mut event = udm_with("/metadata/eventType", json!("USER_LOGIN"));
        event["principal"] = principal;
        event["target"] = target;
        event["extensions"] = json!({ "auth": { "type": "SSO" } });
        event
    };
    let user = json!({ "user": { "userid": "usr_1" } });
    assert_eq!(send(&lab, &[login(json!({ "ip": ["192.0.2.1"] }), user.clone())]).await.status, 200);
    assert_eq!(send(&lab, &[login(json!({ "application": "sso" }), user.clone())]).await.status, 400);
    assert_eq!(send(&lab, &[login(json!({ "ip": ["192.0.2.1"] }), json!({}))]).await.status, 400);
    let mut generic = udm_with("/metadata/eventType", json!("GENERIC_EVENT"));
    generic["principal"] = json!({ "application": "aisg" });
    generic.as_object_mut().unwrap().remove("target");
    assert_eq!(send(&lab, std::slice::from_ref(&generic)).await.status, 200);
    generic.as_object_mut().unwrap().remove("principal");
    assert_eq!(send(&lab, &[generic]).await.status, 400);
}

#[tokio::test]
async fn a_number_that_a_double_cannot_hold_is_a_violation() {
    let lab = secops().await;
    let event = udm_with("/additional/large", json!([9_007_199_254_740_993_u64]));
    assert_eq!(send(&lab, &[udm(), event]).await.status, 200);
    assert!(lab.reasons()[0].contains("loses digits"), "{:?}", lab.reasons());
    assert_eq!(lab.receiver.violations()[0].item, 1);
}

#[tokio::test]
async fn more_than_four_megabytes_are_refused_however_well_they_compress() {
    let lab = secops().await;
    let large = body(&[udm_with("/additional/text", json!("x".repeat(4_000_000)))]);
    let zipped = import(&lab).header(CONTENT_ENCODING, "gzip").body(gzip(large.as_bytes()));
    for request in [import(&lab).body(large), zipped] {
        let answer = reply(request).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains("payload size exceeds the limit"), "{}", answer.text);
    }
}
