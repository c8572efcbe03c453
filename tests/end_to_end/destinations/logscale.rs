use siemaphore_receiver::Siem;

use super::{Row, one_each, text_at};

const TOKEN: &str = "9d1f3a52-canary-logscale-ingest";

pub(super) fn row() -> Row {
    Row {
        formatter: "logscale",
        siem: Siem::logscale(TOKEN, "ai-security"),
        secret: TOKEN,
        configuration: "endpoint = \"{endpoint}\"",
        key: |received| text_at(received, "/event/event/hash"),
        records: one_each,
    }
}
