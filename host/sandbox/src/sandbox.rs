//! The sandbox as a whole: the engine, its clock, the memory pool's places and the formatting threads.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::abi::Prepared;
use crate::code::CodeSource;
use crate::error::{LoadError, SandboxError};
use crate::formatter::{Formatter, Loaded};
use crate::guest::Guest;
use crate::limits::GuestLimits;
use crate::session::{CallError, describe};
use crate::slots::Slots;
use crate::text::clean_line;
use crate::threads::{FormattingThreads, MIN_THREADS, SandboxClosed};
use crate::ticker::Ticker;
use crate::turns::THE_HOST;
use crate::verify::verify;
use crate::wasi;

/// Places in the memory pool beside the formatting threads': plugins that are being loaded or tried out.
const SPARE_SLOTS: usize = 2;
/// Work of one plugin that waits for a formatting thread. Pipelines wait their turn in it, and hold one batch each.
const QUEUE: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxConfig {
    /// How many batches are formatted at once, at least two. Default: as many as the machine has processors.
    pub formatting_threads: usize,
    /// How much work of each plugin may wait for a thread. More waits outside, in the futures of [`Sandbox::run`].
    pub queue: usize,
}

impl Default for SandboxConfig {
    fn default() -> SandboxConfig {
        SandboxConfig { formatting_threads: available_parallelism().map_or(1, NonZero::get), queue: QUEUE }
    }
}

/// Loads plugins and runs their work. Cheap to clone; the threads end with the last clone, loaded formatters live on.
#[derive(Clone)]
pub struct Sandbox {
    core: Arc<Core>,
    threads: FormattingThreads,
}

/// What an instance needs to run.
pub(crate) struct Core {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    pub(crate) slots: Slots,
    linker: Linker<Guest>,
}

impl Sandbox {
    pub fn new(config: SandboxConfig) -> Result<Sandbox, SandboxError> {
        let engine = crate::engine::build(slots(&config))?;
        Sandbox::on(engine, &config)
    }

    /// A sandbox whose engine differs from the real one: for tests that look into guests' memory.
    #[doc(hidden)]
    pub fn with_engine(
        config: &SandboxConfig,
        adjust: impl FnOnce(&mut wasmtime::Config),
    ) -> Result<Sandbox, SandboxError> {
        Sandbox::on(crate::engine::build_adjusted(adjust)?, config)
    }

    fn on(engine: Engine, config: &SandboxConfig) -> Result<Sandbox, SandboxError> {
        let mut linker = Linker::new(&engine);
        wasi::add_to_linker(&mut linker).map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
        let ticker = Ticker::start(engine.clone()).map_err(SandboxError::Thread)?;
        Ok(Sandbox {
            core: Arc::new(Core { engine, ticker, slots: Slots::new(slots(config)), linker }),
            threads: FormattingThreads::start(formatting_threads(config), config.queue)?,
        })
    }

    /// [`Sandbox::load_from`] of a component of our own, which is compiled in this process.
    pub fn load(&self, plugin: &str, component: &[u8], limits: GuestLimits) -> Result<Formatter, LoadError> {
        self.load_from(&CodeSource::default(), plugin, component, limits)
    }

    /// Verifies, compiles, links and describes a component. Takes milliseconds for a formatter in Rust and several
    /// seconds for one that brings a JavaScript or Python engine, so never call it on the asynchronous runtime.
    /// Several loads at once are fine. Limits above [`GuestLimits::CEILING`] are lowered to it.
    pub fn load_from(
        &self,
        code: &CodeSource,
        plugin: &str,
        component: &[u8],
        limits: GuestLimits,
    ) -> Result<Formatter, LoadError> {
        let version = verify(plugin, component)?;
        let limits = limits.within_ceiling();
        let component = code.component(&self.core.engine, plugin, component)?;
        let mismatch = |error: wasmtime::Error| LoadError::Mismatch {
            plugin: plugin.to_owned(),
            reason: clean_line(&format!("{error:#}")),
        };
        let linked = self.core.linker.instantiate_pre(&component).map_err(mismatch)?;
        let prepared = Prepared::new(version, linked).map_err(mismatch)?;
        let plugin: Arc<str> = Arc::from(plugin);
        let description = describe(&self.core, &plugin, &prepared, &limits)?;
        let core = Arc::clone(&self.core);
        Ok(Formatter(Arc::new(Loaded { core, plugin, prepared, limits, description })))
    }

    /// Runs blocking work of the host's own on a formatting thread and waits for its result.
    pub fn run<T, W>(&self, work: W) -> impl Future<Output = Result<T, SandboxClosed>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        self.run_for(THE_HOST, work)
    }

    /// Runs blocking work of a plugin on a formatting thread and waits for its result. Plugins take turns, and one that
    /// takes long never has every thread.
    ///
    /// When the plugin's queue is full, it waits. Dropping the future is safe: work that has not begun is skipped, and
    /// work that has begun runs to its end, which the guest's limits bound. If the work panics, so does this.
    pub fn run_for<T, W>(
        &self,
        plugin: &str,
        work: W,
    ) -> impl Future<Output = Result<T, SandboxClosed>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        // The future owns its way to the queue: it may outlive this handle.
        let (threads, plugin) = (self.threads.clone(), plugin.to_owned());
        async move { threads.run(&plugin, work).await }
    }
}

fn formatting_threads(config: &SandboxConfig) -> usize {
    config.formatting_threads.max(MIN_THREADS)
}

fn slots(config: &SandboxConfig) -> usize {
    formatting_threads(config) + SPARE_SLOTS
}

impl From<CallError> for LoadError {
    fn from(error: CallError) -> LoadError {
        match error {
            CallError::Fault(fault) => LoadError::Fault(fault),
            CallError::Host(error) => LoadError::Host(error),
        }
    }
}
