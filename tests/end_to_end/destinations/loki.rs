use siemaphore_receiver::Siem;

use super::{Row, one_each, text_at};

const USER: &str = "123456";
const TOKEN: &str = "c0ffee00canarylokic0ffee00every";

pub(super) fn row() -> Row {
    Row {
        formatter: "loki",
        siem: Siem::loki(USER, TOKEN),
        secret: TOKEN,
        configuration: "endpoint = \"{endpoint}\"\nauthentication = { scheme = \"basic\", username = \"123456\" }\n\
                        settings = { tenant = \"soc-{organization}\" }",
        key: |received| text_at(received, "/metadata/event_key"),
        records: one_each,
    }
}
