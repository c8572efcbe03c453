//! The guest broke: it trapped, hit a limit, or returned what the contract forbids.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Figures;

/// One failed call of a plugin. The instance it happened in is gone; nothing of it reaches the next batch.
#[derive(Debug, Clone, thiserror::Error)]
#[error("formatter `{plugin}` {kind} in {call}{}", Said(.said))]
pub struct Fault {
    pub plugin: Arc<str>,
    pub call: Call,
    pub kind: FaultKind,
    /// What the guest wrote of its own end, in one cleaned line: a panic's message, an exception's, else its last line.
    pub said: Option<String>,
    /// What the batch had used until then.
    pub figures: Box<Figures>,
}

impl Fault {
    /// What the operator can do about it.
    pub fn hint(&self) -> &'static str {
        match &self.kind {
            FaultKind::Trap(_) | FaultKind::Exit => {
                "a defect of the plugin: give its author the event and the message, or install another version"
            }
            FaultKind::Contract(_) => {
                "the plugin breaks the formatter contract: run `siemaphore plugin check` on it and tell its author"
            }
            FaultKind::Limit(Limit::Stack | Limit::Handles { .. }) => {
                "the plugin recurses or allocates without end: tell its author"
            }
            FaultKind::Limit(_) => "raise that limit for this plugin, or send smaller batches",
        }
    }
}

/// What the guest was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Instantiate,
    Describe,
    Configure,
    Format,
    Interpret,
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Call::Instantiate => "start-up",
            Call::Describe => "`describe`",
            Call::Configure => "`configure`",
            Call::Format => "`format`",
            Call::Interpret => "`interpret`",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    #[error("trapped ({0})")]
    Trap(String),
    /// It called `exit`.
    #[error("ended itself")]
    Exit,
    #[error("exceeded its limit of {0}")]
    Limit(Limit),
    /// A returned value that the contract forbids.
    #[error("broke the contract ({0})")]
    Contract(String),
}

/// Which limit was hit, and what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    #[error("{} of memory", Bytes(*.limit_bytes))]
    Memory { limit_bytes: u64 },
    #[error("{limit:?} of CPU time")]
    Cpu { limit: Duration },
    #[error("{limit:?} of time")]
    Wall { limit: Duration },
    #[error("{} of output", Bytes(*.limit_bytes))]
    Output { limit_bytes: u64 },
    #[error("{} of stack", Bytes(crate::limits::STACK_BYTES as u64))]
    Stack,
    #[error("{limit} open streams and timers")]
    Handles { limit: usize },
}

struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) => {
                write!(formatter, "{} MiB", bytes >> 20)
            }
            bytes if bytes >= 1 << 10 && bytes.is_multiple_of(1 << 10) => {
                write!(formatter, "{} KiB", bytes >> 10)
            }
            bytes => write!(formatter, "{bytes} bytes"),
        }
    }
}

struct Said<'a>(&'a Option<String>);

impl fmt::Display for Said<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(said) => write!(formatter, "; it said: {said}"),
            None => Ok(()),
        }
    }
}
