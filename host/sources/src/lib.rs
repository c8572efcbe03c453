//! Sources that fetch: the host goes and gets events, where producers cannot send them.
//!
//! Each source is one task that reads a portion, hands it to the intake's [`Feed`], and goes on from there. How far it
//! has come is noted in the store in the same commit as the events, and then in a file of its own ([`progress`]): a
//! host that is killed at any moment loses nothing and doubles nothing.
//!
//! - While the store takes nothing, a source waits with what it has in hand, and reads no further.
//! - What is no event is counted, logged now and then with its place, and passed over.
//! - A source that cannot go on says why in its [status](SourceStatus) and tries again; it never ends the host.
//! - Nothing is read of the network or of files but what the configuration names. Servers are asked through
//!   `siemaphore-delivery`, the one crate that attaches credentials.
#![forbid(unsafe_code)]

mod checkpoint;
pub mod file;
mod progress;
mod pull;
mod refusals;
mod remote;
mod retry;
mod sse;
mod status;
mod task;

use std::path::PathBuf;

pub use pull::{Begin, Cursor, CursorOf, Next, PullConfig};
pub use remote::check;
pub use sse::SseConfig;
pub use status::{SourceStatus, Statuses};
pub use task::Sources;

use crate::file::FileConfig;
use siemaphore_delivery::FetchConfig;
use siemaphore_intake::Feed;

/// One source that fetches, ready to start.
pub struct SourceConfig {
    pub name: String,
    pub kind: Kind,
    pub feed: Feed,
    /// Where checkpoints are kept: a folder for this user alone.
    pub checkpoints: PathBuf,
}

/// From where events are fetched.
#[derive(Debug, Clone)]
pub enum Kind {
    File(FileConfig),
    Sse(Box<SseConfig>),
    Pull(Box<PullConfig>),
}

impl Kind {
    /// As the configuration names it.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::File(_) => "file",
            Kind::Sse(_) => "sse",
            Kind::Pull(_) => "pull",
        }
    }

    /// Of a kind that asks a server: whom, and how.
    pub fn fetch(&self) -> Option<&FetchConfig> {
        match self {
            Kind::File(_) => None,
            Kind::Sse(config) => Some(&config.fetch),
            Kind::Pull(config) => Some(&config.fetch),
        }
    }
}
