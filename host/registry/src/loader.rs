//! From bytes to a version that could format: verified, compiled, checked.

use std::sync::Arc;
use std::time::SystemTime;

use siemaphore_sandbox::{CodeCache, CodeSource, GuestLimits, Sandbox};

use crate::config::{PluginConfig, RegistryConfig};
use crate::error::PluginError;
use crate::life::{Active, Artifact};

/// In the state folder.
const CACHE: &str = "code";

pub(crate) struct Loader {
    sandbox: Sandbox,
    code: CodeSource,
}

impl Loader {
    pub(crate) fn new(sandbox: Sandbox, config: &RegistryConfig) -> Loader {
        let cache = config.state.as_ref().map(|state| CodeCache::new(state.join(CACHE)));
        Loader { sandbox, code: CodeSource::new(config.compiler.clone(), cache) }
    }

    /// Ends what is being loaded.
    pub(crate) fn stop(&self) {
        self.code.stop();
    }

    /// A built-in formatter: ours, so nothing but the compiler has to look at it.
    pub(crate) fn built_in(&self, artifact: &Artifact) -> Result<Arc<Active>, PluginError> {
        let compiled =
            artifact.verify()?.compile(&self.sandbox, &CodeSource::default(), &GuestLimits::default())?;
        Ok(compiled.activate(SystemTime::now()))
    }

    /// A customer's, with everything that is asked of it.
    pub(crate) fn load(
        &self,
        artifact: &Artifact,
        config: &PluginConfig,
    ) -> Result<Arc<Active>, PluginError> {
        check_digest(artifact, config)?;
        let compiled = artifact.verify()?.compile(&self.sandbox, &self.code, &config.limits)?;
        Ok(compiled.activate(SystemTime::now()))
    }
}

fn check_digest(artifact: &Artifact, config: &PluginConfig) -> Result<(), PluginError> {
    match &config.digest {
        Some(wanted) if wanted != artifact.digest() => {
            Err(PluginError::OtherDigest { digest: artifact.digest().to_owned(), wanted: wanted.clone() })
        }
        _ => Ok(()),
    }
}
