use siemaphore_receiver::{Siem, WebhookProof};

use super::{Row, one_each, text_at};

const KEY: &str = "whsec_Y2FuYXJ5LXdlYmhvb2stZXZlcnktZGVzdGluYXRpb24=";

pub(super) fn row() -> Row {
    Row {
        formatter: "webhook",
        siem: Siem::webhook("/in", WebhookProof::StandardWebhooks { secrets: vec![KEY.to_owned()] }),
        secret: KEY,
        configuration: "endpoint = \"{endpoint}\"\n\
            settings = { path = \"/in\" }",
        key: |received| text_at(received, "/key"),
        records: one_each,
    }
}
