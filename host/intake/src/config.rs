//! The limits of the intake.

use std::time::Duration;

const MIB: usize = 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeConfig {
    /// The largest body as it is sent, compressed or not. Default 16 MiB.
    pub body_bytes: usize,
    /// The largest body after decompression. Default 16 MiB.
    pub decompressed_bytes: usize,
    /// The most events in one request. Default 10,000.
    pub batch_events: usize,
    /// How much memory all requests together may take for bodies and decoded events; more of them wait their turn.
    /// At least the greatest of one request counts, or that one could never be served. Default 256 MiB.
    pub concurrent_bytes: usize,
    /// How long a producer may take to send one body. Default 60 s.
    pub read_timeout: Duration,
}

impl Default for IntakeConfig {
    fn default() -> IntakeConfig {
        IntakeConfig {
            body_bytes: 16 * MIB,
            decompressed_bytes: 16 * MIB,
            batch_events: 10_000,
            concurrent_bytes: 256 * MIB,
            read_timeout: Duration::from_secs(60),
        }
    }
}
