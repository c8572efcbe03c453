//! `siemaphore run`

use std::path::Path;
use std::time::Duration;

use tokio::task::spawn_blocking;

use crate::command::Failure;
use crate::config::{self, Problem, prepare::prepare};
use crate::host::signals::{Signals, Wanted};
use crate::host::{Drained, Host, Left};
use crate::log;

/// How long requests in flight may take after a signal to stop. Below the 30 s that service managers allow.
const GRACE: Duration = Duration::from_secs(25);

pub(crate) async fn run(path: &Path) -> Result<(), Failure> {
    let refuse = |problems| Failure::Configuration { file: path.display().to_string(), problems };
    let mut config = config::load(path).map_err(refuse)?;
    config.plugins.is_state_of_another = false;
    log::start(&config.log);
    let mut signals = Signals::listen()?;
    for Problem { reason, hint, .. } in config::unconnected(&config) {
        tracing::warn!(reason, hint, "the configuration leads nowhere");
    }
    let prepared = tokio::select! {
        prepared = prepare(config) => prepared.map_err(refuse)?,
        () = signals.stop() => {
            tracing::info!("stopped before it was ready; nothing was taken");
            return Ok(());
        }
    };
    let registry = prepared.registry.clone();
    let host = Host::start(prepared).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        destinations = host.handles().destinations.len(),
        "ready"
    );
    while signals.next().await == Wanted::Reload {
        let registry = registry.clone();
        let reloading = spawn_blocking(move || registry.reload());
        tokio::select! {
            reloaded = reloading => drop(reloaded?),
            // A file may take minutes to compile.
            () = signals.stop() => break,
        }
    }
    tracing::info!(
        grace_s = GRACE.as_secs(),
        "stopping: no more events are taken, what is in flight is finished; a second signal stops at once"
    );
    tokio::select! {
        drained = host.drain(GRACE) => {
            report(&drained?);
            Ok(())
        }
        () = signals.stop() => {
            tracing::warn!("stopped at once by a second signal; what is not settled is stored and sent again after the next start");
            Err(Failure::Said)
        }
    }
}

fn report(drained: &Drained) {
    for Left { destination, events } in drained.left.iter().filter(|left| left.events > 0) {
        tracing::info!(destination, events, "left for the next start: these events are stored");
    }
    let waiting: u64 = drained.left.iter().map(|left| left.events).sum();
    tracing::info!(cut_off = drained.cut_off, waiting, "stopped; what waits is stored");
}
