//! Every documented event's log against the model in Datadog's own client.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_datadog::Datadog;
use siemaphore_producers::samples;
use siemaphore_sdk::testkit;

#[test]
fn datadogs_own_client_takes_every_log() {
    let configured = testkit::configure::<Datadog>("{}").unwrap();
    let samples = samples();
    let logs: Vec<String> = samples.iter().map(|sample| configured.record(&sample.event)).collect();
    let taken = siemaphore_third_party::python("datadog_model.py", &[], &logs.join("\n"));
    assert_eq!(taken.lines().count(), samples.len());
}
