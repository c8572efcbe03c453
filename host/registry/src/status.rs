//! What an operator sees of a plugin.

use std::path::PathBuf;
use std::time::SystemTime;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginStatus {
    /// For a file with a name that cannot be used: the name it asked for.
    pub name: String,
    pub origin: Origin,
    pub state: PluginState,
    /// Of the active version, as are digest, title and time.
    pub version: Option<String>,
    pub digest: Option<String>,
    pub title: Option<String>,
    /// Why the file as it is now is not the active version, with what to do about it.
    pub error: Option<String>,
    /// Of the file as it is now; of the component for a built-in one.
    pub size_bytes: u64,
    pub loaded_at: Option<SystemTime>,
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
    /// No version runs.
    Quarantined,
}

impl PluginState {
    pub fn as_str(self) -> &'static str {
        match self {
            PluginState::Available => "available",
            PluginState::Active => "active",
            PluginState::Draining => "draining",
            PluginState::Quarantined => "quarantined",
        }
    }
}
