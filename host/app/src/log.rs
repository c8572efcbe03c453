//! Where log lines go: standard error, as text for people or JSON for machines.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// How the host logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogConfig {
    pub(crate) json: bool,
    /// Directives of `tracing`: `info`, or `siemaphore_delivery=debug,info`.
    pub(crate) level: String,
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig { json: false, level: "info".to_owned() }
    }
}

/// Starts logging for the rest of the process. A second call changes nothing.
pub(crate) fn start(config: &LogConfig) {
    let filter = EnvFilter::try_new(&config.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false);
    // Already started is fine: a command may start the log before the configuration is read.
    let started = if config.json { builder.json().try_init() } else { builder.try_init() };
    drop(started);
}
