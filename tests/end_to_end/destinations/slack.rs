use siemaphore_receiver::Siem;

use super::{Row, one_each, text_at};

const SECRET: &str = "T0CANARY/B0CANARY/c0ffee00canaryslackc0ffee00every";

pub(super) fn row() -> Row {
    Row {
        formatter: "slack",
        siem: Siem::slack(SECRET),
        secret: SECRET,
        configuration: "endpoint = \"{endpoint}/services/{secret}\"\n\
                        settings = { mentions = { critical = \"<!here>\" } }",
        // The last of the small print, as code.
        key: |received| text_at(received, "/attachments/0/blocks/1/elements/3/text").replace('`', ""),
        records: one_each,
    }
}
