//! Every documented event against the models that two other projects made of the OCSF schema.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::json;
use siemaphore_formatter_ocsf::Ocsf;
use siemaphore_producers::samples;
use siemaphore_sdk::testkit;

#[test]
fn published_models_take_every_event_in_both_classes() {
    let samples = samples();
    for class in ["by_event", "detection_finding", "api_activity"] {
        let configured = testkit::configure::<Ocsf>(&json!({ "class": class }).to_string()).unwrap();
        let events: Vec<String> = samples.iter().map(|sample| configured.record(&sample.event)).collect();
        let taken = siemaphore_third_party::python("ocsf_models.py", &[], &events.join("\n"));
        assert_eq!(taken.lines().count(), samples.len());
    }
}
