use siemaphore_receiver::{CollectorFormat, Siem};

use super::{Row, one_each, text_at};

const TOKEN: &str = "canary-leef-every-destination";

pub(super) fn row() -> Row {
    Row {
        formatter: "leef",
        siem: Siem::collector("/", Some(TOKEN), CollectorFormat::Leef),
        secret: TOKEN,
        configuration: "endpoint = \"{endpoint}\"\nauthentication = { scheme = \"bearer\" }",
        key: |received| text_at(received, "/attributes/eventKey"),
        records: one_each,
    }
}
