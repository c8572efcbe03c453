//! What an operator can set, what is refused where, and documents that want to be more than a document.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_google_secops::GoogleSecOps;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Compression, Event, Severity};

const INSTANCE: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// Settings that are complete, with these beside.
fn settings(more: Value) -> Value {
    let mut settings = json!({ "project": "soc", "location": "eu", "instance": INSTANCE });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

fn udm_with(more: Value, event: &Event) -> Value {
    let text = testkit::configure::<GoogleSecOps>(&settings(more).to_string()).unwrap().record(event);
    serde_json::from_str::<Value>(&text).unwrap()["udm"].clone()
}

fn additional(document: &str) -> Value {
    udm_with(json!({}), &event(document))["additional"].clone()
}

#[test]
fn the_request_is_the_one_of_the_chronicle_api() {
    let profile = testkit::configure::<GoogleSecOps>(&settings(json!({})).to_string()).unwrap().profile;
    let instance = format!("/v1/projects/soc/locations/eu/instances/{INSTANCE}");
    assert_eq!(profile.path, format!("{instance}/events:import"));
    assert_eq!((profile.limits.body_bytes, profile.limits.record_bytes), (4_000_000, 3_999_970));
    assert_eq!(profile.compression, [Compression::Gzip]);
    let probe = profile.probe.unwrap();
    assert_eq!((probe.get, probe.path), (true, format!("{instance}/logTypes")));
    assert_eq!(probe.query, [("pageSize".to_owned(), "1".to_owned())]);
    let beta = settings(json!({ "api_version": "v1beta" })).to_string();
    assert!(testkit::configure::<GoogleSecOps>(&beta).unwrap().profile.path.starts_with("/v1beta/projects/"));
}

#[test]
fn vendor_and_product_are_the_producer_unless_the_operator_says_otherwise() {
    let metadata = |more| udm_with(more, &event("{}"))["metadata"].clone();
    assert_eq!(metadata(json!({}))["vendorName"], "generic");
    let named = metadata(json!({ "vendor_name": "Acme", "product_name": "Gateway" }));
    assert_eq!((&named["vendorName"], &named["productName"]), (&json!("Acme"), &json!("Gateway")));
}

#[test]
fn five_severities_are_five_words() {
    let words = Severity::ALL.map(|severity| {
        udm_with(json!({}), &Event { severity, ..event("{}") })["securityResult"][0]["severity"].clone()
    });
    assert_eq!(words, ["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]);
}

#[test]
fn an_address_that_is_none_is_left_to_the_document() {
    let udm = udm_with(json!({}), &event(r#"{"ip":"localhost","email":"nobody"}"#));
    assert_eq!(udm["principal"], json!({ "application": "generic" }));
    assert_eq!(udm["additional"]["ip"], "localhost");
}

#[test]
fn a_name_alone_is_no_user_of_an_access() {
    let udm = udm_with(json!({}), &event(r#"{"username":"Jo","model":"gpt-4.1"}"#));
    assert_eq!(udm["metadata"]["eventType"], "GENERIC_EVENT");
    assert_eq!(udm["principal"]["user"], json!({ "userDisplayName": "Jo" }));
    assert_eq!(udm["target"]["resource"]["resourceSubtype"], "language model");
}

#[test]
fn a_members_name_that_is_taken_gets_the_document_before_it() {
    let additional = additional(
        r#"{"a":{"b":1},"a.b":2,"document.a.b":3,"siemaphore":{"source":"mine"},"a":{"b":4},"none":null}"#,
    );
    assert_eq!(
        additional,
        json!({
            "siemaphore.organization": "acme",
            "siemaphore.source": "gateway",
            "siemaphore.event_id": "evt_1",
            "a.b": 4,
            "document.a.b": 2,
            "document.document.a.b": 3,
            "document.siemaphore.source": "mine",
        })
    );
}

#[test]
fn numbers_keep_their_digits() {
    let additional = additional(
        r#"{"a":9007199254740992,"b":9007199254740993,"c":-9007199254740993,"d":[1e400,1.50],"e":{"f":[-7]}}"#,
    );
    assert_eq!(additional["a"], json!(9_007_199_254_740_992_u64));
    assert_eq!(
        (&additional["b"], &additional["c"]),
        (&json!("9007199254740993"), &json!("-9007199254740993"))
    );
    assert_eq!((&additional["d"], &additional["e.f"]), (&json!(["1e400", 1.5]), &json!([-7])));
}

#[test]
fn what_is_nested_too_deep_for_readers_is_a_text() {
    let document = format!(r#"{{"a":{}1{}}}"#, "[".repeat(20), "]".repeat(20));
    let additional = additional(&document);
    let mut value = &additional["a"];
    for _ in 0..16 {
        value = &value[0];
    }
    assert_eq!(value, "[[[[1]]]]");
}

#[test]
fn repeated_keys_of_nested_objects_come_once() {
    let text = testkit::configure::<GoogleSecOps>(&settings(json!({})).to_string())
        .unwrap()
        .record(&event(r#"{"list":[{"x":1,"\u0078":2}]}"#));
    assert!(text.contains(r#""list":[{"x":2}]"#), "{text}");
}

#[test]
fn a_large_object_is_not_repeated_path_by_path() {
    let members: Vec<String> = (0..20_000).map(|number| format!(r#""{number:x}":1"#)).collect();
    let document = format!(r#"{{"{}":{{{}}}}}"#, "p".repeat(120), members.join(","));
    let udm = udm_with(json!({}), &event(&document)).to_string();
    assert!(udm.len() < 2 * document.len(), "{} bytes of {}", udm.len(), document.len());
}

#[test]
fn what_cannot_be_used_is_refused_where_it_stands() {
    for (more, expected) in [
        (json!({ "project": "My Project" }), "/project"),
        (json!({ "project": "" }), "/project"),
        (json!({ "location": "eu/" }), "/location"),
        (json!({ "instance": "0123456789abcdef0123456789abcdef" }), "/instance"),
        (json!({ "instance": "01234567-89ab-cdef-0123-456789abcdeg" }), "/instance"),
        (json!({ "api_version": "v2" }), "/api_version"),
        (json!({ "vendor_name": "" }), "/vendor_name"),
        (json!({ "fields": { "user_id": "id" } }), "/fields/user_id"),
        (json!({ "customer_id": INSTANCE }), "/customer_id"),
    ] {
        let problems = testkit::configure::<GoogleSecOps>(&settings(more.clone()).to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{more}");
    }
    let problems = testkit::configure::<GoogleSecOps>("{}").unwrap_err();
    assert_eq!(problems[0].pointer, "/project");
}
