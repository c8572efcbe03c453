use siemaphore_receiver::{GoogleAccount, SecOpsInstance, Siem};

use super::{Row, one_each, text_at};

/// A key that was made for tests and opens nothing.
const KEY_FILE: &str = include_str!("../../../host/delivery/tests/attempt/test-only-service-account.json");

pub(super) fn row() -> Row {
    Row {
        formatter: "google-secops",
        siem: Siem::google_secops(SecOpsInstance {
            project: "soc".to_owned(),
            location: "eu".to_owned(),
            instance: "01234567-89ab-cdef-0123-456789abcdef".to_owned(),
            account: GoogleAccount::of_key_file(KEY_FILE).expect("a key file"),
        }),
        secret: KEY_FILE,
        // The key file of a test names no token endpoint that exists.
        configuration: "endpoint = \"{endpoint}\"\n\
            authentication = { scheme = \"google-service-account\", token_url = \"{token_url}\" }\n\
            settings = { project = \"soc\", location = \"eu\", instance = \"01234567-89ab-cdef-0123-456789abcdef\" }",
        key: |received| text_at(received, "/metadata/productLogId"),
        records: one_each,
    }
}
