//! How many instructions a guest executes: the one figure that is the same on every machine and in every run.
//!
//! Counting needs code that counts, which is slower. So it has an engine of its own: nothing here changes the one that
//! formats, and no batch of a host is ever counted. Time limits are the ceiling's, because they are not what is
//! measured; memory is limited as it is elsewhere.

use std::sync::Arc;

use siemaphore_model::Event;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use crate::abi::{Instance, Prepared};
use crate::engine::build_adjusted;
use crate::error::{ConfigureError, FormatError, HostError, LoadError, SandboxError};
use crate::formatter::Configuration;
use crate::guest::Guest;
use crate::limits::{CONFIGURE_BYTES, GuestLimits, OVERHEAD_BYTES_PER_EVENT};
use crate::text::clean_line;
use crate::ticker::Ticker;
use crate::verify::verify;
use crate::{check, wasi};

/// A formatter whose instructions are counted. Its functions block, as those of [`Formatter`](crate::Formatter) do.
pub struct Counted {
    plugin: Arc<str>,
    engine: Engine,
    ticker: Ticker,
    prepared: Prepared,
    limits: GuestLimits,
}

/// Fuel is about one for each WebAssembly instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fuel {
    /// To start an instance and `configure` it: paid once a batch.
    pub opening: u64,
    /// For all events together.
    pub format: u64,
}

impl Counted {
    /// Verifies and compiles, as [`Sandbox::load`](crate::Sandbox::load) does, with counting.
    pub fn load(plugin: &str, component: &[u8], limits: &GuestLimits) -> Result<Counted, CountError> {
        let version = verify(plugin, component)?;
        let engine = build_adjusted(|config| {
            config.consume_fuel(true);
        })?;
        let mut linker = Linker::new(&engine);
        wasi::add_to_linker(&mut linker).map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
        let unfit = |error: wasmtime::Error| LoadError::Mismatch {
            plugin: plugin.to_owned(),
            reason: clean_line(&format!("{error:#}")),
        };
        let component = Component::from_binary(&engine, component).map_err(unfit)?;
        let linked = linker.instantiate_pre(&component).map_err(unfit)?;
        let prepared = Prepared::new(version, linked).map_err(unfit)?;
        let ticker = Ticker::start(engine.clone()).map_err(SandboxError::Thread)?;
        let GuestLimits { cpu, wall, .. } = GuestLimits::CEILING;
        let limits = GuestLimits { cpu, wall, ..limits.clone().within_ceiling() };
        Ok(Counted { plugin: Arc::from(plugin), engine, ticker, prepared, limits })
    }

    /// Formats these events in an instance of its own, and counts.
    pub fn count(&self, configuration: &Configuration, events: &[Event<'_>]) -> Result<Fuel, CountError> {
        let _ticking = self.ticker.running();
        let mut store = Guest::store(&self.engine, Arc::clone(&self.plugin), self.limits.clone());
        store.set_epoch_deadline(1);
        store.set_fuel(u64::MAX).map_err(|error| self.broken(&error))?;
        let instance = self.prepared.instantiate(&mut store).map_err(|error| self.broken(&error))?;
        self.configure(&instance, &mut store, configuration)?;
        let opened = self.left(&store)?;
        let output_bytes = usize::try_from(self.limits.output_bytes).unwrap_or(usize::MAX);
        store.set_hostcall_fuel(output_bytes.saturating_add(events.len() * OVERHEAD_BYTES_PER_EVENT));
        store.data_mut().begin();
        let records = instance.format(&mut store, events).map_err(|error| self.broken(&error))?;
        records.map_err(|reason| FormatError::Refused(clean_line(&reason)))?;
        let formatted = self.left(&store)?;
        Ok(Fuel { opening: u64::MAX - opened, format: opened - formatted })
    }

    fn configure(
        &self,
        instance: &Instance,
        store: &mut Store<Guest>,
        configuration: &Configuration,
    ) -> Result<(), CountError> {
        store.set_hostcall_fuel(CONFIGURE_BYTES);
        store.data_mut().begin();
        let Configuration { settings, destination } = configuration;
        let answer = instance.configure(store, settings, destination).map_err(|error| self.broken(&error))?;
        let refused = |problems| FormatError::from(ConfigureError::Refused(check::problems(problems)));
        Ok(answer.map(|_| ()).map_err(refused)?)
    }

    fn left(&self, store: &Store<Guest>) -> Result<u64, CountError> {
        store.get_fuel().map_err(|error| self.broken(&error))
    }

    /// Whose fault it is is told where the same events are formatted uncounted.
    fn broken(&self, error: &wasmtime::Error) -> CountError {
        let reason = clean_line(&format!("{error:#}"));
        FormatError::from(HostError::Engine { plugin: self.plugin.to_string(), reason }).into()
    }
}

/// Nothing could be counted.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Format(#[from] FormatError),
}
