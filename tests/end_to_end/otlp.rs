//! OpenTelemetry's log records come in beside other events and arrive at a SIEM.

use serde_json::json;

use crate::support::{Scene, TOKEN, request};

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
    scene.stop().await;
}
