use siemaphore_receiver::{Siem, WebhookProof};

use super::{Row, one_each, text_at};

const KEY: &str = "canary-webhook-every-destination";

pub(super) fn row() -> Row {
    Row {
        formatter: "webhook",
        siem: Siem::webhook(
            "/in",
            WebhookProof::Header { name: "X-Api-Key".to_owned(), value: KEY.to_owned() },
        ),
        secret: KEY,
        configuration: "endpoint = \"{endpoint}\"\n\
            authentication = { scheme = \"header\", header = \"X-Api-Key\" }\n\
            settings = { path = \"/in\", framing = \"array\" }",
        key: |received| text_at(received, "/key"),
        records: one_each,
    }
}
