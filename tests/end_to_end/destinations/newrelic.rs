use siemaphore_receiver::Siem;

use super::{Row, one_each, text_at};

const LICENSE_KEY: &str = "c0ffee00canarynewrelicc0ffee00every";

pub(super) fn row() -> Row {
    Row {
        formatter: "newrelic",
        siem: Siem::newrelic(LICENSE_KEY),
        secret: LICENSE_KEY,
        configuration: "endpoint = \"{endpoint}\"\nsettings = { attributes = { environment = \"test\" } }",
        key: |received| text_at(received, "/attributes/event_key"),
        records: one_each,
    }
}
