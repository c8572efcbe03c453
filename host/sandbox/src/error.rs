//! Errors by who has to act: the author of a file (load), the operator (settings), the plugin (refusal, fault), us.

use siemaphore_model::formatter::SettingProblem;

use crate::fault::{Fault, FaultKind, Limit};

/// The engine could not be built on this machine.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    #[error("a formatting thread does not start")]
    Thread(#[source] std::io::Error),
}

/// The file cannot become a formatter.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("plugin `{plugin}` is not WebAssembly: it begins with {beginning:?}")]
    NotWasm { plugin: String, beginning: String },
    #[error("plugin `{plugin}` is {bytes} bytes long, and at most {limit} are taken")]
    TooLarge { plugin: String, bytes: usize, limit: usize },
    #[error("plugin `{plugin}` is a core module, not a component")]
    CoreModule { plugin: String },
    /// Truncated, damaged, or in need of a WebAssembly proposal that is switched off.
    #[error("plugin `{plugin}` is damaged or not supported: {reason}")]
    Invalid { plugin: String, reason: String },
    /// Too much for the compiler, or no compiler.
    #[error("plugin `{plugin}` cannot be compiled: {reason}")]
    Compiler { plugin: String, reason: String },
    #[error("plugin `{plugin}` imports `{import}`, which formatters are not given: {advice}")]
    ForbiddenImport { plugin: String, import: String, advice: &'static str },
    #[error(
        "plugin `{plugin}` is not a formatter: it exports {exports}, and no `siemaphore:formatter/formatter`"
    )]
    NotAFormatter { plugin: String, exports: String },
    #[error("plugin `{plugin}` is made for siemaphore:formatter@{version}; this host takes {supported}")]
    UnknownVersion { plugin: String, version: String, supported: String },
    /// The names are right and the types are not.
    #[error("plugin `{plugin}` does not fit the contract: {reason}")]
    Mismatch { plugin: String, reason: String },
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Host(#[from] HostError),
}

impl LoadError {
    /// What the operator or the plugin's author can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            LoadError::NotWasm { .. } => "put a `.wasm` component there, not its source or its text form",
            LoadError::TooLarge { .. } => "build with optimisation and without debug information",
            LoadError::CoreModule { .. } => {
                "build for `wasm32-wasip2`, or turn the module into a component with `wasm-tools component new`"
            }
            LoadError::Invalid { .. } => {
                "copy the file again; if that does not help, build it with current tools"
            }
            LoadError::Compiler { .. } => {
                "build it smaller, with optimisation and without debug information; if other plugins fail too, look at this machine's free memory"
            }
            LoadError::ForbiddenImport { advice, .. } => advice,
            LoadError::NotAFormatter { .. } => {
                "build it for the world `siem-formatter` of wit/v1/formatter.wit"
            }
            LoadError::UnknownVersion { .. } => {
                "build it for a version that this host takes, or update the host"
            }
            LoadError::Mismatch { .. } => "build it against the released wit/v1/formatter.wit, unchanged",
            LoadError::Fault(fault) => fault.hint(),
            LoadError::Host(error) => error.hint(),
        }
    }
}

/// `configure` gave no usable profile.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    #[error("the formatter refuses the settings: {}", list(.0))]
    Refused(Vec<SettingProblem>),
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Host(#[from] HostError),
}

impl ConfigureError {
    /// It says nothing of the formatter: the machine was short of memory, or busy with something else.
    pub fn may_pass(&self) -> bool {
        let is_wall_limit = |fault: &Fault| matches!(fault.kind, FaultKind::Limit(Limit::Wall { .. }));
        match self {
            ConfigureError::Refused(_) => false,
            ConfigureError::Fault(fault) => is_wall_limit(fault),
            ConfigureError::Host(_) => true,
        }
    }
}

/// `format` gave no records, or `interpret` no verdict.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// In the plugin's words.
    #[error("the formatter refuses the batch: {0}")]
    Refused(String),
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Host(#[from] HostError),
}

impl FormatError {
    /// What the operator can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            FormatError::Refused(_) => "see the formatter's words; change its settings or the producer",
            FormatError::Fault(fault) => fault.hint(),
            FormatError::Host(error) => error.hint(),
        }
    }

    /// The machine may have been busy with something else.
    pub fn is_wall_limit(&self) -> bool {
        matches!(self, FormatError::Fault(Fault { kind: FaultKind::Limit(Limit::Wall { .. }), .. }))
    }

    /// Trying the same again would take just as long.
    pub fn is_time_limit(&self) -> bool {
        matches!(
            self,
            FormatError::Fault(Fault { kind: FaultKind::Limit(Limit::Cpu { .. } | Limit::Wall { .. }), .. })
        )
    }
}

impl From<ConfigureError> for FormatError {
    fn from(error: ConfigureError) -> FormatError {
        match error {
            ConfigureError::Refused(_) => FormatError::Refused(error.to_string()),
            ConfigureError::Fault(fault) => FormatError::Fault(fault),
            ConfigureError::Host(error) => FormatError::Host(error),
        }
    }
}

/// Nobody's plugin is to blame.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HostError {
    #[error("{count} events in one call, and at most {limit} are allowed")]
    TooManyEvents { count: usize, limit: usize },
    #[error("{bytes} bytes of documents in one call, and at most {limit} are allowed")]
    TooManyBytes { bytes: usize, limit: usize },
    /// No memory for an instance, or a failure inside the engine.
    #[error("the sandbox cannot run `{plugin}`: {reason}")]
    Engine { plugin: String, reason: String },
}

impl HostError {
    pub fn hint(&self) -> &'static str {
        match self {
            HostError::TooManyEvents { .. } | HostError::TooManyBytes { .. } => "send smaller batches",
            HostError::Engine { .. } => "look at the free memory and the address-space limit of this machine",
        }
    }
}

fn list(problems: &[SettingProblem]) -> String {
    let mut text = String::new();
    for problem in problems {
        let separator = if text.is_empty() { "" } else { "; " };
        let pointer = if problem.pointer.is_empty() { "settings" } else { &problem.pointer };
        text.push_str(&format!("{separator}{pointer}: {}", problem.message));
    }
    text
}
