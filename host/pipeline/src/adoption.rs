//! Which version of the formatter the destination uses.

use std::sync::Arc;

use crate::health::Trouble;
use crate::task::{Task, Work};
use crate::version::{Consent, Version, VersionError, establish};

impl Task {
    /// Adopts the plugin's active version, once it is configured and its request is granted.
    pub(crate) async fn adopt(&mut self, consent: Consent) {
        let active = match consent {
            Consent::Given => self.waiting.take(),
            Consent::Needed => self.stages.plugin.active(),
        };
        let Some(active) = active else {
            let reason = format!("formatter `{}` is not loaded", self.stages.plugin.name());
            let hint =
                "see `siemaphore plugin list` for the reason; delivery goes on by itself once it is there";
            self.publish_failure(Trouble { reason, hint: hint.to_owned(), holding: true });
            return;
        };
        let (sandbox, store) = (&self.stages.sandbox, &self.stages.store);
        let established =
            establish(&self.config, sandbox, store, &self.stages.target, Arc::clone(&active), consent).await;
        match established {
            Ok(version) => self.switch(version),
            Err(error) => {
                if matches!(error, VersionError::WaitsForPromotion { .. }) {
                    self.waiting = Some(active);
                }
                self.publish_failure(Trouble {
                    reason: error.to_string(),
                    hint: error.hint().to_owned(),
                    holding: self.version.is_none(),
                });
            }
        }
    }

    fn switch(&mut self, version: Version) {
        tracing::info!(
            destination = self.config.destination,
            formatter = self.stages.plugin.name(),
            version = version.active.version,
            digest = version.active.digest,
            "formatting with this version from now on"
        );
        self.status.send_modify(|status| {
            status.plugin_version = Some(version.active.version.clone());
            status.plugin_digest = Some(version.active.digest.clone());
            status.request = Some(version.profile.summary().to_owned());
        });
        self.version = Some(Arc::new(version));
        self.waiting = None;
        for suspect in self.suspects.release_all() {
            self.work.push_front(Work::Format(suspect.chunk, suspect.trial));
        }
        // What the old version held up may go through with the new one.
        self.health.start_afresh();
    }
}
