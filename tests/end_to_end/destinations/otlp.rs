use siemaphore_receiver::{Received, Siem};

use super::{Row, one_each};

const TOKEN: &str = "canary-otlp-every-destination";

pub(super) fn row() -> Row {
    Row {
        formatter: "otlp",
        siem: Siem::otlp(TOKEN),
        secret: TOKEN,
        configuration: "endpoint = \"{endpoint}\"",
        key,
        records: one_each,
    }
}

fn key(received: &Received) -> String {
    let attributes = received.record["logRecord"]["attributes"].as_array().expect("a list");
    let uid = attributes.iter().find(|attribute| attribute["key"] == "log.record.uid");
    uid.and_then(|uid| uid["value"]["stringValue"].as_str().map(str::to_owned)).expect("a key")
}
