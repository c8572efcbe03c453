use siemaphore_receiver::Siem;

use super::{Row, one_each, text_at};

const TOKEN: &str = "c0ffee00canarysumologicc0ffee00every";

pub(super) fn row() -> Row {
    Row {
        formatter: "sumologic",
        siem: Siem::sumologic(TOKEN),
        secret: TOKEN,
        configuration: "endpoint = \"{endpoint}/receiver/v1/http/{secret}\"\n\
                        settings = { category = \"security/{producer}\", sumo_fields = { team = \"soc\" } }",
        key: |received| text_at(received, "/event_key"),
        records: one_each,
    }
}
