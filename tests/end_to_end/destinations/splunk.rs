use siemaphore_receiver::Siem;

use super::{Row, one_each, text_at};

const TOKEN: &str = "5d6f3c1e-1f0b-4a53-9d4e-canaryevery0";

pub(super) fn row() -> Row {
    Row {
        formatter: "splunk",
        siem: Siem::splunk_hec(TOKEN),
        secret: TOKEN,
        configuration: "endpoint = \"{endpoint}\"",
        key: |received| text_at(received, "/fields/event_key"),
        records: one_each,
    }
}
