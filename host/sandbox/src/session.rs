//! One instance and its calls: started, asked, thrown away.

use std::sync::Arc;

use siemaphore_model::Event;
use siemaphore_model::formatter::{Description, RequestProfile, Response, Verdict};
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};

use crate::abi::{Instance, Prepared};
use crate::check;
use crate::error::{ConfigureError, FormatError, HostError};
use crate::fault::{Call, Fault, FaultKind, Limit};
use crate::formatter::{Configuration, Figures, Formatted, Formatter};
use crate::guest::{Exceeded, Exited, Guest};
use crate::limits::{
    CONFIGURE_BYTES, DESCRIBE_BYTES, GuestLimits, INTERPRET_BYTES, MAX_DOCUMENT_BYTES, MAX_EVENTS,
    MAX_HANDLES, OVERHEAD_BYTES_PER_EVENT,
};
use crate::sandbox::Core;
use crate::slots::Slot;
use crate::text::clean_line;

/// A configured instance. Production opens one for each batch; the benchmark reuses one to show what that costs.
///
/// After a fault the instance is broken for good: whatever the guest held is still held. Throw it away.
pub struct Session {
    running: RunningInstance,
    profile: RequestProfile,
    /// What start and `configure` took, for the first batch's figures.
    opening: Figures,
}

impl Session {
    pub(crate) fn open(
        formatter: &Formatter,
        configuration: &Configuration,
    ) -> Result<Session, ConfigureError> {
        let loaded = &formatter.0;
        let mut running =
            RunningInstance::start(&loaded.core, &loaded.plugin, &loaded.prepared, &loaded.limits)?;
        let Configuration { settings, destination } = configuration;
        let answer = running
            .call(Call::Configure, CONFIGURE_BYTES, |instance, store| {
                instance.configure(store, settings, destination)
            })?
            .map_err(|problems| ConfigureError::Refused(check::problems(problems)))?;
        let profile = running.checked(Call::Configure, check::profile(answer))?;
        let opening = running.spent;
        Ok(Session { running, profile, opening })
    }

    /// What the instance answered to `configure`.
    pub fn profile(&self) -> &RequestProfile {
        &self.profile
    }

    pub(crate) fn into_profile(self) -> RequestProfile {
        self.profile
    }

    /// Turns at most [`MAX_EVENTS`] events with at most
    /// [`MAX_DOCUMENT_BYTES`] of documents into records.
    pub fn format(&mut self, events: &[Event<'_>]) -> Result<Formatted, FormatError> {
        let input_bytes = measure(events)?;
        let output_limit = self.running.limits.output_bytes;
        self.running.spent = std::mem::take(&mut self.opening);
        self.running.spent.input_bytes = input_bytes as u64;
        let fuel = usize::try_from(output_limit)
            .unwrap_or(usize::MAX)
            .saturating_add(events.len().saturating_mul(OVERHEAD_BYTES_PER_EVENT));
        let records = self
            .running
            .call(Call::Format, fuel, |instance, store| instance.format(store, events))?
            .map_err(|reason| FormatError::Refused(clean_line(&reason)))?;
        let output_bytes = records.data.len() as u64;
        if output_bytes > output_limit {
            let limit = Limit::Output { limit_bytes: output_limit };
            return Err(self.running.fault(Call::Format, FaultKind::Limit(limit), None).into());
        }
        self.running.spent.output_bytes = output_bytes;
        let records = self
            .running
            .checked(Call::Format, check::records(records, events.len(), &self.profile.framing))?;
        Ok(Formatted { records, figures: self.running.spent })
    }

    pub fn interpret(&mut self, response: &Response) -> Result<Verdict, FormatError> {
        let verdict = self
            .running
            .call(Call::Interpret, INTERPRET_BYTES, |instance, store| instance.interpret(store, response))?;
        Ok(self.running.checked(Call::Interpret, check::verdict(verdict, response.records))?)
    }
}

/// Starts an instance only to ask what it is.
pub(crate) fn describe(
    core: &Arc<Core>,
    plugin: &Arc<str>,
    prepared: &Prepared,
    limits: &GuestLimits,
) -> Result<Description, CallError> {
    let mut running = RunningInstance::start(core, plugin, prepared, limits)?;
    let description =
        running.call(Call::Describe, DESCRIBE_BYTES, |instance, store| instance.describe(store))?;
    Ok(running.checked(Call::Describe, check::description(description))?)
}

fn measure(events: &[Event<'_>]) -> Result<usize, HostError> {
    if events.len() > MAX_EVENTS {
        return Err(HostError::TooManyEvents { count: events.len(), limit: MAX_EVENTS });
    }
    let bytes = events.iter().map(|event| event.document().len()).sum();
    if bytes > MAX_DOCUMENT_BYTES {
        return Err(HostError::TooManyBytes { bytes, limit: MAX_DOCUMENT_BYTES });
    }
    Ok(bytes)
}

/// A call that gave nothing, for a reason that is not the settings.
pub(crate) enum CallError {
    Fault(Fault),
    Host(HostError),
}

/// An instance, what it runs in, and its place in the pool. The store goes before the place does.
struct RunningInstance {
    instance: Instance,
    store: Store<Guest>,
    core: Arc<Core>,
    plugin: Arc<str>,
    limits: GuestLimits,
    /// What the batch has used so far, over all its calls.
    spent: Figures,
    _slot: Slot,
}

impl RunningInstance {
    fn start(
        core: &Arc<Core>,
        plugin: &Arc<str>,
        prepared: &Prepared,
        limits: &GuestLimits,
    ) -> Result<RunningInstance, CallError> {
        let slot = core.slots.take();
        let mut store = Guest::store(&core.engine, Arc::clone(plugin), limits.clone());
        let started = {
            let _ticking = core.ticker.running();
            store.set_epoch_deadline(1);
            prepared.instantiate(&mut store)
        };
        let mut spent = Figures::default();
        match started {
            Ok(instance) => {
                add(&mut spent, store.data().figures());
                let (core, plugin, limits) = (Arc::clone(core), Arc::clone(plugin), limits.clone());
                Ok(RunningInstance { instance, store, core, plugin, limits, spent, _slot: slot })
            }
            Err(error) => Err(blame(Call::Instantiate, &error, plugin, limits, &mut store, spent)),
        }
    }

    /// Runs one call of the guest under limits of its own. `returned_bytes` bounds what it may hand back.
    fn call<T>(
        &mut self,
        call: Call,
        returned_bytes: usize,
        function: impl FnOnce(&Instance, &mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        let _ticking = self.core.ticker.running();
        self.store.set_hostcall_fuel(returned_bytes);
        self.store.set_epoch_deadline(1);
        self.store.data_mut().begin();
        let result = function(&self.instance, &mut self.store);
        match result {
            Ok(value) => {
                add(&mut self.spent, self.store.data().figures());
                self.store.data_mut().flush_log(call);
                Ok(value)
            }
            Err(error) => {
                let (plugin, limits) = (&self.plugin, &self.limits);
                Err(blame(call, &error, plugin, limits, &mut self.store, self.spent))
            }
        }
    }

    fn checked<T>(&self, call: Call, result: Result<T, String>) -> Result<T, Fault> {
        result.map_err(|broken| self.fault(call, FaultKind::Contract(broken), None))
    }

    fn fault(&self, call: Call, kind: FaultKind, said: Option<String>) -> Fault {
        Fault { plugin: Arc::clone(&self.plugin), call, kind, said, figures: Box::new(self.spent) }
    }
}

/// Adds one call's figures to its batch's. The peak covers the instance's whole life already.
fn add(spent: &mut Figures, figures: Figures) {
    spent.cpu += figures.cpu;
    spent.wall += figures.wall;
    spent.peak_memory_bytes = spent.peak_memory_bytes.max(figures.peak_memory_bytes);
    spent.log_bytes = spent.log_bytes.saturating_add(figures.log_bytes);
}

/// Decides whose error it is: the guest's (a fault) or ours.
fn blame(
    call: Call,
    error: &wasmtime::Error,
    plugin: &Arc<str>,
    limits: &GuestLimits,
    store: &mut Store<Guest>,
    mut spent: Figures,
) -> CallError {
    add(&mut spent, store.data().figures());
    store.data_mut().flush_log(call);
    let said = store.data().log.last_words();
    let kind = if let Some(Exceeded(limit)) = error.downcast_ref() {
        FaultKind::Limit(*limit)
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        match trap {
            Trap::StackOverflow => FaultKind::Limit(Limit::Stack),
            other => FaultKind::Trap(other.to_string()),
        }
    } else if error.is::<Exited>() {
        FaultKind::Exit
    } else if call == Call::Instantiate || error.is::<PoolConcurrencyLimitError>() {
        // A guest's own doing has been sorted out above: there was no memory or no place for it.
        let reason = format!("{error:#}");
        return CallError::Host(HostError::Engine { plugin: plugin.to_string(), reason });
    } else {
        returned_nonsense(call, error, limits)
    };
    CallError::Fault(Fault { plugin: Arc::clone(plugin), call, kind, said, figures: Box::new(spent) })
}

/// The engine could not read what the guest returned or handed to a host function. Its errors for that have no type.
fn returned_nonsense(call: Call, error: &wasmtime::Error, limits: &GuestLimits) -> FaultKind {
    let reason = clean_line(&error.root_cause().to_string());
    if reason.contains("fuel allocated for hostcalls") {
        let limit_bytes = match call {
            Call::Format => limits.output_bytes,
            Call::Configure => CONFIGURE_BYTES as u64,
            Call::Interpret => INTERPRET_BYTES as u64,
            Call::Describe | Call::Instantiate => DESCRIBE_BYTES as u64,
        };
        return FaultKind::Limit(Limit::Output { limit_bytes });
    }
    if reason.contains("handle") && reason.contains("limit") {
        return FaultKind::Limit(Limit::Handles { limit: MAX_HANDLES });
    }
    FaultKind::Contract(reason)
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> CallError {
        CallError::Fault(fault)
    }
}

impl From<CallError> for ConfigureError {
    fn from(error: CallError) -> ConfigureError {
        match error {
            CallError::Fault(fault) => ConfigureError::Fault(fault),
            CallError::Host(error) => ConfigureError::Host(error),
        }
    }
}

impl From<CallError> for FormatError {
    fn from(error: CallError) -> FormatError {
        match error {
            CallError::Fault(fault) => FormatError::Fault(fault),
            CallError::Host(error) => FormatError::Host(error),
        }
    }
}
