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
    /// How much memory all requests together may take, one half for bodies as they arrive and one for decoded events.
    /// One source may take half of either. More requests wait for a moment, and are then turned away. Each half is at
    /// least what one request of the largest size takes, and so is the part of a source. Default 256 MiB.
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
