//! What belongs to one instance while it runs: what it may use, what it has used, what it wrote.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{ResourceLimiter, Result, Store, UpdateDeadline};

use crate::fault::Limit;
use crate::limits::{GuestLimits, MAX_CORE_INSTANCES, MAX_HANDLES, MAX_MEMORIES, MAX_TABLES};
use crate::log::Log;
use crate::wasi::random::Random;
use crate::{Call, Figures};

/// A table entry is a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// The data of a store.
pub(crate) struct Guest {
    plugin: Arc<str>,
    limits: GuestLimits,
    memory: MemoryMeter,
    clock: CallClock,
    pub(crate) log: Log,
    pub(crate) random: Random,
}

/// A limit was hit: the error that unwinds the guest.
#[derive(Debug, thiserror::Error)]
#[error("exceeded {0}")]
pub(crate) struct Exceeded(pub(crate) Limit);

/// The guest called `exit`.
#[derive(Debug, thiserror::Error)]
#[error("the guest called exit")]
pub(crate) struct Exited;

impl Guest {
    /// A store whose guest is interrupted at the next tick, and then at each one, to look at its deadlines.
    pub(crate) fn store(engine: &wasmtime::Engine, plugin: Arc<str>, limits: GuestLimits) -> Store<Guest> {
        let guest = Guest {
            plugin,
            memory: MemoryMeter { limit_bytes: limits.memory_bytes, ..MemoryMeter::default() },
            clock: CallClock::start(),
            log: Log::new(limits.log_bytes),
            random: Random::new(),
            limits,
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.memory);
        store.set_max_component_handles(MAX_HANDLES);
        store.epoch_deadline_callback(|store| {
            store.data().check_deadlines()?;
            Ok(UpdateDeadline::Continue(1))
        });
        store
    }

    /// Starts the clocks of one call anew: its deadlines are its own, whatever the calls before it used.
    pub(crate) fn begin(&mut self) {
        self.clock = CallClock::start();
        self.log.begin();
    }

    /// What the call has used so far. Input and output are the caller's to add.
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            cpu: self.clock.cpu(),
            wall: self.clock.wall(),
            peak_memory_bytes: self.memory.peak_bytes,
            log_bytes: self.log.written(),
            ..Figures::default()
        }
    }

    /// Hands the guest's lines to the host's log.
    pub(crate) fn flush_log(&mut self, call: Call) {
        for line in self.log.take_lines() {
            tracing::info!(target: "siemaphore::plugin", plugin = %self.plugin, %call, "{line}");
        }
    }

    fn check_deadlines(&self) -> Result<()> {
        if self.clock.cpu() >= self.limits.cpu {
            return Err(Exceeded(Limit::Cpu { limit: self.limits.cpu }).into());
        }
        if self.clock.wall() >= self.limits.wall {
            return Err(Exceeded(Limit::Wall { limit: self.limits.wall }).into());
        }
        Ok(())
    }
}

/// When the current call began, by the thread's own CPU time and by the wall.
struct CallClock {
    cpu: Duration,
    wall: Instant,
}

impl CallClock {
    fn start() -> CallClock {
        CallClock { cpu: thread_cpu_time(), wall: Instant::now() }
    }

    fn cpu(&self) -> Duration {
        thread_cpu_time().saturating_sub(self.cpu)
    }

    fn wall(&self) -> Duration {
        self.wall.elapsed()
    }
}

pub(crate) fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Sums up all memories and tables of an instance. The engine's own `StoreLimits` looks at each by itself, so eight
/// memories would be eight times the limit.
#[derive(Default)]
struct MemoryMeter {
    limit_bytes: u64,
    used_bytes: u64,
    peak_bytes: u64,
    /// What the last growth took, in case the engine could not provide it.
    last_growth_bytes: u64,
}

impl MemoryMeter {
    fn grow(&mut self, current_bytes: usize, desired_bytes: usize) -> Result<bool> {
        let growth_bytes = desired_bytes.saturating_sub(current_bytes) as u64;
        let used_bytes = self.used_bytes.saturating_add(growth_bytes);
        if used_bytes > self.limit_bytes {
            // An error ends the guest here and names the limit. Refusing the growth would leave it to the guest's
            // allocator, which can only trap for a reason of its own.
            return Err(Exceeded(Limit::Memory { limit_bytes: self.limit_bytes }).into());
        }
        self.last_growth_bytes = growth_bytes;
        self.used_bytes = used_bytes;
        self.peak_bytes = self.peak_bytes.max(used_bytes);
        Ok(true)
    }

    fn take_back(&mut self) {
        self.used_bytes = self.used_bytes.saturating_sub(self.last_growth_bytes);
        self.last_growth_bytes = 0;
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        self.grow(current, desired)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        self.grow(current.saturating_mul(TABLE_ELEMENT_BYTES), desired.saturating_mul(TABLE_ELEMENT_BYTES))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        self.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        MAX_CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        MAX_TABLES as usize
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES as usize
    }
}
