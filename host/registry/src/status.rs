//! What an operator sees of a plugin.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::config::Policy;
use crate::life::Active;
use crate::shelf::SentBack;
use crate::trial::Track;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginStatus {
    /// For a file with a name that cannot be used: the name it asked for.
    pub name: String,
    pub origin: Origin,
    pub policy: Policy,
    pub state: PluginState,
    /// Of the active version, as are digest, title, language and time.
    pub version: Option<String>,
    pub digest: Option<String>,
    pub title: Option<String>,
    pub language: Option<&'static str>,
    /// Why the file as it is now is not the active version, with what to do about it.
    pub error: Option<String>,
    /// Of the file as it is now; of the component for a built-in one.
    pub size_bytes: u64,
    /// The previous version returns by itself when this one is worse.
    pub is_new: bool,
    /// What came of the active version's records since it became active.
    pub track: Track,
    /// The way back.
    pub previous: Option<VersionStatus>,
    /// It waits for an operator.
    pub candidate: Option<VersionStatus>,
    /// Replaced ones that batches still use.
    pub draining: Vec<VersionStatus>,
    /// The version in the file, when it had to give way.
    pub sent_back: Option<SentBack>,
    pub loaded_at: Option<SystemTime>,
}

/// One version of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionStatus {
    pub version: String,
    pub digest: String,
}

impl VersionStatus {
    pub(crate) fn of(version: &Active) -> VersionStatus {
        VersionStatus { version: version.version.clone(), digest: version.digest.clone() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Builtin,
    File(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginState {
    /// Built in, and compiled once a destination uses it.
    Available,
    /// A version runs. With an error, it is an older one than the file's.
    Active,
    /// A version runs for as long as somebody uses it; its file is gone.
    Draining,
    /// No version runs, and one waits for an operator.
    Waiting,
    /// No version runs, and none can.
    Quarantined,
}

impl PluginState {
    pub fn as_str(self) -> &'static str {
        match self {
            PluginState::Available => "available",
            PluginState::Active => "active",
            PluginState::Draining => "draining",
            PluginState::Waiting => "waiting",
            PluginState::Quarantined => "quarantined",
        }
    }
}
