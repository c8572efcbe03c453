//! Formatters by name, and the life of their files: discovered ▶ verified ▶ compiled ▶ active, or quarantined with the
//! reason.
//!
//! - A folder of `.wasm` files is watched. A file's stem is its formatter's name; the built-in names are reserved.
//! - Replacing a file replaces the formatter without stopping anything: whoever holds an [`Active`] keeps it until done.
//! - A file that cannot be used leaves the version before it in place, and [`Registry::list`] says why.
//! - A file that is deleted takes its formatter with it, unless somebody uses it: then its last version goes on, and the
//!   listing says so.
//!
//! Everything that reads or compiles blocks: not for async threads. Not here yet: compiling in a process of its own, a
//! cache of compiled code, the laws, signatures, going back to the previous version.
#![forbid(unsafe_code)]

mod error;
mod folder;
mod life;
mod name;
mod plugin;
mod registry;
mod status;
mod watcher;

pub use error::{PluginError, RegistryError};
pub use life::{Active, Artifact, Compiled, Verified};
pub use plugin::Plugin;
pub use registry::{Registry, RegistryConfig};
pub use status::{Origin, PluginState, PluginStatus};
