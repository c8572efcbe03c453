use siemaphore_receiver::Siem;

use super::{Row, one_each, text_at};

const WORKSPACE_KEY: &str = "Y2FuYXJ5LWF6dXJlLWRhdGEtY29sbGVjdG9yLWV2ZXJ5LWRlc3RpbmF0aW9u";

pub(super) fn row() -> Row {
    Row {
        formatter: "azure-data-collector",
        siem: Siem::azure_data_collector("01234567-89ab-cdef-0123-456789abcdef", WORKSPACE_KEY),
        secret: WORKSPACE_KEY,
        configuration: "endpoint = \"{endpoint}\"\n\
            authentication = { workspace_id = \"01234567-89ab-cdef-0123-456789abcdef\" }\n\
            settings = { log_type = \"AiEvents\" }",
        key: |received| text_at(received, "/EventKey"),
        records: one_each,
    }
}
