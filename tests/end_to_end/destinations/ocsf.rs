use siemaphore_receiver::{CollectorFormat, Siem};

use super::{Row, one_each, text_at};

const TOKEN: &str = "canary-ocsf-every-destination";

pub(super) fn row() -> Row {
    Row {
        formatter: "ocsf",
        siem: Siem::collector("/in", Some(TOKEN), CollectorFormat::Ocsf),
        secret: TOKEN,
        configuration: "endpoint = \"{endpoint}\"\nsettings = { path = \"/in\", schema_version = \"1.8.0\" }",
        key: |received| text_at(received, "/metadata/uid"),
        records: one_each,
    }
}
