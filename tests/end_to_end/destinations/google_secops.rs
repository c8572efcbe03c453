use siemaphore_receiver::{SecOpsInstance, Siem};

use super::{Row, one_each, text_at};

const ACCESS_TOKEN: &str = "ya29.canary-google-secops-every-destination";

pub(super) fn row() -> Row {
    Row {
        formatter: "google-secops",
        siem: Siem::google_secops(SecOpsInstance {
            project: "soc".to_owned(),
            location: "eu".to_owned(),
            instance: "01234567-89ab-cdef-0123-456789abcdef".to_owned(),
            access_token: ACCESS_TOKEN.to_owned(),
        }),
        secret: ACCESS_TOKEN,
        // A fixed token: the stand-in does not issue any.
        configuration: "endpoint = \"{endpoint}\"\n\
            authentication = { scheme = \"bearer\" }\n\
            settings = { project = \"soc\", location = \"eu\", instance = \"01234567-89ab-cdef-0123-456789abcdef\" }",
        key: |received| text_at(received, "/metadata/productLogId"),
        records: one_each,
    }
}
