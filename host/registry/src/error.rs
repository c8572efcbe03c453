//! Errors: of the registry as a whole (it does not start) and of one file (it is listed, the rest goes on).

use std::borrow::Cow;
use std::path::PathBuf;

use siemaphore_laws::Broken;
use siemaphore_sandbox::LoadError;
use siemaphore_sandbox::limits::MAX_COMPONENT_BYTES;

use crate::signature::SignatureError;

#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("the plugin folder {} cannot be read", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the plugin folder {} cannot be watched", path.display())]
    Watch { path: PathBuf, source: notify::Error },
    #[error("the plugin watcher's thread does not start")]
    Thread(#[source] std::io::Error),
}

/// Why a file did not become the active version of its plugin.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    #[error("`{name}` is the name of a built-in formatter")]
    ReservedName { name: String },
    #[error("`{name}` is not a plugin name")]
    BadName { name: String },
    #[error("the file cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
    #[error("the file has {bytes} bytes, and at most {MAX_COMPONENT_BYTES} are taken")]
    TooLarge { bytes: u64 },
    #[error("it is not a file")]
    NotAFile,
    #[error("the file is still being written")]
    Unsettled,
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("{error}; {advice}")]
    TooLittleMemory { error: LoadError, advice: String },
    /// Whose message names the law.
    #[error("{0}")]
    Unlawful(Broken),
    #[error(transparent)]
    Signature(SignatureError),
    #[error("its digest is {digest}, and the configuration takes {wanted} only")]
    OtherDigest { digest: String, wanted: String },
    /// In the words of whoever judged it.
    #[error("this version was sent back: {reason}")]
    SentBack { name: String, reason: String },
    /// Of a version that was in use before a restart.
    #[error("the version {digest} of before the restart cannot be used: {error}")]
    NotRestored { digest: String, error: Box<PluginError> },
    #[error("it is damaged or gone in the state folder")]
    Lost,
    /// With the policy `manual`, and nothing that formats in the meantime.
    #[error(
        "an operator has allowed version {allowed}, which cannot be used; the file has version {digest}, which waits for an operator"
    )]
    NotAllowed { digest: String, allowed: String },
    /// Not an error while somebody uses the plugin; a file that will not come back should be told all the same.
    #[error("the file is gone; the version loaded from it keeps running for the destinations that use it")]
    Gone,
}

impl PluginError {
    /// What to do about it.
    pub fn hint(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            PluginError::ReservedName { .. } => "give the file another name",
            PluginError::BadName { .. } => {
                "name the file with lowercase letters, digits and hyphens, at most 64, and `.wasm`"
            }
            PluginError::Unreadable(_) => "check the owner and the permissions of the file",
            PluginError::TooLarge { .. } => "build it in release mode and without debug information",
            PluginError::NotAFile => "remove it, or put the component there itself",
            PluginError::Unsettled => "it is loaded once it stops changing",
            PluginError::Load(error) => error.hint(),
            PluginError::TooLittleMemory { .. } => {
                "a plugin of its own gets more with `memory` under [[plugin]]; restart afterwards"
            }
            PluginError::Unlawful(broken) => broken.hint(),
            PluginError::Signature(error) => error.hint(),
            PluginError::OtherDigest { .. } => {
                "put the right file there, or write the new digest into the configuration and restart"
            }
            PluginError::SentBack { name, .. } => {
                return Cow::Owned(format!(
                    "the previous version formats again; replace the file with one that is mended, or run `siemaphore plugin promote {name}` to try this one again"
                ));
            }
            PluginError::NotRestored { error, .. } => return error.hint(),
            PluginError::Lost => "put the file of that version into the plugin folder",
            PluginError::NotAllowed { .. } => {
                "put the file of the allowed version back, or start once with `policy = \"immediate\"` to allow this one"
            }
            PluginError::Gone => "put the file back, or move the destinations to another formatter",
        })
    }

    /// Message and hint in one line, for the listing.
    pub(crate) fn describe(&self) -> String {
        format!("{self}; {}", self.hint())
    }
}

/// Why an operator's word has no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RollBackError {
    #[error("there is no plugin `{name}`")]
    Unknown { name: String },
    #[error("`{name}` is built in and has one version")]
    BuiltIn { name: String },
    #[error("plugin `{name}` has no previous version to return to")]
    NoPrevious { name: String },
}

impl RollBackError {
    pub fn hint(&self) -> &'static str {
        match self {
            RollBackError::Unknown { .. } => "`siemaphore plugin list` shows every plugin",
            RollBackError::BuiltIn { .. } => "an older siemaphore has older built-in formatters",
            RollBackError::NoPrevious { .. } => {
                "put the file of the version that you want into the plugin folder"
            }
        }
    }
}
