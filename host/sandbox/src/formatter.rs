//! A loaded plugin, ready to make instances.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use siemaphore_model::Event;
use siemaphore_model::formatter::{Description, Records, RequestProfile, Response, Verdict};

use crate::abi::Prepared;
use crate::error::{ConfigureError, FormatError};
use crate::limits::GuestLimits;
use crate::sandbox::Core;
use crate::session::Session;

/// A verified, compiled and described plugin. Cheap to clone.
///
/// Its functions block the calling thread for as long as the guest may run: call them on the formatting threads
/// ([`Sandbox::run`](crate::Sandbox::run)), never on the asynchronous runtime.
#[derive(Clone)]
pub struct Formatter(pub(crate) Arc<Loaded>);

pub(crate) struct Loaded {
    pub(crate) core: Arc<Core>,
    pub(crate) plugin: Arc<str>,
    pub(crate) prepared: Prepared,
    pub(crate) limits: GuestLimits,
    pub(crate) description: Description,
}

/// What a destination has configured of its formatter. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// A JSON object.
    pub settings: String,
    /// An opaque name, the same for as long as the destination exists.
    pub destination: String,
}

/// One batch's records, and what they cost.
#[derive(Debug, Clone)]
pub struct Formatted {
    pub records: Records,
    pub figures: Figures,
}

/// What a batch has used, the instance's start and `configure` included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    pub cpu: Duration,
    pub wall: Duration,
    /// All memories and tables of the instance together.
    pub peak_memory_bytes: u64,
    /// Of documents.
    pub input_bytes: u64,
    /// Of records.
    pub output_bytes: u64,
    /// What the guest wrote to standard output and standard error, dropped bytes included.
    pub log_bytes: u64,
}

impl Formatter {
    /// The name that the operator gave the plugin.
    pub fn plugin(&self) -> &str {
        &self.0.plugin
    }

    pub fn description(&self) -> &Description {
        &self.0.description
    }

    pub fn limits(&self) -> &GuestLimits {
        &self.0.limits
    }

    /// Asks what a request would look like with these settings.
    pub fn configure(&self, configuration: &Configuration) -> Result<RequestProfile, ConfigureError> {
        Ok(self.open(configuration)?.into_profile())
    }

    /// Formats a batch in an instance of its own.
    pub fn format(
        &self,
        configuration: &Configuration,
        events: &[Event<'_>],
    ) -> Result<Formatted, FormatError> {
        self.open(configuration)?.format(events)
    }

    /// Asks what an answer means, in an instance of its own.
    pub fn interpret(
        &self,
        configuration: &Configuration,
        response: &Response,
    ) -> Result<Verdict, FormatError> {
        self.open(configuration)?.interpret(response)
    }

    /// A fresh, configured instance. It takes a place in the memory pool until it is dropped, and blocks while there is
    /// none, so a thread must not hold two.
    pub fn open(&self, configuration: &Configuration) -> Result<Session, ConfigureError> {
        Session::open(self, configuration)
    }
}

impl fmt::Debug for Formatter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Formatter").field("plugin", &self.plugin()).finish_non_exhaustive()
    }
}
