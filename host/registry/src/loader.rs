//! From bytes to a version that could format: verified, compiled, checked.

use std::fs;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use siemaphore_sandbox::{
    CodeCache, CodeSource, Configuration, GuestLimits, LoadError, Sandbox, memory_advice,
};

use crate::config::{PluginConfig, RegistryConfig};
use crate::error::PluginError;
use crate::life::{Active, Artifact, Compiled};
use crate::signature::TrustedKeys;

/// In the state folder.
const CACHE: &str = "code";

pub(crate) struct Loader {
    sandbox: Sandbox,
    code: CodeSource,
    trusted_keys: TrustedKeys,
}

impl Loader {
    pub(crate) fn new(sandbox: Sandbox, config: &RegistryConfig) -> Loader {
        let open = if config.is_state_of_another { CodeCache::read_only } else { CodeCache::new };
        let cache = config.state.as_ref().map(|state| open(state.join(CACHE)));
        let code = CodeSource::new(config.compiler.clone(), cache);
        Loader { sandbox, code, trusted_keys: config.trusted_keys.clone() }
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
        self.check_signature(artifact)?;
        let compiled = artifact.verify()?.compile(&self.sandbox, &self.code, &config.limits);
        let compiled = compiled.map_err(|error| advise(artifact, error))?;
        self.hold_to_the_laws(artifact, &compiled, config)?;
        Ok(compiled.activate(SystemTime::now()))
    }

    /// An operator who trusts no key asks for no signatures.
    pub(crate) fn check_signature(&self, artifact: &Artifact) -> Result<(), PluginError> {
        if self.trusted_keys.is_empty() {
            return Ok(());
        }
        let verified = self.trusted_keys.verify_beside(artifact.component(), artifact.signature());
        verified.map(|_| ()).map_err(PluginError::Signature)
    }

    /// On the shipped corpus, with the formatter's own example settings: those of a destination may come later. What this
    /// program has found lawful once, it does not ask again.
    fn hold_to_the_laws(
        &self,
        artifact: &Artifact,
        compiled: &Compiled,
        config: &PluginConfig,
    ) -> Result<(), PluginError> {
        let note = format!("lawful by {} within {:?}", this_program(), config.limits);
        if self.code.cache().is_some_and(|cache| cache.is_noted(artifact.component(), &note)) {
            return Ok(());
        }
        let formatter = compiled.formatter();
        let settings = formatter.description().settings_example.clone();
        let configuration = Configuration { settings, destination: "check".to_owned() };
        let report = siemaphore_laws::check(formatter, &configuration).map_err(LoadError::from)?;
        if let Some(broken) = report.broken.into_iter().next() {
            return Err(PluginError::Unlawful(broken));
        }
        if let Some(cache) = self.code.cache() {
            cache.note(artifact.component(), &note);
        }
        Ok(())
    }
}

/// An interpreter may need more memory than the limit before it has seen an event.
fn advise(artifact: &Artifact, error: LoadError) -> PluginError {
    let advice = match &error {
        LoadError::Fault(fault) => memory_advice(artifact.component(), fault),
        _ => None,
    };
    match advice {
        Some(advice) => PluginError::TooLittleMemory { error, advice },
        None => PluginError::Load(error),
    }
}

/// Changes with every build of this program, and so with its laws and its corpus.
fn this_program() -> &'static str {
    static PROGRAM: LazyLock<String> = LazyLock::new(|| {
        let metadata = fs::metadata("/proc/self/exe").ok();
        let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
        format!("{} {modified:?} {:?}", env!("CARGO_PKG_VERSION"), metadata.map(|metadata| metadata.len()))
    });
    &PROGRAM
}

fn check_digest(artifact: &Artifact, config: &PluginConfig) -> Result<(), PluginError> {
    match &config.digest {
        Some(wanted) if wanted != artifact.digest() => {
            Err(PluginError::OtherDigest { digest: artifact.digest().to_owned(), wanted: wanted.clone() })
        }
        _ => Ok(()),
    }
}
