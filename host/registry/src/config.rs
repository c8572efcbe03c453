//! What an operator says about plugins.

use std::collections::BTreeMap;
use std::path::PathBuf;

use siemaphore_sandbox::{Compiler, GuestLimits};

use crate::signature::TrustedKeys;

/// Where customers' formatters are, and what they may use.
#[derive(Debug, Clone, Default)]
pub struct RegistryConfig {
    /// Watched. None: built-in formatters only.
    pub folder: Option<PathBuf>,
    /// Where machine code and the versions in use are kept over a restart. None: nothing is kept.
    pub state: Option<PathBuf>,
    /// `state` is looked at and nothing is written to it: for whoever asks what a host would do.
    pub is_state_of_another: bool,
    /// When there are any, only files that one of them has signed are taken.
    pub trusted_keys: TrustedKeys,
    /// Who compiles customers' components.
    pub compiler: Compiler,
    /// For plugins that have no settings of their own, as is the policy.
    pub limits: GuestLimits,
    pub policy: Policy,
    /// By plugin.
    pub own: BTreeMap<String, PluginConfig>,
}

/// What is said about one plugin.
#[derive(Debug, Clone)]
pub struct PluginConfig {
    pub limits: GuestLimits,
    pub policy: Policy,
    /// The only file that is taken: the SHA-256 of the component, in hex.
    pub digest: Option<String>,
}

/// Who decides that a version which passed every check formats from now on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Policy {
    /// Whoever replaced the file.
    #[default]
    Immediate,
    /// An operator, with `promote`. The first version of a plugin has nothing to be compared with and needs no word.
    Manual,
}

impl Policy {
    pub const ALL: &[(&str, Policy)] = &[("immediate", Policy::Immediate), ("manual", Policy::Manual)];

    pub fn as_str(self) -> &'static str {
        Policy::ALL.iter().find(|(_, policy)| *policy == self).map(|&(name, _)| name).unwrap_or_default()
    }
}

impl RegistryConfig {
    /// What holds for a plugin of this name.
    pub(crate) fn of(&self, name: &str) -> PluginConfig {
        let general = || PluginConfig { limits: self.limits.clone(), policy: self.policy, digest: None };
        self.own.get(name).cloned().unwrap_or_else(general)
    }
}
