use siemaphore_receiver::Siem;

use super::{Row, one_each, text_at};

const USER: &str = "siemaphore";
const PASSWORD: &str = "c0ffee00canarylogstashc0ffee00every";

pub(super) fn row() -> Row {
    Row {
        formatter: "logstash",
        siem: Siem::logstash(USER, PASSWORD),
        secret: PASSWORD,
        configuration: "endpoint = \"{endpoint}\"\n\
                        authentication = { scheme = \"basic\", username = \"siemaphore\" }\nsettings = { tags = [\"ai\"] }",
        key: |received| text_at(received, "/event_key"),
        records: one_each,
    }
}
