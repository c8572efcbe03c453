//! Formatters by name, and the life of their files: discovered ▶ verified ▶ compiled ▶ checked ▶ active ▶ draining ▶
//! retired, or quarantined with the reason.
//!
//! - A folder of `.wasm` files is watched. A file's stem is its formatter's name; the built-in names are reserved.
//! - Replacing a file replaces the formatter without stopping anything: whoever holds an [`Active`] keeps it until done.
//! - A file that cannot be used leaves the version before it in place, and [`Registry::list`] says why.
//! - The version before stays loaded. It returns by itself when the new one is worse ([`Plugin::report`]), and at an
//!   operator's word. What was sent back is not tried again until the file changes.
//! - With the policy [`Policy::Manual`], a new version waits for an operator.
//! - Which versions are in use outlives a restart (`shelf`, `restore`): what formatted before it formats first, and then the
//!   folder is looked at.
//! - A file that is deleted takes its formatter with it, unless somebody uses it: then its last version goes on, and the
//!   listing says so.
//!
//! Everything that reads or compiles blocks: not for async threads. One thread does it, and writes what is kept.
#![forbid(unsafe_code)]

mod config;
mod error;
mod folder;
mod life;
mod loader;
mod look;
mod name;
mod plugin;
mod registry;
mod restore;
mod shared;
mod shelf;
pub mod signature;
mod status;
mod trial;
mod watcher;

pub use config::{PluginConfig, Policy, RegistryConfig};
pub use error::{PluginError, RegistryError, RollBackError};
pub use life::{Active, Artifact, Compiled, Verified};
pub use name::is_valid as is_valid_name;
pub use plugin::{Outcome, Plugin};
pub use registry::Registry;
pub use shelf::SentBack;
pub use status::{Origin, PluginState, PluginStatus, VersionStatus};
pub use trial::Track;
