use siemaphore_receiver::{SentinelWorkspace, Siem};

use super::{Row, one_each, text_at};

const CLIENT_SECRET: &str = "canary~sentinel-every-destination";

pub(super) fn row() -> Row {
    Row {
        formatter: "sentinel",
        siem: Siem::sentinel(SentinelWorkspace {
            dcr_immutable_id: "dcr-00000000000000000000000000000001".to_owned(),
            stream: "Custom-AiEvents_CL".to_owned(),
            tenant: "contoso".to_owned(),
            client_id: "siemaphore".to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
        }),
        secret: CLIENT_SECRET,
        configuration: "endpoint = \"{endpoint}\"\n\
            authentication = { client_id = \"siemaphore\", token_url = \"{token_url}\" }\n\
            settings = { dcr_immutable_id = \"dcr-00000000000000000000000000000001\", stream = \"Custom-AiEvents_CL\" }",
        key: |received| text_at(received, "/EventKey"),
        records: one_each,
    }
}
