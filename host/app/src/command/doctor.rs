//! `siemaphore doctor`: everything that can be found out before events are lost to it, with the fix for each finding.
//!
//! Works with and without a running host, and with a configuration that is broken: what can be checked is checked.
//! Nothing is changed, no event is sent, and no secret is shown. The checks run side by side, each with a time-out.

mod clock;
mod configuration;
mod delivery;
mod destination;
mod finding;
mod machine;
mod plugin_folders;
mod plugins;
mod source;
mod state;
mod store;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use indicatif::ProgressBar;
use serde_json::json;

use crate::cli::Asking;
use crate::command::doctor::configuration::Configured;
use crate::command::doctor::finding::{Finding, State};
use crate::command::{Failure, progress};
use crate::control::Client;
use crate::print;

/// Of one check, or of one destination's checks together.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) async fn run(asking: Asking) -> Result<(), Failure> {
    let bar = progress::count(None, "checks done");
    progress::spinner(&bar);
    bar.set_message("(reading the configuration, loading the formatters)");
    let client = Client::host_or_store(&asking.configured).await;
    let has_host = client.as_ref().is_ok_and(Client::is_host);
    let configured = Configured::read(&asking.configured.config, has_host).await;
    bar.set_message("");

    let host = client.as_ref().ok().filter(|_| has_host);
    let file = &asking.configured.config;
    let mut checks: Vec<(String, BoxFuture<'_, Vec<Finding>>)> = vec![
        ("state folder".to_owned(), async { state::check(file) }.boxed()),
        ("store".to_owned(), store::check(file, &client).boxed()),
        ("plugins".to_owned(), plugins::check(&configured, client.as_ref().ok()).boxed()),
        ("plugin folders".to_owned(), async { plugin_folders::check(file) }.boxed()),
        ("machine".to_owned(), async { machine::check() }.boxed()),
    ];
    for (name, kind) in &configured.fetched {
        let check = source::check(name.clone(), kind.clone(), host);
        checks.push((format!("source {name}"), check.boxed()));
    }
    for server in &configured.servers {
        let check = destination::check(server, &configured, host);
        checks.push((server.id.clone(), check.boxed()));
    }
    if let Some(host) = host {
        checks.push(("delivery".to_owned(), delivery::check(host).boxed()));
    }
    if !configured.servers.is_empty() {
        checks.push(("clock".to_owned(), clock::check(&configured.servers).boxed()));
    }
    let each = checks.into_iter().map(|(name, check)| in_time(name, check, &bar));
    let checked = join_all(each).await;
    bar.finish_and_clear();
    let findings: Vec<Finding> =
        configured.findings.into_iter().chain(checked.into_iter().flatten()).collect();
    report(&findings, asking.json)
}

async fn in_time(name: String, check: BoxFuture<'_, Vec<Finding>>, bar: &ProgressBar) -> Vec<Finding> {
    let checked = tokio::time::timeout(CHECK_TIMEOUT, check).await;
    bar.inc(1);
    checked.unwrap_or_else(|_| {
        let finding = format!("this took longer than {} s", CHECK_TIMEOUT.as_secs());
        vec![Finding::failed(name, finding, "look at the load of this machine and at its network")]
    })
}

fn report(findings: &[Finding], as_json: bool) -> Result<(), Failure> {
    let ok = findings.iter().all(|finding| finding.state != State::Failed);
    if as_json {
        print::json(&json!({ "ok": ok, "checks": findings }))?;
    } else {
        print::show(&finding::table(findings));
        print::line(finding::summary(findings));
    }
    if ok { Ok(()) } else { Err(Failure::Said) }
}
