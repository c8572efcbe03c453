//! Every documented event's message against the models in Slack's own client.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_slack::Slack;
use siemaphore_producers::samples;
use siemaphore_sdk::testkit;

#[test]
fn slacks_own_models_take_every_message() {
    let configured = testkit::configure::<Slack>("{}").unwrap();
    let samples = samples();
    let messages: Vec<String> = samples.iter().map(|sample| configured.record(&sample.event)).collect();
    let taken = siemaphore_third_party::python("slack_models.py", &[], &messages.join("\n"));
    assert_eq!(taken.lines().count(), samples.len());
}
