//! The events on the producers' own pages, through `auto` and with redaction on.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use siemaphore_model::normalise::{Context, Normaliser, Scratch};
use siemaphore_model::{EventBuffer, Redaction, Severity};

const RECEIVED_NS: u64 = 1_800_000_000_000_000_000;

/// File, event type, severity, time, id, project; the folder is the profile.
type Expected = (&'static str, &'static str, Severity, &'static str, &'static str, Option<&'static str>);

#[rustfmt::skip]
const EXPECTED: &[Expected] = &[
    ("aegis/audit-stream-test", "aegis.audit_stream.test", Severity::Informational, "2026-05-15T10:30:00Z", "fwd_test_0001", None),
    ("aegis/preflight-allowed-with-masking", "preflight_check", Severity::Medium, "2026-05-15T10:33:21.456789Z", "pflt_abc123", None),
    ("aegis/preflight-blocked", "preflight_check", Severity::High, "2026-05-15T10:34:02.000001Z", "pflt_abc124", None),
    ("aisg/budget-exhausted", "budget.exhausted", Severity::Medium, "2026-06-08T20:15:30Z", "", Some("proj_abc123")),
    ("aisg/dlp-injection-blocked", "dlp.injection_blocked", Severity::Critical, "2026-06-08T20:15:30Z", "req_inj001", Some("proj_abc123")),
    ("aisg/dlp-pii-blocked", "dlp.pii_blocked", Severity::High, "2026-06-08T20:15:30Z", "req_xyz789", Some("proj_abc123")),
    ("aisg/dlp-pii-redacted", "dlp.pii_redacted", Severity::Medium, "2026-06-08T20:15:30Z", "req_red002", Some("proj_abc123")),
    ("aisg/loop-detected", "loop.detected", Severity::High, "2026-06-08T20:15:30Z", "req_loop03", Some("proj_abc123")),
    ("authos/member-role-updated", "member.role_updated", Severity::Low, "2026-04-12T10:32:00Z", "5b0f6f0e-0003", None),
    ("authos/siem-config-test", "siem.connection_test", Severity::Informational, "2026-04-12T10:33:00Z", "5b0f6f0e-0004", None),
    ("authos/user-login-failed", "user.login.failed", Severity::Medium, "2026-04-12T10:31:00Z", "5b0f6f0e-0002", None),
    ("authos/user-login-succeeded", "user.login.succeeded", Severity::Informational, "2026-04-12T10:30:00Z", "5b0f6f0e-0001", None),
    ("cloudevents/aegis-preflight-blocked", "com.aegis.preflight_check", Severity::High, "2026-05-15T10:34:02.000001Z", "ce-0003", None),
    ("cloudevents/aisg-dlp-pii-blocked", "io.aisg.dlp.pii_blocked", Severity::High, "2026-06-08T20:15:30Z", "ce-0001", Some("proj_abc123")),
    ("cloudevents/keeptrusts-escalated", "event.escalated", Severity::High, "2026-05-12T09:12:05.25Z", "ce-0004", None),
    ("cloudevents/systemprompt-secret-detected", "io.systemprompt.secret.detected", Severity::Critical, "2026-04-07T14:09:18.847Z", "ce-0002", None),
    ("cloudevents/tool-call-denied", "com.acme.tool_call.denied", Severity::Medium, "2026-06-08T20:15:30.5Z", "ce-0005", None),
    ("keeptrusts/blocked", "blocked", Severity::High, "2026-05-12T09:11:05.25Z", "evt_0002", None),
    ("keeptrusts/escalated", "escalated", Severity::High, "2026-05-12T09:12:05.25Z", "evt_0003", None),
    ("keeptrusts/redacted", "redacted", Severity::Medium, "2026-05-12T09:13:05.25Z", "evt_0004", None),
    ("keeptrusts/request", "request", Severity::Informational, "2026-05-12T09:10:05.25Z", "evt_0001", None),
    ("ocsf/api-activity", "API Activity: Read", Severity::Informational, "2026-06-08T20:15:32Z", "evt_3", None),
    ("ocsf/detection-finding", "dlp.pii_blocked", Severity::High, "2026-06-08T20:15:30.123Z", "evt_1", None),
    ("ocsf/detection-finding-fatal", "200401", Severity::Critical, "2026-06-08T20:15:31Z", "evt_2", None),
    ("otlp/dlp-pii-blocked", "dlp.pii_blocked", Severity::High, "2026-06-08T20:15:30Z", "evt_1", None),
    ("otlp/keeptrusts-body", "blocked", Severity::High, "2026-05-12T09:11:05.25Z", "evt_0002", None),
    ("otlp/tool-call", "gen_ai.tool.call", Severity::Informational, "2026-06-08T20:15:31Z", "01JR9X5K7M3N2P4Q6R8S0T", None),
    ("systemprompt/agent-configuration-changed", "agent.configuration_changed", Severity::Low, "2026-04-07T14:15:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S15", None),
    ("systemprompt/authentication-failure", "authentication.failure", Severity::Medium, "2026-04-07T14:14:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S14", None),
    ("systemprompt/authentication-success", "authentication.success", Severity::Informational, "2026-04-07T14:13:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S13", None),
    ("systemprompt/cost-threshold-exceeded", "cost.threshold_exceeded", Severity::Medium, "2026-04-07T14:12:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S12", None),
    ("systemprompt/cost-threshold-warning", "cost.threshold_warning", Severity::Low, "2026-04-07T14:11:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S11", None),
    ("systemprompt/policy-configuration-changed", "policy.configuration_changed", Severity::Medium, "2026-04-07T14:16:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S16", None),
    ("systemprompt/policy-evaluated", "policy.evaluated", Severity::Informational, "2026-04-07T14:03:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S03", None),
    ("systemprompt/policy-violation", "policy.violation", Severity::High, "2026-04-07T14:04:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S04", None),
    ("systemprompt/secret-blocked", "secret.blocked", Severity::High, "2026-04-07T14:10:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S10", None),
    ("systemprompt/secret-detected", "secret.detected", Severity::Critical, "2026-04-07T14:09:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S09", None),
    ("systemprompt/session-ended", "session.ended", Severity::Informational, "2026-04-07T14:01:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S01", None),
    ("systemprompt/session-started", "session.started", Severity::Informational, "2026-04-07T14:00:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S00", None),
    ("systemprompt/tool-call-approved", "tool_call.approved", Severity::Informational, "2026-04-07T14:05:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S05", None),
    ("systemprompt/tool-call-blocked", "tool_call.blocked", Severity::High, "2026-04-07T14:06:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S06", None),
    ("systemprompt/tool-call-completed", "tool_call.completed", Severity::Informational, "2026-04-07T14:32:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S0T", None),
    ("systemprompt/tool-call-failed", "tool_call.failed", Severity::Low, "2026-04-07T14:08:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S08", None),
    ("systemprompt/tool-call-requested", "tool_call.requested", Severity::Informational, "2026-04-07T14:02:18.847Z", "evt_01JR9X5K7M3N2P4Q6R8S02", None),
];

fn fixtures() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/producers");
    let mut files = BTreeMap::new();
    for folder in ["aegis", "aisg", "authos", "cloudevents", "keeptrusts", "ocsf", "otlp", "systemprompt"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = format!("{folder}/{}", path.file_stem().unwrap().to_str().unwrap());
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    files
}

fn normalise(profile: &str, raw: &str) -> (EventBuffer, usize) {
    let normaliser = Normaliser::new(profile, &Redaction::default()).unwrap();
    let context = Context { organization: "acme", source: "gateway", received_ns: RECEIVED_NS };
    let mut buffer = EventBuffer::new();
    let redacted = normaliser.normalise(raw, &context, &mut Scratch::default(), &mut buffer).unwrap();
    (buffer, redacted.redacted)
}

#[test]
fn every_fixture_has_an_expectation() {
    let expected: Vec<_> = EXPECTED.iter().map(|(file, ..)| (*file).to_owned()).collect();
    assert_eq!(fixtures().into_keys().collect::<Vec<_>>(), expected);
}

#[test]
fn documented_events_get_the_documented_envelope() {
    let fixtures = fixtures();
    for (file, event_type, severity, timestamp, id, project) in EXPECTED {
        let (buffer, _) = normalise("auto", &fixtures[*file]);
        let event = buffer.iter().next().unwrap();
        assert_eq!(event.producer(), file.split('/').next().unwrap(), "{file}");
        assert_eq!(event.event_type(), *event_type, "{file}");
        assert_eq!(event.severity(), *severity, "{file}");
        assert_eq!(event.timestamp(), *timestamp, "{file}");
        assert_eq!(event.id(), *id, "{file}");
        assert_eq!(event.project(), *project, "{file}");
        assert_eq!((event.organization(), event.source()), ("acme", "gateway"), "{file}");
        assert_eq!(event.received_ns(), RECEIVED_NS, "{file}");
    }
}

#[test]
fn every_documented_field_survives_redaction_under_every_profile() {
    for (file, raw) in fixtures() {
        let expected: Value = serde_json::from_str(&raw).unwrap();
        for profile in siemaphore_model::profile::names() {
            let (buffer, redacted) = normalise(profile, &raw);
            let document = buffer.iter().next().unwrap().document().to_owned();
            assert_eq!(serde_json::from_str::<Value>(&document).unwrap(), expected, "{file} as {profile}");
            assert!(!document.contains('\n'), "{file} as {profile}");
            assert_eq!(redacted, 0, "{file} as {profile}");
        }
    }
}

#[test]
fn an_event_of_nobody_known_is_generic() {
    let raw = r#"{"id":7,"type":"login.failed","level":"WARN","time":1780949730,"project":{"id":"p"}}"#;
    let (buffer, _) = normalise("auto", raw);
    let event = buffer.iter().next().unwrap();
    assert_eq!((event.producer(), event.id(), event.event_type()), ("generic", "7", "login.failed"));
    assert_eq!((event.severity(), event.project()), (Severity::Medium, Some("p")));
    assert_eq!(event.timestamp(), "2026-06-08T20:15:30Z");
    assert_eq!(event.timestamp_ns(), 1_780_949_730_000_000_000);
}

#[test]
fn a_familiar_name_with_another_meaning_is_passed_over_and_a_documented_one_is_not() {
    let raw = r#"{"id":{"$oid":"5"},"type":["a"],"action":"opened","project":false,"time":{},"severity":[]}"#;
    let (buffer, _) = normalise("auto", raw);
    let event = buffer.iter().next().unwrap();
    assert_eq!((event.id(), event.event_type(), event.project()), ("", "opened", None));
    assert_eq!((event.timestamp_ns(), event.severity()), (RECEIVED_NS, Severity::Informational));

    let normaliser = Normaliser::new("auto", &Redaction::default()).unwrap();
    let context = Context { organization: "acme", source: "gateway", received_ns: RECEIVED_NS };
    let raw = r#"{"event_type":{"a":1}}"#;
    let refusal = normaliser.normalise(raw, &context, &mut Scratch::default(), &mut EventBuffer::new());
    assert_eq!(refusal.unwrap_err().to_string(), "/event_type holds an object; text or a number is expected");
}

#[test]
fn severity_follows_the_event_then_the_table_then_nothing() {
    for (profile, raw, expected) in [
        ("aisg", r#"{"event_type":"dlp.injection_blocked","severity":"Low"}"#, Severity::Low),
        ("aisg", r#"{"event_type":"dlp.injection_blocked","severity":"strange"}"#, Severity::Critical),
        ("aisg", r#"{"event_type":"dlp.injection_blocked","severity":3}"#, Severity::Critical),
        ("aisg", r#"{"event_type":"dlp.injection_blocked","severity":null}"#, Severity::Critical),
        ("aisg", r#"{"event_type":"other"}"#, Severity::Informational),
        ("keeptrusts", r#"{"event_type":"request","action":"block"}"#, Severity::High),
        ("keeptrusts", r#"{"event_type":"blocked"}"#, Severity::High),
        ("aegis", r#"{"aegis":{"decision":"REQUIRES_APPROVAL"}}"#, Severity::Medium),
        ("ocsf", r#"{"class_uid":2004,"severity_id":4,"severity":"Low"}"#, Severity::High),
        ("ocsf", r#"{"class_uid":2004,"severity_id":99,"severity":"Critical"}"#, Severity::Critical),
        ("ocsf", r#"{"class_uid":2004,"severity_id":0}"#, Severity::Informational),
        ("otlp", r#"{"severity_number":0,"severity_text":"FATAL"}"#, Severity::Critical),
        ("otlp", r#"{"severity_number":10,"severity_text":"FATAL"}"#, Severity::Low),
        ("cloudevents", r#"{"type":"a.blocked","severitynumber":13}"#, Severity::Medium),
        ("cloudevents", r#"{"type":"a.b","data":{"action":"block"}}"#, Severity::High),
        ("authos", r#"{"event_type":"user.mfa.disabled","risk_level":"high"}"#, Severity::High),
        ("generic", r#"{"level":" EMERGENCY "}"#, Severity::Critical),
        ("generic", r#"{"severity":5}"#, Severity::Informational),
        ("generic", r#"{"severity_number":17}"#, Severity::High),
        ("generic", r#"{"severity_number":"12"}"#, Severity::Informational),
    ] {
        let (buffer, _) = normalise(profile, raw);
        assert_eq!(buffer.iter().next().unwrap().severity(), expected, "{raw} as {profile}");
    }
}

#[test]
fn what_any_producer_redacts_is_redacted_in_a_cloud_event_too() {
    for producer in ["aegis", "aisg", "authos", "generic", "keeptrusts", "systemprompt"] {
        let path = format!("{}/profiles/{producer}.toml", env!("CARGO_MANIFEST_DIR"));
        let profile: toml::Value = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for pointer in profile["redact"]["pointers"].as_array().unwrap() {
            let mut data = Value::from("content");
            for segment in pointer.as_str().unwrap().rsplit('/').filter(|segment| !segment.is_empty()) {
                data = if segment == "*" { [data].into() } else { serde_json::json!({ segment: data }) };
            }
            let raw = serde_json::json!({"specversion": "1.0", "type": "t", "source": "s", "data": data});
            let (buffer, redacted) = normalise("cloudevents", &raw.to_string());
            let document = buffer.iter().next().unwrap().document().to_owned();
            assert_eq!(redacted, 1, "{producer} {pointer}");
            assert!(!document.contains("content"), "{document}");
        }
    }
}

#[test]
fn an_operators_profile_is_tried_first_and_names_the_producer() {
    let own: siemaphore_model::Profile = toml::from_str(
        r#"
        name = "gatekeeper"
        detect = [[{ at = "/vendor", is = "gatekeeper*" }]]
        envelope = { id = ["/uid"], type = ["/what"], time = ["/when"], project = ["/team"] }
        redact = { pointers = ["/said"] }
        [severity]
        fields = [{ at = "/risk", words = [["scary", "critical"]], numbers = [[0, "low"], [50, "high"]] }]
        tables = [{ of = "type", rules = [["*.refused", "medium"]] }]
        "#,
    )
    .unwrap();
    assert_eq!(own.problems(), []);
    let own = [own];
    let read = |profile: &str, raw: &str| {
        let normaliser = Normaliser::with_profiles(&own, profile, &Redaction::default()).unwrap();
        let context = Context { organization: "acme", source: "gateway", received_ns: RECEIVED_NS };
        let mut buffer = EventBuffer::new();
        normaliser.normalise(raw, &context, &mut Scratch::default(), &mut buffer).unwrap();
        let event = buffer.iter().next().unwrap();
        (
            event.producer().to_owned(),
            event.event_type().to_owned(),
            event.severity(),
            event.document().to_owned(),
        )
    };
    // It would be AISG's by `source`, if the operator did not know better.
    let raw = r#"{"vendor":"gatekeeper 2","source":"aisg","what":"call.refused","said":"hi","risk":"scary"}"#;
    let redacted = raw.replace("\"hi\"", "\"[redacted]\"");
    let expected = ("gatekeeper".to_owned(), "call.refused".to_owned(), Severity::Critical, redacted);
    assert_eq!(read("auto", raw), expected);
    assert_eq!(read("gatekeeper", raw), expected);
    assert_eq!(read("gatekeeper", r#"{"risk":60}"#).2, Severity::High);
    assert_eq!(read("gatekeeper", r#"{"what":"a.refused"}"#).2, Severity::Medium);
    assert_eq!(read("gatekeeper", "{}").1, "event");
    assert_eq!(read("auto", r#"{"source":"aisg","event_type":"a"}"#).0, "aisg");
    let unknown = Normaliser::with_profiles(&own, "gatekeper", &Redaction::default()).unwrap_err();
    assert!(unknown.to_string().contains("generic, gatekeeper"), "{unknown}");
}

#[test]
fn a_version_that_the_profile_does_not_know_is_told_or_refused_and_minor_ones_make_no_difference() {
    let own = r#"
        name = "gatekeeper"
        detect = [[{ at = "/vendor", is = "gatekeeper" }]]
        version = { at = "/v/major", known = [2, 3] }
    "#;
    let own: [siemaphore_model::Profile; 1] = [toml::from_str(own).unwrap()];
    assert_eq!(own[0].problems(), []);
    let accepting = Normaliser::with_profiles(&own, "auto", &Redaction::default()).unwrap();
    let refusing = Normaliser::with_profiles(&own, "auto", &Redaction::default()).unwrap();
    let refusing = refusing.refusing_unknown_versions();
    let context = Context { organization: "acme", source: "gateway", received_ns: RECEIVED_NS };
    let read = |normaliser: &Normaliser, raw: &str| {
        let mut buffer = EventBuffer::new();
        let read = normaliser.normalise(raw, &context, &mut Scratch::default(), &mut buffer);
        assert_eq!(buffer.len(), usize::from(read.is_ok()));
        read.map(|read| read.unknown_version.map(|unknown| unknown.to_string()))
    };
    let systemprompt = |version: &str| {
        format!(r#"{{"event_type":"a","agent":{{"agent_id":"x"}},"schema_version":{version}}}"#)
    };
    for known in [
        systemprompt(r#""1.2.0""#),
        systemprompt(r#""1.99""#),
        systemprompt("1"),
        systemprompt("null"),
        r#"{"event_type":"a","agent":{"agent_id":"x"}}"#.to_owned(),
        r#"{"specversion":"1.0","type":"a","source":"b"}"#.to_owned(),
        r#"{"class_uid":2004,"severity_id":1,"metadata":{"version":"1.8.0"}}"#.to_owned(),
        r#"{"vendor":"gatekeeper","v":{"major":3.5}}"#.to_owned(),
        // No profile that knows versions.
        r#"{"schema_version":"77"}"#.to_owned(),
    ] {
        assert_eq!(read(&accepting, &known), Ok(None), "{known}");
        assert_eq!(read(&refusing, &known), Ok(None), "{known}");
    }
    for (unknown, told) in [
        (systemprompt(r#""2.0.0""#), "/schema_version is version 2.0.0; the profile systemprompt knows 1"),
        (
            systemprompt(r#""canary""#),
            "/schema_version is version (unreadable); the profile systemprompt knows 1",
        ),
        (
            r#"{"specversion":"0.3","type":"a","source":"b"}"#.to_owned(),
            "/specversion is version 0.3; the profile cloudevents knows 1",
        ),
        (
            r#"{"class_uid":2004,"severity_id":1,"metadata":{"version":"2.0"}}"#.to_owned(),
            "/metadata/version is version 2.0; the profile ocsf knows 1",
        ),
        (
            r#"{"vendor":"gatekeeper","v":{"major":1}}"#.to_owned(),
            "/v/major is version 1; the profile gatekeeper knows 2, 3",
        ),
    ] {
        assert_eq!(read(&accepting, &unknown), Ok(Some(told.to_owned())), "{unknown}");
        assert_eq!(read(&refusing, &unknown).unwrap_err().to_string(), told, "{unknown}");
    }
}

#[test]
fn an_event_without_a_readable_time_happened_when_it_was_received() {
    for time in [r#""soon""#, "5", "null", "true", "[]", r#""""#] {
        let (buffer, _) = normalise("aisg", &format!(r#"{{"event_type":"t","timestamp":{time}}}"#));
        let event = buffer.iter().next().unwrap();
        assert_eq!(
            (event.timestamp_ns(), event.timestamp()),
            (RECEIVED_NS, "2027-01-15T08:00:00Z"),
            "{time}"
        );
    }
}

#[test]
fn a_long_id_is_cut_in_the_envelope_and_whole_in_the_document() {
    let id = "ü".repeat(200);
    let (buffer, _) = normalise("aisg", &format!(r#"{{"event_type":"t","request_id":"{id}"}}"#));
    let event = buffer.iter().next().unwrap();
    assert_eq!(event.id(), "ü".repeat(128));
    assert!(event.document().contains(&id));
}

#[test]
fn the_key_depends_on_source_and_document() {
    let key = |raw| normalise("auto", raw).0.iter().next().unwrap().key();
    assert_eq!(key(r#"{"id":1}"#), key(" {\"id\":1}\n"));
    assert_ne!(key(r#"{"id":1}"#), key(r#"{"id":1,"a":2}"#));
}
