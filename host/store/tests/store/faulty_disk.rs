//! A disk that fails on demand, and that knows what a power cut would leave.
//!
//! It sees each call that changes something. Written bytes are only safe after a sync; a sync that fails loses them for
//! good, as Linux does it: the next sync will not try again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What hardware writes as a whole.
const SECTOR: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// EIO.
    Broken,
    /// ENOSPC.
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Open,
    Write,
    Truncate,
    Sync,
}

/// Which calls fail.
#[derive(Debug, Clone, Copy)]
struct Plan {
    from: u64,
    calls: u64,
    fault: Fault,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { to: usize },
}

#[derive(Debug, Default)]
struct File {
    synced: Vec<u8>,
    /// Since the last sync, in order.
    changes: Vec<Change>,
}

#[derive(Debug, Default)]
struct State {
    calls: u64,
    plan: Option<Plan>,
    files: BTreeMap<PathBuf, File>,
}

#[derive(Debug, Default)]
pub(crate) struct FaultyDisk(Mutex<State>);

impl FaultyDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls there were that could have failed.
    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Lets the call with this number fail and `more` after it.
    pub(crate) fn fail(&self, number: u64, more: u64, fault: Fault) {
        self.state().plan = Some(Plan { from: number, calls: more.saturating_add(1), fault });
    }

    pub(crate) fn heal(&self) {
        self.state().plan = None;
    }

    /// Counts a call; gives how it fails, if it does.
    pub(crate) fn begin(&self) -> Option<Fault> {
        let mut state = self.state();
        let number = state.calls;
        state.calls += 1;
        let plan = state.plan?;
        (number >= plan.from && number - plan.from < plan.calls).then_some(plan.fault)
    }

    pub(crate) fn opened(&self, path: &Path) {
        let content = std::fs::read(path).unwrap_or_default();
        self.state().files.entry(path.to_owned()).or_insert(File { synced: content, changes: Vec::new() });
    }

    pub(crate) fn deleted(&self, path: &Path) {
        self.state().files.remove(path);
    }

    pub(crate) fn written(&self, path: &Path, at: usize, bytes: &[u8]) {
        self.change(path, Change::Write { at, bytes: bytes.to_vec() });
    }

    pub(crate) fn truncated(&self, path: &Path, to: usize) {
        self.change(path, Change::Truncate { to });
    }

    fn change(&self, path: &Path, change: Change) {
        self.state().files.entry(path.to_owned()).or_default().changes.push(change);
    }

    pub(crate) fn synced(&self, path: &Path, arrived: bool) {
        let mut state = self.state();
        let file = state.files.entry(path.to_owned()).or_default();
        for change in std::mem::take(&mut file.changes) {
            if arrived {
                change.apply(&mut file.synced);
            }
        }
    }

    /// What a power cut leaves: all that was synced, and of the rest whatever `seed` says, one write torn.
    pub(crate) fn after_power_cut(&self, seed: u64) -> Vec<(PathBuf, Vec<u8>)> {
        let mut random = seed | 1;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let state = self.state();
        let mut left = Vec::new();
        for (path, file) in &state.files {
            let mut content = file.synced.clone();
            for change in &file.changes {
                match next() % 4 {
                    0 => change.apply(&mut content),
                    1 => change.torn((next() % 64) as usize * SECTOR).apply(&mut content),
                    _ => {}
                }
            }
            left.push((path.clone(), content));
        }
        left
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write { at, bytes } => {
                let end = at + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*at..end].copy_from_slice(bytes);
            }
            Change::Truncate { to } => content.truncate(*to),
        }
    }

    fn torn(&self, length: usize) -> Change {
        match self {
            Change::Write { at, bytes } => {
                Change::Write { at: *at, bytes: bytes[..length.min(bytes.len())].to_vec() }
            }
            Change::Truncate { to } => Change::Truncate { to: *to },
        }
    }
}
