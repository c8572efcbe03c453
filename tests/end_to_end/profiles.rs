//! A producer that no shipped profile knows, read by a profile that its operator wrote.

use serde_json::json;

use crate::support::{Scene, run, run_in};

const PROFILE: &str = r#"
[[profile]]
name = "gatekeeper"
detect = [[{ at = "/vendor", is = "gatekeeper*" }]]
envelope = { id = ["/uid"], type = ["/what"], time = ["/when"], project = ["/team"] }
redact = { pointers = ["/said"] }

[profile.severity]
fields = [{ at = "/risk", words = [["scary", "critical"]] }]
"#;

#[tokio::test]
async fn an_operators_profile_reads_what_the_shipped_ones_do_not_know() {
    let stage = Scene::new().splunk().set().await;
    stage.edit(|text| text + PROFILE);
    let event = json!({
        "vendor": "gatekeeper 2", "uid": "g-1", "what": "call.refused", "risk": "scary", "said": "a question",
    });
    let (configuration, file) = (stage.configuration(), stage.path("event.json"));
    std::fs::write(&file, event.to_string()).unwrap();
    let (configuration, file) = (configuration.to_str().unwrap(), file.to_str().unwrap());

    let tried = run(&["profile", "try", file, "--config", configuration]).await.expect(0);
    tried.shows(&["gatekeeper", "g-1", "call.refused", "critical", "[redacted]", "1 value was redacted"]);
    let tried = run(&["profile", "try", file, "--json"]).await.expect(0).json();
    assert_eq!(tried["events"][0]["producer"], "generic", "{tried:#}");
    let unknown = run(&["profile", "try", file, "--profile", "gatekeeper"]).await.expect(1);
    unknown.shows(&["there is no profile \"gatekeeper\"", "--config FILE"]);
    let formatted =
        ["plugin", "format", "splunk", file, "--config", configuration, "--profile", "gatekeeper"];
    let examples = "settings and endpoint are the formatter's own example";
    run(&formatted).await.expect(0).shows(&["call.refused", examples]);
    let folder = stage.path("");
    let tried = run_in(&folder, &["profile", "try", "event.json"]).await.expect(0);
    tried.shows(&["gatekeeper", "[redacted]"]);
    let formatted = ["plugin", "format", "splunk", "event.json", "--destination", "splunk"];
    let formatted = run_in(&folder, &formatted).await.expect(0);
    formatted.shows(&["call.refused", "[redacted]"]);
    assert!(!formatted.stdout.contains("splunk.example.com"), "{formatted:#?}");
    assert!(!formatted.stderr.contains("example"), "{formatted:#?}");
    let formatted = ["plugin", "format", "splunk", "event.json", "--destination", "splnk"];
    run_in(&folder, &formatted).await.expect(1).shows(&["no destination `splnk`", "/splunk"]);

    let scene = stage.start(None).await;
    scene.send(&[event]).await;
    let arrived = scene.splunk().arrived(1).await;
    let fields = &arrived[0].record["fields"];
    assert_eq!((&fields["producer"], &fields["severity"]), (&json!("gatekeeper"), &json!("critical")));
    assert_eq!(arrived[0].record["event"]["said"], "[redacted]");
    scene.stop().await;
}
