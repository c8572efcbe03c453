//! Destinations that call people: only what is serious gets there, once, and what goes wrong on the way loses nothing.

use std::time::Duration;

use serde_json::{Value, json};
use siemaphore_receiver::{Certificate, Fault, Receiver, Siem};

use crate::support::events::now;
use crate::support::{PATIENCE, Scene};

const INTEGRATION_KEY: &str = "c0ffee00canarypagerdutynotificat";
const WEBHOOK: &str = "T0CANARY/B0CANARY/c0ffee00canaryslacknotification";
const SEVERITIES: [&str; 5] = ["informational", "low", "medium", "high", "critical"];

/// A scene with both destinations, as their pages set them up.
struct Notified {
    scene: Scene,
    pagerduty: Receiver,
    slack: Receiver,
}

impl Notified {
    async fn start(integration_key: &str) -> Notified {
        let certificate = Certificate::generate().unwrap();
        let stage = Scene::new().set().await;
        std::fs::write(stage.path("people.pem"), certificate.ca_pem()).unwrap();
        let pagerduty = Receiver::start(Siem::pagerduty(INTEGRATION_KEY), &certificate).await.unwrap();
        let slack = Receiver::start(Siem::slack(WEBHOOK), &certificate).await.unwrap();
        let key_file = stage.secret_file("pagerduty", integration_key);
        let webhook_file = stage.secret_file("slack", WEBHOOK);
        let tables = [
            table("pagerduty", &pagerduty.endpoint(), &key_file, "alert_per = [\"event_type\", \"user_id\"]"),
            table(
                "slack",
                &format!("{}/services/{{secret}}", slack.endpoint()),
                &webhook_file,
                "mentions = { critical = \"<!here>\" }",
            ),
        ];
        stage.edit(|text| text + &tables.concat());
        Notified { scene: stage.start(None).await, pagerduty, slack }
    }

    async fn stop(self) {
        let log = self.scene.host.log.all().join("\n");
        for secret in [INTEGRATION_KEY, WEBHOOK, "c0ffee00canaryslacknotification"] {
            assert!(!log.contains(secret), "{secret} is in the log");
        }
        self.scene.stop().await;
        for receiver in [self.pagerduty, self.slack] {
            assert_eq!(receiver.violations(), []);
            receiver.stop().await;
        }
    }
}

fn table(name: &str, endpoint: &str, secret: &str, settings: &str) -> String {
    format!(
        "\n[[destination]]\nname = \"{name}\"\norganization = \"acme\"\nformatter = \"{name}\"\n\
         endpoint = \"{endpoint}\"\nca_file = \"people.pem\"\nsecret = \"file:{secret}\"\n\
         minimum_severity = \"high\"\nevents_per_second = 1\nconcurrency = 1\nage_limit = \"6h\"\n\
         [destination.settings]\n{settings}\n"
    )
}

/// One event of each severity, all of them about one user, whose words are not to be trusted.
fn of_each_severity() -> Vec<Value> {
    let event = |severity: &&str| {
        json!({
            "event_type": "dlp.pii_blocked",
            "severity": severity,
            "timestamp": now(),
            "user_id": "u-4711",
            "reason": format!("{severity}: <!channel> R&D <https://evil.example|sign in>"),
        })
    };
    SEVERITIES.iter().map(event).collect()
}

#[tokio::test]
async fn only_what_is_serious_calls_people_and_events_of_one_user_share_an_alert() {
    let notified = Notified::start(INTEGRATION_KEY).await;
    notified.slack.script(vec![Fault::RetryAfter(Duration::from_secs(1))]);
    notified.scene.send(&of_each_severity()).await;

    let alerts = notified.pagerduty.wait_for(2, PATIENCE).await.unwrap();
    let severities: Vec<&Value> = alerts.iter().map(|alert| &alert.record["payload"]["severity"]).collect();
    assert_eq!(severities, ["error", "critical"]);
    for alert in &alerts {
        assert_eq!(alert.record["dedup_key"], r#"["acme","dlp.pii_blocked","u-4711"]"#);
    }

    let messages = notified.slack.wait_for(2, PATIENCE).await.unwrap();
    let texts: Vec<&str> = messages.iter().map(|message| message.record["text"].as_str().unwrap()).collect();
    let words = "&lt;!channel&gt; R&amp;D &lt;https://evil.example|sign in&gt; (user u-4711)";
    let expected = [
        format!("*High*: dlp.pii_blocked: high: {words}"),
        format!("<!here> *Critical*: dlp.pii_blocked: critical: {words}"),
    ];
    assert_eq!(texts, expected);

    for name in ["pagerduty", "slack"] {
        let view = notified.scene.until(name, "settled", |view| view["ledger"]["waiting"] == 0).await;
        assert_eq!(
            (&view["ledger"]["delivered"], &view["ledger"]["filtered"]),
            (&json!(2), &json!(3)),
            "{name}"
        );
    }
    notified.stop().await;
}

/// PagerDuty says 400 to a wrong key, as it does to a bad event, and a bad event would be given up.
#[tokio::test]
async fn a_wrong_integration_key_holds_and_calls_people_once_it_is_corrected() {
    let notified = Notified::start(&"0".repeat(32)).await;
    notified.scene.send(&of_each_severity()).await;
    let holding = |view: &Value| view["status"]["state"] == "holding";
    let held = notified.scene.until("pagerduty", "holding", holding).await;
    let hint = held["status"]["last_error"]["hint"].as_str().unwrap();
    assert!(hint.contains("integration key of an Events API v2 integration"), "{held:#}");
    assert_eq!(notified.slack.wait_for(2, PATIENCE).await.unwrap().len(), 2, "the other goes on");

    notified.scene.correct_secret("pagerduty", INTEGRATION_KEY);
    notified.scene.until_test_succeeds("pagerduty").await;
    let alerts = notified.pagerduty.wait_for(3, PATIENCE).await.unwrap();
    let classes = alerts.iter().map(|alert| alert.record["payload"]["class"].as_str().unwrap());
    let mut classes: Vec<&str> = classes.collect();
    // What waited may be tried again before the test comes through.
    classes.sort_unstable();
    assert_eq!(classes, ["dlp.pii_blocked", "dlp.pii_blocked", "siemaphore.test"]);
    let view = notified.scene.until("pagerduty", "settled", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!((&view["ledger"]["delivered"], &view["ledger"]["dead_lettered"]), (&json!(2), &json!(0)));
    notified.stop().await;
}
