//! OpenTelemetry's log records come in beside other events and arrive at a SIEM.

use serde_json::json;

use crate::support::{Scene, TOKEN, request};
use crate::third_party;

#[tokio::test]
async fn log_records_of_an_exporter_arrive_with_their_severity_and_attributes() {
    let scene = Scene::new().splunk().start().await;
    let record = |name: &str, number: u32, attributes: serde_json::Value| json!({ "severityNumber": number, "eventName": name, "attributes": attributes });
    let user = json!([
        { "key": "user.id", "value": { "stringValue": "usr_1" } },
        { "key": "gen_ai.input.messages", "value": { "stringValue": "what people asked" } },
    ]);
    let records = [
        record("dlp.pii_blocked", 17, user),
        record("session.started", 9, json!([])),
        json!({ "traceId": "not hexadecimal" }),
    ];
    let service = json!([{ "key": "service.name", "value": { "stringValue": "ai-gateway" } }]);
    let body = json!({ "resourceLogs": [{
        "resource": { "attributes": service },
        "scopeLogs": [{ "scope": { "name": "aisg" }, "logRecords": records }],
    }] });
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = request(scene.host.intake, "POST", "/v1/logs", &headers, body.to_string()).await;
    let partial = &answer.expect(200).json()["partialSuccess"];
    assert_eq!(partial["rejectedLogRecords"], "1", "{partial}");

    let arrived = scene.splunk().arrived(2).await;
    let of_type = |event_type: &str| {
        let found = arrived
            .iter()
            .map(|received| &received.record)
            .find(|record| record["fields"]["event_type"] == event_type);
        found.unwrap_or_else(|| panic!("no {event_type} in {arrived:#?}"))
    };
    let blocked = of_type("dlp.pii_blocked");
    assert_eq!(blocked["fields"]["severity"], "high");
    assert_eq!(blocked["fields"]["producer"], "otlp");
    assert_eq!(blocked["event"]["attributes"]["user.id"], "usr_1");
    assert_eq!(blocked["event"]["attributes"]["gen_ai.input.messages"], "[redacted]");
    assert_eq!(blocked["event"]["resource"]["attributes"]["service.name"], "ai-gateway");
    assert_eq!(of_type("session.started")["fields"]["severity"], "informational");

    let headers = [("content-type", "application/json")];
    let answer = request(scene.host.intake, "POST", "/v1/logs", &headers, body.to_string()).await;
    assert_eq!(answer.expect(401).json()["code"], 16);
    let bad = [("authorization", bearer.as_str()), ("content-type", "application/x-protobuf")];
    request(scene.host.intake, "POST", "/v1/logs", &bad, "no message").await.expect(400);
    scene
        .measures(&[
            "siemaphore_intake_requests_total{source=\"gateway\",way=\"logs\"} 2",
            "siemaphore_intake_accepted_events_total{source=\"gateway\"} 2",
            "siemaphore_intake_refused_requests_total{source=\"gateway\",reason=\"unreadable\"} 1",
            "siemaphore_intake_unauthorized_requests_total 1",
        ])
        .await;
    scene.stop().await;
}

#[tokio::test]
async fn opentelemetrys_sdks_export_in_protobuf_and_in_json() {
    let scene = Scene::new().splunk().start().await;
    let endpoint = format!("http://{}/v1/logs", scene.host.intake);
    third_party::python("otel_logs.py", &[&endpoint, TOKEN], "").await;
    third_party::node("otel_logs.mjs", &[&endpoint, TOKEN], "").await;

    let arrived = scene.splunk().arrived(6).await;
    let whole_numbers = [("python", json!(9_007_199_254_740_993_u64)), ("javascript", json!(7))];
    for (sdk, whole) in whole_numbers {
        let of_sdk = arrived.iter().map(|received| &received.record);
        let of_sdk: Vec<_> = of_sdk.filter(|record| record["event"]["attributes"]["sdk"] == sdk).collect();
        assert_eq!(of_sdk.len(), 3, "{sdk}: {arrived:#?}");
        for record in of_sdk {
            let event = &record["event"];
            assert_eq!(record["fields"]["event_type"], "dlp.pii_blocked");
            assert_eq!(record["fields"]["severity"], "high");
            assert_eq!(event["attributes"]["whole"], whole, "{sdk}");
            assert_eq!(event["attributes"]["raw"], "AP8=", "{sdk}");
            assert_eq!(event["body"]["findings"][0]["type"], "EMAIL", "{sdk}");
            assert_eq!(event["resource"]["attributes"]["tags"], json!(["a", "b"]), "{sdk}");
        }
    }
    scene.stop().await;
}
