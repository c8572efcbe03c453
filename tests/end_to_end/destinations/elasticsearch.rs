use siemaphore_receiver::Siem;

use super::{Row, one_each, text_at};

/// `id:api_key` in Base64, as Elasticsearch shows it.
const ENCODED_KEY: &str = "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==";

pub(super) fn row() -> Row {
    Row {
        formatter: "elasticsearch",
        siem: Siem::elasticsearch(ENCODED_KEY),
        secret: ENCODED_KEY,
        configuration: "endpoint = \"{endpoint}\"",
        key: |received| text_at(received, "/event/hash"),
        records: one_each,
    }
}
