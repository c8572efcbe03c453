//! `siemaphore run`

use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use tokio::task::spawn_blocking;

use crate::command::Failure;
use crate::config::{self, prepare::prepare};
use crate::host::Host;
use crate::host::signals::{Signals, Wanted};
use crate::log;

/// How long requests in flight may take after a signal to stop. Below the 30 s that service managers allow.
const GRACE: Duration = Duration::from_secs(25);

pub(crate) async fn run(path: &Path) -> Result<(), Failure> {
    let refuse = |problems| Failure::Configuration { file: path.display().to_string(), problems };
    let config = config::load(path).map_err(refuse)?;
    log::start(&config.log);
    let mut signals = Signals::listen()?;
    let prepared = prepare(config).await.map_err(refuse)?;
    let registry = prepared.registry.clone();
    let host = Host::start(prepared).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        destinations = host.handles().destinations.len(),
        "ready"
    );
    while signals.next().await == Wanted::Reload {
        let registry = registry.clone();
        spawn_blocking(move || registry.reload()).await?;
    }
    tracing::info!(
        grace_s = GRACE.as_secs(),
        "stopping: finishing what is in flight; a second signal stops at once"
    );
    tokio::select! {
        drained = host.drain(GRACE) => {
            let drained = drained?;
            tracing::info!(cut_off = drained.cut_off, waiting = drained.waiting, "stopped; what waits is stored");
            Ok(())
        }
        () = signals.stop() => Err(anyhow!("stopped at once by a second signal; what was not settled is sent again").into()),
    }
}
