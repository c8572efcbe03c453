//! Every documented event of every producer, as Google SecOps gets it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_google_secops::GoogleSecOps;
use siemaphore_producers::{events, sample};
use siemaphore_sdk::testkit::{self, Configured};

const SETTINGS: &str =
    r#"{"project":"soc","location":"eu","instance":"01234567-89ab-cdef-0123-456789abcdef"}"#;

fn configured() -> Configured<GoogleSecOps> {
    testkit::configure(SETTINGS).unwrap()
}

fn udm(producer: &'static str, name: &str) -> Value {
    let record: Value = serde_json::from_str(&configured().record(&sample(producer, name).event)).unwrap();
    record["udm"].clone()
}

#[test]
fn each_documented_event_has_its_expected_record() {
    siemaphore_producers::assert_snapshots(env!("CARGO_MANIFEST_DIR"), |sample| {
        serde_json::from_str(&configured().record(&sample.event)).unwrap()
    });
}

#[test]
fn a_tool_call_is_a_users_access_to_a_resource() {
    let udm = udm("systemprompt", "tool-call-blocked");
    assert_eq!(udm["metadata"]["eventType"], "USER_RESOURCE_ACCESS");
    assert_eq!(udm["metadata"]["productEventType"], "tool_call.blocked");
    assert_eq!(
        udm["principal"],
        json!({
            "application": "Code Reviewer",
            "user": { "userid": "usr_8f3a2b1c", "emailAddresses": ["j.chen@acme.com"] },
        })
    );
    assert_eq!(
        udm["target"],
        json!({
            "application": "postgres-readonly",
            "resource": { "name": "database_query", "resourceSubtype": "tool" },
        })
    );
    assert_eq!(udm["network"], json!({ "sessionId": "ses_7k2m9n4p" }));
    let result = &udm["securityResult"][0];
    assert_eq!((&result["action"], &result["actionDetails"]), (&json!(["BLOCK"]), &json!("denied")));
    assert_eq!(result["ruleName"], "department_scope_check");
    assert_eq!(udm["additional"]["tool_call.tool_server"], "postgres-readonly");
}

#[test]
fn a_login_with_its_machine_is_a_login_and_one_without_is_not() {
    let login = udm("authos", "user-login-failed");
    assert_eq!(login["metadata"]["eventType"], "USER_LOGIN");
    assert!(login["target"]["user"].is_object(), "{login}");
    assert!(login["principal"]["ip"].is_array() && login["principal"].get("user").is_none(), "{login}");
    assert_eq!(login["extensions"]["auth"]["type"], "AUTHTYPE_UNSPECIFIED");
    let without = udm("systemprompt", "authentication-failure");
    assert_eq!(without["metadata"]["eventType"], "GENERIC_EVENT");
    assert_eq!(without["principal"]["user"]["userid"], "usr_8f3a2b1c");
}

#[test]
fn an_event_without_anybody_comes_from_its_application() {
    let udm = udm("aisg", "budget-exhausted");
    assert_eq!(udm["metadata"]["eventType"], "GENERIC_EVENT");
    assert_eq!(udm["principal"], json!({ "application": "aisg" }));
    assert_eq!(udm.get("target"), None);
}

#[test]
fn decisions_and_severities_are_those_of_udm() {
    for (producer, name, severity, action) in [
        ("aisg", "dlp-injection-blocked", "CRITICAL", "BLOCK"),
        ("aisg", "dlp-pii-redacted", "MEDIUM", "ALLOW_WITH_MODIFICATION"),
        ("keeptrusts", "request", "INFORMATIONAL", "ALLOW"),
        ("keeptrusts", "escalated", "HIGH", "UNKNOWN_ACTION"),
    ] {
        let result = udm(producer, name)["securityResult"][0].clone();
        assert_eq!((&result["severity"], &result["action"]), (&json!(severity), &json!([action])), "{name}");
    }
}

#[test]
fn the_laws_hold_for_every_documented_event() {
    testkit::check_laws::<GoogleSecOps>(&events());
}
