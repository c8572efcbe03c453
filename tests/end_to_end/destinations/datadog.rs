use siemaphore_receiver::Siem;

use super::{Row, one_each, text_at};

const API_KEY: &str = "c0ffee00canarydatadogc0ffee00every";

pub(super) fn row() -> Row {
    Row {
        formatter: "datadog",
        siem: Siem::datadog(API_KEY),
        secret: API_KEY,
        configuration: "endpoint = \"{endpoint}\"",
        key: |received| text_at(received, "/event_key"),
        records: one_each,
    }
}
