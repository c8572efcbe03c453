//! One formatter by name: the version that formats now, those around it, and what is wrong with its file.

use std::fmt;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

use crate::config::Policy;
use crate::error::PluginError;
use crate::life::Active;
use crate::shelf::{Kept, SentBack};
use crate::status::{Origin, PluginState, PluginStatus, VersionStatus};
use crate::trial::Track;

/// A handle to one formatter. Cloning shares it.
#[derive(Clone)]
pub struct Plugin(Arc<Slot>);

struct Slot {
    name: String,
    origin: Origin,
    policy: Policy,
    /// Read for every batch, so it is not behind the lock.
    active: ArcSwapOption<Active>,
    versions: Mutex<Versions>,
    /// Counts swaps.
    swaps: watch::Sender<u64>,
    /// Wakes the registry, which keeps what has changed. None for a built-in formatter, which has one version.
    wake: Weak<SyncSender<()>>,
}

#[derive(Default)]
struct Versions {
    /// What the file that was looked at last weighs, used or not.
    size_bytes: u64,
    problem: Option<String>,
    is_file_gone: bool,
    /// Of the active version.
    track: Track,
    since: Option<Instant>,
    proven: bool,
    /// The way back.
    previous: Option<(Arc<Active>, Track)>,
    /// It passed every check and waits for an operator.
    candidate: Option<Arc<Active>>,
    sent_back: Option<SentBack>,
    /// What was active before a restart and could not be restored: the active one stands in for it.
    absent: Option<String>,
    /// The way back, when it could not be restored.
    absent_previous: Option<(String, Track)>,
    /// Replaced ones to which there is no way back, for as long as a batch uses them.
    draining: Vec<Weak<Active>>,
}

/// What came of a version's work.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// A SIEM took so many events.
    GoneThrough(u64),
    /// The formatter or a SIEM refused so many events for what is in them.
    Refused(u64),
    /// It trapped, hit a limit or broke the contract, or nothing that it makes is taken: in a few words.
    Failed(&'a str),
    /// It does not take a destination's settings, or asks for a request that cannot be granted. Settings may change, so
    /// this holds until a restart only.
    Unfit(&'a str),
}

impl Plugin {
    pub(crate) fn new(name: &str, origin: Origin, policy: Policy, wake: Weak<SyncSender<()>>) -> Plugin {
        Plugin(Arc::new(Slot {
            name: name.to_owned(),
            origin,
            policy,
            active: ArcSwapOption::empty(),
            versions: Mutex::default(),
            swaps: watch::Sender::new(0),
            wake,
        }))
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn is_built_in(&self) -> bool {
        matches!(self.0.origin, Origin::Builtin)
    }

    pub(crate) fn policy(&self) -> Policy {
        self.0.policy
    }

    /// The version to format with now. A batch keeps the one that it began with.
    pub fn active(&self) -> Option<Arc<Active>> {
        self.0.active.load_full()
    }

    /// The version that formatted before the active one, while there is a way back to it.
    pub fn previous(&self) -> Option<Arc<Active>> {
        self.versions().previous.as_ref().map(|(previous, _)| Arc::clone(previous))
    }

    /// The version that waits for an operator.
    pub fn candidate(&self) -> Option<Arc<Active>> {
        self.versions().candidate.clone()
    }

    /// Wakes whenever another version has become active.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.swaps.subscribe()
    }

    /// Tells what came of a version's work. When the version is new and worse than the one before, that one is active
    /// again afterwards, and this is true, for everyone who still uses it: the events are to be formatted anew, and
    /// nothing is to be given up.
    pub fn report(&self, version: &Arc<Active>, outcome: Outcome<'_>) -> bool {
        if self.is_built_in() {
            return false;
        }
        let mut versions = self.versions();
        if !self.active().is_some_and(|active| Arc::ptr_eq(&active, version)) {
            return versions.sent_back.as_ref().is_some_and(|sent_back| sent_back.digest == version.digest);
        }
        let was_proven = versions.proven;
        if let Some(reason) = versions.weigh(outcome) {
            let until_restart = matches!(outcome, Outcome::Unfit(_));
            let returned = self.go_back(&mut versions, &reason, until_restart);
            let Some((failed, previous)) = returned else { return false };
            tracing::error!(
                formatter = self.name(),
                version = failed.version,
                digest = failed.digest,
                reason,
                returned_to = previous.version,
                hint = "mend the formatter and replace its file; the version that was sent back is not tried again",
                "the formatter has gone back to its previous version"
            );
            return true;
        }
        if versions.proven && !was_proven {
            self.wake();
        }
        false
    }

    /// Whether this is the active version, and still new: what it does may send the one before back to work.
    pub fn is_on_trial(&self, version: &Arc<Active>) -> bool {
        let versions = self.versions();
        self.active().is_some_and(|active| Arc::ptr_eq(&active, version)) && versions.is_on_trial()
    }

    /// Makes the previous version the active one, because an operator wants it; gives it, if there is one.
    pub(crate) fn roll_back(&self, reason: &str) -> Option<Arc<Active>> {
        let (left, previous) = self.go_back(&mut self.versions(), reason, false)?;
        tracing::warn!(
            formatter = self.name(),
            version = left.version,
            digest = left.digest,
            returned_to = previous.version,
            hint =
                format!("`siemaphore plugin promote {}` tries the version again that was left", self.name()),
            "an operator has returned the formatter to its previous version"
        );
        Some(previous)
    }

    /// The version that was active, and the one that is so now.
    fn go_back(
        &self,
        versions: &mut Versions,
        reason: &str,
        until_restart: bool,
    ) -> Option<(Arc<Active>, Arc<Active>)> {
        let (previous, track) = versions.previous.take()?;
        let failed = self.active()?;
        let reason = reason.to_owned();
        // With a candidate the file is another one, and nothing is wrong with it.
        if versions.candidate.is_none() {
            versions.problem = Some(self.describe_return(&reason));
        }
        versions.sent_back = Some(SentBack { digest: failed.digest.clone(), reason, until_restart });
        versions.begin(track, true);
        versions.retire(&failed);
        self.store(Arc::clone(&previous));
        self.wake();
        Some((failed, previous))
    }

    /// Makes a version the active one; the one before stays, for the way back.
    pub(crate) fn swap(&self, active: Arc<Active>) {
        self.swap_in(&mut self.versions(), active);
    }

    fn swap_in(&self, versions: &mut Versions, active: Arc<Active>) {
        let before = self.active();
        if let Some(before) = before {
            let is_tried = versions.proven || versions.track.gone_through > 0;
            match versions.previous.take() {
                // Two files in a row, and nothing has gone through the first: the way back is to what has worked.
                Some(working) if !is_tried => {
                    versions.previous = Some(working);
                    versions.retire(&before);
                }
                former => {
                    versions.previous = Some((before, versions.track));
                    if let Some((former, _)) = former {
                        versions.retire(&former);
                    }
                }
            }
        }
        versions.begin(Track::default(), false);
        versions.accept();
        self.store(active);
    }

    /// Makes a version active that was so before a restart, or that is built in.
    pub(crate) fn restore(&self, active: Arc<Active>, kept: &Kept, previous: Option<Arc<Active>>) {
        let mut versions = self.versions();
        versions.begin(kept.track, kept.proven);
        versions.absent_previous =
            kept.previous.clone().filter(|_| previous.is_none()).map(|digest| (digest, kept.previous_track));
        versions.previous = previous.map(|previous| (previous, kept.previous_track));
        self.store(active);
    }

    /// Makes the version before that one active, for as long as that one cannot be restored.
    pub(crate) fn stand_in(&self, previous: Arc<Active>, kept: &Kept) {
        let mut versions = self.versions();
        versions.begin(kept.previous_track, true);
        versions.absent.clone_from(&kept.active);
        self.store(previous);
    }

    fn store(&self, active: Arc<Active>) {
        self.0.active.store(Some(active));
        self.0.swaps.send_modify(|swaps| *swaps += 1);
    }

    /// Keeps a version until an operator promotes it.
    pub(crate) fn wait_for_word(&self, candidate: Arc<Active>) {
        let mut versions = self.versions();
        versions.accept();
        versions.candidate = Some(candidate);
    }

    /// The version that waits, which is active then.
    pub(crate) fn promote(&self) -> Option<Arc<Active>> {
        let mut versions = self.versions();
        let candidate = versions.candidate.take()?;
        self.swap_in(&mut versions, Arc::clone(&candidate));
        self.wake();
        Some(candidate)
    }

    /// Forgets that a version was sent back.
    pub(crate) fn forgive(&self) -> Option<SentBack> {
        self.versions().sent_back.take()
    }

    /// That a version was sent back, before a restart or before it was tried again.
    pub(crate) fn remember(&self, sent_back: SentBack) {
        let mut versions = self.versions();
        versions.problem = Some(self.describe_return(&sent_back.reason));
        versions.sent_back = Some(sent_back);
    }

    fn describe_return(&self, reason: &str) -> String {
        PluginError::SentBack { name: self.0.name.clone(), reason: reason.to_owned() }.describe()
    }

    /// Nothing is wrong with the file.
    pub(crate) fn accept(&self) {
        self.versions().accept();
    }

    /// Nothing is wrong with the file, if it holds the active version. Asked and said in one step, because a version may be
    /// sent back meanwhile.
    pub(crate) fn accept_if_active(&self, digest: &str) -> bool {
        let mut versions = self.versions();
        let is_active = self.active().is_some_and(|active| active.digest == digest);
        if is_active {
            versions.accept();
        }
        is_active
    }

    pub(crate) fn refuse(&self, error: &PluginError) {
        let mut versions = self.versions();
        versions.candidate = None;
        versions.is_file_gone = false;
        versions.problem = Some(error.describe());
    }

    /// The file is gone, and somebody uses its last version.
    pub(crate) fn drain(&self) {
        self.refuse(&PluginError::Gone);
        self.versions().is_file_gone = true;
    }

    /// Whether anyone beside the registry holds a handle.
    pub(crate) fn is_used(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    pub(crate) fn weigh(&self, size_bytes: u64) {
        self.versions().size_bytes = size_bytes;
    }

    /// The digest of what was sent back.
    pub(crate) fn sent_back(&self) -> Option<SentBack> {
        self.versions().sent_back.clone()
    }

    /// What has to outlive a restart.
    pub(crate) fn kept(&self) -> Kept {
        let versions = self.versions();
        let digest = |version: &Active| version.digest.clone();
        let active = self.active().as_deref().map(digest);
        let previous = versions.previous.as_ref().map(|(previous, track)| (digest(previous), *track));
        let previous = previous.or_else(|| versions.absent_previous.clone());
        let (active, proven, track, previous, previous_track) = match &versions.absent {
            // It and the one that stands in for it, as they were found.
            Some(absent) => (Some(absent.clone()), false, Track::default(), active, versions.track),
            None => {
                let (previous, previous_track) = previous.unzip();
                let previous_track = previous_track.unwrap_or_default();
                let proven = versions.proven || versions.track.is_proven(versions.age());
                (active, proven, versions.track, previous, previous_track)
            }
        };
        Kept {
            active,
            proven,
            track,
            previous,
            previous_track,
            candidate: versions.candidate.as_deref().map(digest),
            sent_back: versions.sent_back.clone().filter(|sent_back| !sent_back.until_restart),
        }
    }

    pub(crate) fn status(&self) -> PluginStatus {
        let mut versions = self.versions();
        let active = self.active();
        versions.draining.retain(|version| version.strong_count() > 0);
        let previous = versions.previous.as_ref().map(|(previous, _)| VersionStatus::of(previous));
        let draining = versions.draining.iter().filter_map(Weak::upgrade);
        let draining = draining.map(|old| VersionStatus::of(&old)).collect();
        PluginStatus {
            name: self.0.name.clone(),
            origin: self.0.origin.clone(),
            policy: self.0.policy,
            state: match &active {
                None if self.is_built_in() => PluginState::Available,
                None if versions.candidate.is_some() => PluginState::Waiting,
                None => PluginState::Quarantined,
                Some(_) if versions.is_file_gone => PluginState::Draining,
                Some(_) => PluginState::Active,
            },
            version: active.as_ref().map(|active| active.version.clone()),
            digest: active.as_ref().map(|active| active.digest.clone()),
            title: active.as_ref().map(|active| active.formatter.description().title.clone()),
            language: active.as_ref().map(|active| active.language.as_str()),
            error: versions.problem.clone(),
            size_bytes: versions.size_bytes,
            is_new: active.is_some() && versions.is_on_trial(),
            track: versions.track,
            previous,
            candidate: versions.candidate.as_deref().map(VersionStatus::of),
            draining,
            sent_back: versions.sent_back.clone(),
            loaded_at: active.map(|active| active.loaded_at),
        }
    }

    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.0.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        if let Some(wake) = self.0.wake.upgrade() {
            // Full means that a look is coming anyway; closed, that nobody keeps anything.
            wake.try_send(()).unwrap_or_default();
        }
    }
}

impl Versions {
    /// A version formats from now on.
    fn begin(&mut self, track: Track, proven: bool) {
        self.track = track;
        self.since = Some(Instant::now());
        self.proven = proven;
        self.absent = None;
        self.absent_previous = None;
    }

    /// Nothing is wrong with the file.
    fn accept(&mut self) {
        self.problem = None;
        self.candidate = None;
        self.sent_back = None;
        self.is_file_gone = false;
    }

    /// The active version is new, and there is a way back.
    fn is_on_trial(&self) -> bool {
        self.previous.is_some() && !self.proven && !self.track.is_proven(self.age())
    }

    /// Of the active version.
    fn age(&self) -> Duration {
        self.since.map(|since| since.elapsed()).unwrap_or_default()
    }

    fn retire(&mut self, version: &Arc<Active>) {
        self.draining.retain(|old| old.strong_count() > 0);
        self.draining.push(Arc::downgrade(version));
    }

    /// Counts, and says why the version should give way.
    fn weigh(&mut self, outcome: Outcome<'_>) -> Option<String> {
        match outcome {
            Outcome::GoneThrough(events) => self.track.gone_through += events,
            Outcome::Refused(events) => self.track.refused += events,
            Outcome::Failed(_) | Outcome::Unfit(_) => {}
        }
        self.proven |= self.track.is_proven(self.age());
        if self.proven {
            return None;
        }
        match (outcome, &self.previous) {
            (_, None) | (Outcome::GoneThrough(_), _) => None,
            (Outcome::Failed(reason) | Outcome::Unfit(reason), Some(_)) => Some(reason.to_owned()),
            (Outcome::Refused(_), Some((_, previous))) => self.track.is_worse_than(*previous),
        }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Plugin({})", self.0.name)
    }
}
