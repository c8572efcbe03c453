//! Which version of the formatter the destination uses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use siemaphore_registry::{Active, Outcome, Plugin};

use crate::health::Trouble;
use crate::status::NotAdopted;
use crate::suspects::Trial;
use crate::task::{Task, Work};
use crate::version::{Consent, Version, VersionError, establish};

/// After so long what kept a version from being adopted may have passed: a full disk, a busy machine.
const ADOPTION_PAUSE: Duration = Duration::from_secs(10);

impl Task {
    /// Adopts the plugin's active version, once it is configured and its request is granted.
    pub(crate) async fn adopt(&mut self, consent: Consent) {
        self.adopt_again = None;
        let Some(active) = self.stages.plugin.active() else {
            self.publish_failure(without_a_version(&self.stages.plugin));
            return;
        };
        match self.establish(Arc::clone(&active), consent).await {
            Ok(version) => self.switch(version),
            Err(error) if self.is_sent_back_as_unfit(&active, &error) => {}
            Err(error) => {
                let waits = matches!(error, VersionError::WaitsForPromotion { .. });
                if waits && self.version.is_none() {
                    self.go_on_with_the_previous().await;
                }
                self.adopt_again = error.may_pass().then(|| Instant::now() + ADOPTION_PAUSE);
                let not_adopted = NotAdopted::because(&error, &active, self.stages.plugin.name());
                let hint = not_adopted.hint.clone();
                self.status.send_modify(|status| status.not_adopted = Some(not_adopted));
                self.publish_failure(Trouble {
                    reason: error.to_string(),
                    hint,
                    holding: self.version.is_none(),
                });
            }
        }
    }

    /// Takes up the active version, whatever request it asks for. False when it formats already.
    pub(crate) async fn promote(&mut self) -> bool {
        let formats = |task: &Task| task.version.as_ref().map(|version| version.active.digest.clone());
        let before = formats(self);
        if !self.waits_for_promotion()
            && before == self.stages.plugin.active().map(|active| active.digest.clone())
        {
            return false;
        }
        self.adopt(Consent::Given).await;
        formats(self) != before
    }

    fn waits_for_promotion(&self) -> bool {
        self.status.borrow().not_adopted.as_ref().is_some_and(|not_adopted| not_adopted.waits_for_promotion)
    }

    async fn establish(&self, active: Arc<Active>, consent: Consent) -> Result<Version, VersionError> {
        let (sandbox, store) = (&self.stages.sandbox, &self.stages.store);
        establish(&self.config, sandbox, store, &self.stages.target, active, consent).await
    }

    /// A new version that does not take what the one before takes is no use here. When that one is active again, the
    /// registry wakes this task once more.
    fn is_sent_back_as_unfit(&self, asked: &Arc<Active>, error: &VersionError) -> bool {
        let is_unfit =
            matches!(error, VersionError::Formatter(_) | VersionError::Grant(_)) && !error.may_pass();
        let reason = format!("for destination {}: {error}", self.config.destination);
        is_unfit && self.stages.plugin.report(asked, Outcome::Unfit(&reason))
    }

    /// After a restart, while the version in the file waits for a word: the one before was granted its request.
    async fn go_on_with_the_previous(&mut self) {
        if let Some(previous) = self.stages.plugin.previous()
            && let Ok(version) = self.establish(previous, Consent::Needed).await
        {
            self.switch(version);
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
            status.not_adopted = None;
        });
        self.version = Some(Arc::new(version));
        for work in &mut self.work {
            if let Work::Format(_, trial) = work {
                *trial = Trial::First;
            }
        }
        for suspect in self.suspects.release_all() {
            self.work.push_front(Work::Format(suspect.chunk, suspect.trial));
        }
        // What the old version held up may go through with the new one.
        self.health.start_afresh();
    }
}

/// Nothing formats until there is a version.
fn without_a_version(plugin: &Plugin) -> Trouble {
    let name = plugin.name();
    let (reason, hint) = match plugin.candidate() {
        Some(candidate) => (
            format!(
                "version {} of formatter `{name}` waits for an operator, and no other is there",
                candidate.version
            ),
            format!("`siemaphore plugin promote {name}` lets it format"),
        ),
        None => (
            format!("formatter `{name}` is not loaded"),
            "see `siemaphore plugin list` for the reason; delivery goes on by itself once it is there"
                .to_owned(),
        ),
    };
    Trouble { reason, hint, holding: true }
}
