//! One formatter by name: the version that formats now, and what is wrong with its file.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

use crate::error::PluginError;
use crate::life::Active;
use crate::status::{Origin, PluginState, PluginStatus};

/// A handle to one formatter. Cloning shares it.
#[derive(Clone)]
pub struct Plugin(Arc<Slot>);

struct Slot {
    name: String,
    origin: Origin,
    active: ArcSwapOption<Active>,
    /// What the file that was looked at last weighs, used or not.
    size_bytes: Mutex<u64>,
    problem: Mutex<Option<String>>,
    draining: AtomicBool,
    /// Counts swaps.
    swaps: watch::Sender<u64>,
}

impl Plugin {
    pub(crate) fn new(name: &str, origin: Origin) -> Plugin {
        Plugin(Arc::new(Slot {
            name: name.to_owned(),
            origin,
            active: ArcSwapOption::empty(),
            size_bytes: Mutex::new(0),
            problem: Mutex::new(None),
            draining: AtomicBool::new(false),
            swaps: watch::Sender::new(0),
        }))
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The version to format with now. A batch keeps the one that it began with.
    pub fn active(&self) -> Option<Arc<Active>> {
        self.0.active.load_full()
    }

    /// Wakes whenever another version has become active.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.swaps.subscribe()
    }

    pub(crate) fn swap(&self, active: Arc<Active>) {
        self.accept();
        self.run(active);
    }

    /// Makes a version the active one, whatever may be wrong with a file of that name.
    pub(crate) fn run(&self, active: Arc<Active>) {
        self.0.active.store(Some(active));
        self.0.swaps.send_modify(|swaps| *swaps += 1);
    }

    /// Nothing is wrong with the file.
    pub(crate) fn accept(&self) {
        self.0.draining.store(false, Ordering::Relaxed);
        *self.0.problem.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn refuse(&self, error: &PluginError) {
        *self.0.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.describe());
    }

    /// The file is gone, and somebody uses its last version.
    pub(crate) fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
        self.refuse(&PluginError::Gone);
    }

    /// Whether anyone beside the registry holds a handle.
    pub(crate) fn is_used(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    pub(crate) fn weigh(&self, size_bytes: u64) {
        *self.0.size_bytes.lock().unwrap_or_else(PoisonError::into_inner) = size_bytes;
    }

    pub(crate) fn status(&self) -> PluginStatus {
        let active = self.active();
        let problem = self.0.problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        PluginStatus {
            name: self.0.name.clone(),
            origin: self.0.origin.clone(),
            state: match &active {
                None if matches!(self.0.origin, Origin::Builtin) => PluginState::Available,
                None => PluginState::Quarantined,
                Some(_) if self.0.draining.load(Ordering::Relaxed) => PluginState::Draining,
                Some(_) => PluginState::Active,
            },
            version: active.as_ref().map(|active| active.version.clone()),
            digest: active.as_ref().map(|active| active.digest.clone()),
            title: active.as_ref().map(|active| active.formatter.description().title.clone()),
            error: problem,
            size_bytes: *self.0.size_bytes.lock().unwrap_or_else(PoisonError::into_inner),
            loaded_at: active.map(|active| active.loaded_at),
        }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Plugin({})", self.0.name)
    }
}
