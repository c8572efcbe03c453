use siemaphore_receiver::{CollectorFormat, Siem};

use super::{Row, one_each, text_at};

const TOKEN: &str = "canary-cef-every-destination";

pub(super) fn row() -> Row {
    Row {
        formatter: "cef",
        siem: Siem::collector("/cef", Some(TOKEN), CollectorFormat::Cef),
        secret: TOKEN,
        configuration: "endpoint = \"{endpoint}\"\nsettings = { path = \"/cef\" }",
        key: |received| text_at(received, "/extension/externalId"),
        records: one_each,
    }
}
