//! A source's events have to fit its schema, whichever way they come in; what does not is refused, counted and shown.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Entry, Scene, output, request, run, spawn};

const SCHEMA: &str = r##"{
    "$defs": {"user": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
    "type": "object",
    "required": ["request_id", "user"],
    "properties": {"request_id": {"type": "string"}, "user": {"$ref": "#/$defs/user"}, "prompt": {"type": "object"}}
}"##;

/// The gateway of the scene and a followed file, both with a schema.
fn with_schema(text: String) -> String {
    let text = text.replacen("[[source]]\n", "[[source]]\nschema = \"events.schema.json\"\n", 1);
    format!(
        "{text}\n[[source]]\nname = \"tail\"\nkind = \"file\"\norganization = \"acme\"\n\
         path = \"logs/*.jsonl\"\nschema = \"events.schema.json\"\n"
    )
}

fn event(id: &str, user: &Value) -> Value {
    // Redaction makes text of the prompt: the schema is asked before.
    json!({ "event_type": "dlp.pii_blocked", "request_id": id, "user": user, "prompt": {"text": "canary"} })
}

async fn source(scene: &Scene, name: &str) -> Value {
    let sources = scene.ask(&["source", "list", "--json"]).await.expect(0).json();
    let all = sources.as_array().unwrap();
    all.iter().find(|source| source["name"] == name).unwrap().clone()
}

#[tokio::test]
async fn what_does_not_fit_the_schema_of_its_source_is_refused_counted_and_shown() {
    let stage = Scene::new().splunk().set().await;
    fs::create_dir(stage.path("logs")).unwrap();
    fs::write(stage.path("events.schema.json"), SCHEMA).unwrap();
    stage.edit(with_schema);
    let scene = stage.start(None).await;
    let (fits, not) = (json!({"id": "u-1"}), json!({"id": 4711}));

    let sent = [event("a-0", &fits), event("a-1", &not), event("a-2", &fits), json!({"user": fits})];
    let answer = scene.post(&[], Value::from(sent.to_vec()).to_string()).await.expect(200).json();
    assert_eq!(answer["accepted"], 2);
    assert_eq!(
        answer["refused"],
        json!([
            {"index": 1, "reason": "/user/id: the value is not of type \"string\""},
            {"index": 3, "reason": "the event: \"request_id\" is a required property"},
        ])
    );
    let told = |entry: &Entry| entry.message == "refused an event" && entry.field("source") == "gateway";
    let line = scene.host.log.wait(0, "a refused event", told).await;
    assert_eq!(line.field("reason"), "/user/id: the value is not of type \"string\"");

    // A followed file: what is refused is passed over.
    let lines = [event("b-0", &not), event("b-1", &fits)].map(|event| event.to_string());
    fs::write(scene.path("logs/app.jsonl"), format!("{}\n{}\n", lines[0], lines[1])).unwrap();
    scene.splunk().arrived(3).await;
    let passed_over = |entry: &Entry| entry.message.starts_with("passed over");
    let line = scene.host.log.wait(0, "a refused line", passed_over).await;
    assert!(line.field("place").ends_with("/logs/app.jsonl at byte 0"), "{line:?}");

    // A backfill: the rest of the file goes in.
    let backfill = scene.path("backfill.jsonl");
    let lines: Vec<String> = (0..30)
        .map(|n| event(&format!("c-{n}"), if n % 10 == 0 { &not } else { &fits }).to_string())
        .collect();
    fs::write(&backfill, lines.join("\n")).unwrap();
    let to = format!("http://{}", scene.host.intake);
    let token = format!("file:{}", scene.path("source.secret").display());
    let sent = output(spawn(&["send", backfill.to_str().unwrap(), "--to", &to, "--token", &token])).await;
    sent.shows(&["/user/id: the value is not of type \"string\""]);
    scene.splunk().arrived(30).await;

    let gateway = source(&scene, "gateway").await;
    assert_eq!(gateway["kind"], "http");
    assert_eq!(gateway["state"], "listening");
    assert_eq!(gateway["has_schema"], true);
    assert_eq!((&gateway["accepted"], &gateway["refused"]), (&json!(29), &json!(5)));
    assert_eq!(gateway["refused_by"], json!({"schema": 5}));
    assert_eq!(gateway["last_refusal"]["text"], "/user/id: the value is not of type \"string\"");
    let tail = source(&scene, "tail").await;
    assert_eq!((&tail["kind"], &tail["state"]), (&json!("file"), &json!("fetching")));
    assert_eq!((&tail["accepted"], &tail["refused_by"]), (&json!(1), &json!({"schema": 1})));
    scene.ask(&["source", "list"]).await.expect(0).shows(&[
        "acme/gateway",
        "listening",
        "acme/gateway had 5 events refused: schema 5",
        "acme/tail had 1 event refused: schema 1",
        "the last, ",
    ]);
    scene
        .measures(&[
            "siemaphore_intake_refused_events_total{source=\"gateway\",reason=\"schema\"} 5",
            "siemaphore_intake_refused_events_total{source=\"gateway\",reason=\"not-json\"} 0",
            "siemaphore_intake_refused_events_total{source=\"tail\",reason=\"schema\"} 1",
        ])
        .await;
    scene.stop().await;
}

#[tokio::test]
async fn events_of_an_unknown_version_are_accepted_with_a_warning_or_refused_as_the_source_says() {
    let stage = Scene::new().splunk().set().await;
    let token = stage.secret_file("strict", "canary-strict-token-4711");
    stage.edit(|text| {
        format!(
            "{text}\n[[source]]\nname = \"strict\"\norganization = \"acme\"\ntoken = \"file:{token}\"\n\
             unknown_schema_version = \"refuse\"\n"
        )
    });
    let scene = stage.start(None).await;
    let event = |id: &str, version: &str| json!({"event_type": "tool_call.blocked", "event_id": id, "agent": {"agent_id": "a"}, "schema_version": version});
    let body = json!([event("a", "1.9.0"), event("b", "2.0.0"), event("c", "2.0.0")]).to_string();
    scene.post(&[], body.clone()).await.expect(200);
    let told = "/schema_version is version 2.0.0; the profile systemprompt knows 1";
    let is_it = |entry: &Entry| entry.message.starts_with("accepted an event of a version");
    assert_eq!(scene.host.log.wait(0, "the version", is_it).await.field("version"), told);

    let headers = [("authorization", "Bearer canary-strict-token-4711")];
    let answer = request(scene.host.intake, "POST", "/v1/events", &headers, body).await.expect(200).json();
    assert_eq!(answer["refused"][0], json!({"index": 1, "reason": told}));
    scene.splunk().arrived(4).await;
    assert_eq!(source(&scene, "gateway").await["unknown_versions"], json!({ told: 2 }));
    assert_eq!(source(&scene, "strict").await["refused_by"], json!({"schema-version": 2}));
    let shown = format!("acme/gateway had 2 events accepted of an unknown version: {told}");
    scene
        .ask(&["source", "list"])
        .await
        .expect(0)
        .shows(&[&shown, "acme/strict had 2 events refused: schema-version 2"]);
    scene
        .measures(&[
            "siemaphore_intake_unknown_version_events_total{source=\"gateway\"} 2",
            "siemaphore_intake_unknown_version_events_total{source=\"strict\"} 0",
            "siemaphore_intake_refused_events_total{source=\"strict\",reason=\"schema-version\"} 2",
            "siemaphore_intake_requests_total{source=\"strict\",way=\"events\"} 1",
        ])
        .await;
    scene.stop().await;
}

#[tokio::test]
async fn a_schema_that_cannot_be_used_is_a_problem_of_the_configuration() {
    let stage = Scene::new().splunk().set().await;
    stage.edit(|text| text.replacen("[[source]]\n", "[[source]]\nschema = \"events.schema.json\"\n", 1));
    let configuration = stage.configuration();
    let check = ["check", "--config", configuration.to_str().unwrap()];
    let text = fs::read_to_string(&configuration).unwrap();
    let line = text.lines().position(|line| line.starts_with("schema = ")).unwrap() + 1;
    let place = format!("line {line}, column 1: ");
    run(&check).await.expect(2).shows(&[&place, "cannot read the schema", "name a readable file"]);
    for (schema, told, hint) in [
        ("{", "the schema is not JSON: ", "write a JSON Schema"),
        (r#"{"properties":{"a":{"type":"text"}}}"#, "at /properties/a/type: ", "mend it there"),
        (
            r#"{"$ref":"https://example.com/x"}"#,
            "refers to `https://example.com/x`, which is not in it",
            "nothing is fetched",
        ),
        (r##"{"$ref":"#/$defs/none"}"##, "refers to `/$defs/none`, which is not in it", "nothing is fetched"),
        (&" ".repeat(2 << 20), "has more than 1048576 bytes", "keep what is about this source's events"),
    ] {
        fs::write(stage.path("events.schema.json"), schema).unwrap();
        run(&check).await.expect(2).shows(&[&place, told, hint]);
    }
    fs::write(stage.path("events.schema.json"), SCHEMA).unwrap();
    run(&check).await.expect(0);
}

/// Each level of the event asks two questions of the next, and 2^60 in all.
#[tokio::test]
async fn a_schema_whose_questions_multiply_neither_hangs_the_start_nor_a_request() {
    let below = json!({"properties": {"a": {"$ref": "#/$defs/level"}}});
    let way = |wanted: &str| json!({"allOf": [below, {"required": [wanted]}]});
    let schema = json!({"$defs": {"level": {"anyOf": [way("b"), way("c")]}}, "$ref": "#/$defs/level"});
    let stage = Scene::new().splunk().set().await;
    fs::write(stage.path("events.schema.json"), schema.to_string()).unwrap();
    stage.edit(|text| text.replacen("[[source]]\n", "[[source]]\nschema = \"events.schema.json\"\n", 1));
    let scene = stage.start(None).await;
    let deep = format!("{}{{}}{}", r#"{"a":"#.repeat(60), "}".repeat(60));
    scene.post(&[], deep).await.expect(422);
    scene.post(&[], r#"{"request_id":"one","b":1,"a":{"c":1}}"#).await.expect(200);
    scene.splunk().arrived(1).await;
    scene.stop().await;
}
