//! `siemaphore plugin`

mod bench;
mod build;
mod check;
mod corpus;
mod diff;
mod events;
mod file;
mod format;
mod inspect;
mod install;
mod keys;
mod list;
mod new;
mod offline;
mod outcome;
mod project;
pub(crate) mod running;
mod schema;
mod settings;
mod signed;
mod test;
mod versions;

use crate::cli::{Asking, Plugin};
use crate::command::Failure;
use crate::config;
use crate::control::Client;

pub(crate) async fn run(command: Plugin) -> Result<(), Failure> {
    match command {
        Plugin::New(new) => new::run(&new),
        Plugin::Build(build) => build::run(&build),
        Plugin::List(list) => list::list(list).await,
        Plugin::Reload(asking) => list::reload(&asking).await,
        Plugin::Inspect(inspect) => inspect::run(inspect).await,
        Plugin::Check(check) => check::run(check).await,
        Plugin::Corpus(corpus) => corpus::run(&corpus),
        Plugin::Format(format) => format::run(format).await,
        Plugin::Promote { name, asking } => versions::promote(&name, &asking).await,
        Plugin::Rollback { name, asking } => versions::roll_back(&name, &asking).await,
        Plugin::Diff(diff) => diff::run(diff).await,
        Plugin::Bench(bench) => bench::run(bench).await,
        Plugin::Test(test) => test::run(test).await,
        Plugin::Install(install) => install::run(install).await,
        Plugin::Keygen(keygen) => keys::keygen(keygen),
        Plugin::Sign(sign) => keys::sign(sign).await,
    }
}

fn client(asking: &Asking) -> Result<Client, Failure> {
    Ok(Client::host(&config::state_folder(&asking.configured.config)?))
}
