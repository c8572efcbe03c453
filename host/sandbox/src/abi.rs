//! The versions of the contract. One file for each, which converts what its guests say into the newest types; nothing
//! outside this folder sees a binding.
//!
//! To add a version: freeze the newest folder under `wit/`, copy it to the next, write `abi/vN.rs` beside this, and
//! add a variant to the three enums here. Older files only gain conversions.

mod v1;

use siemaphore_model::Event;
use siemaphore_model::formatter::{Description, Records, RequestProfile, Response, SettingProblem, Verdict};
use wasmtime::component::InstancePre;
use wasmtime::{Result, Store};

use crate::guest::Guest;

/// A version that this host takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
}

impl Version {
    const ALL: &[(&str, Version)] = &[("1.0.0", Version::V1)];

    pub(crate) fn parse(version: &str) -> Option<Version> {
        Version::ALL.iter().find(|(name, _)| *name == version).map(|&(_, version)| version)
    }

    pub(crate) fn name(self) -> &'static str {
        Version::ALL.iter().find(|(_, version)| *version == self).map_or("", |(name, _)| name)
    }

    /// For people: `1.0.0`.
    pub(crate) fn supported() -> String {
        Version::ALL.iter().map(|&(name, _)| name).collect::<Vec<_>>().join(", ")
    }
}

/// A component that is linked and known to fit its version: all that can be done before there is an instance.
pub(crate) enum Prepared {
    V1(v1::Prepared),
}

impl Prepared {
    pub(crate) fn new(version: Version, component: InstancePre<Guest>) -> Result<Prepared> {
        match version {
            Version::V1 => Ok(Prepared::V1(v1::Prepared::new(component)?)),
        }
    }

    pub(crate) fn instantiate(&self, store: &mut Store<Guest>) -> Result<Instance> {
        match self {
            Prepared::V1(prepared) => Ok(Instance::V1(prepared.instantiate(store)?)),
        }
    }
}

/// A formatter's four functions, in the newest types.
pub(crate) enum Instance {
    V1(v1::Instance),
}

impl Instance {
    pub(crate) fn describe(&self, store: &mut Store<Guest>) -> Result<Description> {
        match self {
            Instance::V1(instance) => instance.describe(store),
        }
    }

    pub(crate) fn configure(
        &self,
        store: &mut Store<Guest>,
        settings: &str,
        destination: &str,
    ) -> Result<Result<RequestProfile, Vec<SettingProblem>>> {
        match self {
            Instance::V1(instance) => instance.configure(store, settings, destination),
        }
    }

    /// The records as the guest gave them, unchecked.
    pub(crate) fn format(
        &self,
        store: &mut Store<Guest>,
        events: &[Event<'_>],
    ) -> Result<Result<Records, String>> {
        match self {
            Instance::V1(instance) => instance.format(store, events),
        }
    }

    pub(crate) fn interpret(&self, store: &mut Store<Guest>, response: &Response) -> Result<Verdict> {
        match self {
            Instance::V1(instance) => instance.interpret(store, response),
        }
    }
}
