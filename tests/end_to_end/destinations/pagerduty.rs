use siemaphore_receiver::Siem;

use super::{Row, one_each, text_at};

/// Of the length that PagerDuty wants.
const INTEGRATION_KEY: &str = "c0ffee00canarypagerdutyc0ffee00e";

pub(super) fn row() -> Row {
    Row {
        formatter: "pagerduty",
        siem: Siem::pagerduty(INTEGRATION_KEY),
        secret: INTEGRATION_KEY,
        configuration: "endpoint = \"{endpoint}\"\n\
                        settings = { client_url = \"https://siemaphore.example.com\" }",
        key: |received| text_at(received, "/dedup_key"),
        records: one_each,
    }
}
