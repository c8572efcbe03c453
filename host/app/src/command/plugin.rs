//! `siemaphore plugin`

mod check;
mod corpus;
mod format;
mod inspect;
mod list;
mod offline;
mod versions;

use serde_json::Value;

use crate::cli::{Asking, Plugin};
use crate::command::Failure;
use crate::config;
use crate::control::Client;

pub(crate) async fn run(command: Plugin) -> Result<(), Failure> {
    match command {
        Plugin::List(asking) => {
            let plugins: Vec<Value> = client(&asking)?.get("/v1/plugins").await?;
            list::show(&plugins, asking.json)
        }
        Plugin::Reload(asking) => {
            let plugins: Vec<Value> = client(&asking)?.post("/v1/plugins/reload").await?;
            list::show(&plugins, asking.json)
        }
        Plugin::Inspect { plugin, json } => inspect::run(plugin, json).await,
        Plugin::Check(check) => check::run(check).await,
        Plugin::Corpus(corpus) => corpus::run(&corpus),
        Plugin::Format(format) => format::run(format).await,
        Plugin::Promote { name, asking } => versions::promote(&name, &asking).await,
        Plugin::Rollback { name, asking } => versions::roll_back(&name, &asking).await,
    }
}

fn client(asking: &Asking) -> Result<Client, Failure> {
    Ok(Client::host(&config::state_folder(&asking.configured.config)?))
}
