//! What the stories are told with.
//!
//! A test waits for the record, the request, the log line or the end of a process that it means, and gives up after
//! [`PATIENCE`].

mod cli;
mod configuration;
mod disk;
#[path = "../canary/echo.rs"]
pub(crate) mod echo;
pub(crate) mod events;
pub(crate) mod formatter;
mod host;
mod http;
#[path = "../canary/hunt.rs"]
pub(crate) mod hunt;
mod log;
mod scene;
mod siem;

use std::time::Duration;

pub(crate) use cli::{Output, output, run, run_in, run_in_environment, run_with_input, spawn};
pub(crate) use configuration::Destination;
pub(crate) use disk::SmallDisk;
pub(crate) use host::Host;
pub(crate) use http::{Answer, asked_over, get, request, try_request};
pub(crate) use log::Entry;
pub(crate) use scene::{Scene, SceneBuilder, TOKEN, files_below, token_of};
pub(crate) use siem::{Kind, StandIn, ids, keys};

/// Far more than anything takes on a busy machine: only a test that fails waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
