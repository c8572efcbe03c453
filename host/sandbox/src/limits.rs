//! What a guest may use, and how much of it one call may be given.

use std::time::Duration;

/// The most events in one call of `format`: more would only make the loss of a faulty batch larger.
pub const MAX_EVENTS: usize = 2_000;
/// The most bytes of documents in one call of `format`. With the guest's copy of them and the records made from them
/// this stays far below the default memory limit.
pub const MAX_DOCUMENT_BYTES: usize = 4 << 20;
/// The largest component that is read at all. A Python formatter, with its interpreter, is about 40 MiB.
pub const MAX_COMPONENT_BYTES: usize = 128 << 20;

/// What compiling one component may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompilerLimits {
    /// The compiler's whole address space.
    pub memory_bytes: u64,
    /// Over all its threads, in whole seconds.
    pub cpu: Duration,
    pub wall: Duration,
}

impl Default for CompilerLimits {
    /// Several times what the largest Python formatter takes.
    fn default() -> CompilerLimits {
        CompilerLimits {
            memory_bytes: 4 << 30,
            cpu: Duration::from_secs(120),
            wall: Duration::from_secs(300),
        }
    }
}

/// The machine code of one component.
pub(crate) const MAX_CODE_BYTES: u64 = 1 << 30;

/// A settings schema beyond this is not something that a form could show.
pub(crate) const MAX_SCHEMA_BYTES: usize = 64 << 10;
/// Texts of a plugin are cut here; whatever must stay whole (JSON) is a fault beyond its own cap.
pub(crate) const MAX_TEXT_BYTES: usize = 1 << 10;
/// The largest JSON object among a description's small fields.
pub(crate) const MAX_SMALL_JSON_BYTES: usize = 16 << 10;
/// What `describe` may return in all.
pub(crate) const DESCRIBE_BYTES: usize = 256 << 10;
/// What `configure` may return in all.
pub(crate) const CONFIGURE_BYTES: usize = 256 << 10;
/// What `interpret` may return in all: a batch's rejections with a reason each fit.
pub(crate) const INTERPRET_BYTES: usize = 4 << 20;
/// What the records of one event may cost beside their bytes: the end, and a rejection with its reason.
pub(crate) const OVERHEAD_BYTES_PER_EVENT: usize = 64;

/// The stack of a guest. An interpreter in a guest recurses deeply; the formatting threads have room for more.
pub(crate) const STACK_BYTES: usize = 1 << 20;
/// componentize-py links a few dozen core modules into one component.
pub(crate) const MAX_CORE_INSTANCES: u32 = 128;
pub(crate) const MAX_MEMORIES: u32 = 8;
pub(crate) const MAX_TABLES: u32 = 16;
/// Entries in one table. The largest seen, in JavaScript engines, are around ten thousand.
pub(crate) const MAX_TABLE_ELEMENTS: usize = 128 << 10;
/// Streams and pollables that a guest holds at once. Each costs the host memory that no other limit counts.
pub(crate) const MAX_HANDLES: usize = 4_096;

/// How much of the machine a guest may use for one call. Exceeding a limit ends the call with a
/// [`Fault`](crate::Fault) and the instance with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestLimits {
    /// All memories and tables of the instance together.
    pub memory_bytes: u64,
    /// CPU time of the thread that formats.
    pub cpu: Duration,
    /// Time that passes. It exceeds the CPU time when the machine is overloaded, which is not the guest's fault, so it
    /// should be generous.
    pub wall: Duration,
    /// The records of a batch together.
    pub output_bytes: u64,
    /// What is kept of standard output and standard error. More is dropped and is no fault.
    pub log_bytes: u64,
}

impl GuestLimits {
    /// What no operator's setting may exceed: the memory pool is laid out for it.
    pub const CEILING: GuestLimits = GuestLimits {
        memory_bytes: 256 << 20,
        cpu: Duration::from_secs(10),
        wall: Duration::from_secs(60),
        output_bytes: 64 << 20,
        log_bytes: 64 << 10,
    };

    /// Each limit, or the ceiling's where that is lower.
    pub fn within_ceiling(self) -> GuestLimits {
        let ceiling = GuestLimits::CEILING;
        GuestLimits {
            memory_bytes: self.memory_bytes.min(ceiling.memory_bytes),
            cpu: self.cpu.min(ceiling.cpu),
            wall: self.wall.min(ceiling.wall),
            output_bytes: self.output_bytes.min(ceiling.output_bytes),
            log_bytes: self.log_bytes.min(ceiling.log_bytes),
        }
    }
}

impl Default for GuestLimits {
    fn default() -> GuestLimits {
        GuestLimits {
            memory_bytes: 64 << 20,
            cpu: Duration::from_secs(1),
            wall: Duration::from_secs(10),
            output_bytes: 16 << 20,
            log_bytes: 4 << 10,
        }
    }
}
