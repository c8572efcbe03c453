//! The tasks of all sources: started together, and stopped together.

use std::sync::Arc;

use siemaphore_secrets::Secrets;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::checkpoint::CheckpointFile;
use crate::progress::{Means, Stopped};
use crate::status::{Status, Statuses};
use crate::{Kind, SourceConfig, file, pull, sse};

/// Running sources. Dropping them stops them at once.
pub struct Sources {
    tasks: JoinSet<()>,
    stop: CancellationToken,
    statuses: Statuses,
}

impl Sources {
    /// Secrets are read when a request needs them.
    pub fn start(sources: Vec<SourceConfig>, secrets: &Arc<Secrets>) -> Sources {
        let mut tasks = JoinSet::new();
        let stop = CancellationToken::new();
        let mut statuses = Vec::new();
        for SourceConfig { name, kind, feed, checkpoints } in sources {
            let status = Arc::new(Status::new(&name, kind.name()));
            statuses.push(Arc::clone(&status));
            let checkpoint = CheckpointFile::of(&checkpoints, &name);
            let span = tracing::info_span!("source", source = name);
            let (stop, secrets) = (stop.clone(), Arc::clone(secrets));
            let means = Means { source: name, feed, stop, status, secrets };
            let task = async move {
                let Err(Stopped) = match kind {
                    Kind::File(config) => file::run(config, means, checkpoint).await,
                    Kind::Sse(config) => sse::run(*config, means, checkpoint).await,
                    Kind::Pull(config) => pull::run(*config, means, checkpoint).await,
                };
            };
            tasks.spawn(task.instrument(span));
        }
        Sources { tasks, stop, statuses: Statuses(statuses.into()) }
    }

    pub fn statuses(&self) -> Statuses {
        self.statuses.clone()
    }

    /// Reads no more, and lets what is being stored be stored. False when that took too long.
    pub async fn drain(mut self, deadline: Instant) -> bool {
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout_at(deadline, all).await.is_ok()
    }
}
