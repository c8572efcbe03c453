//! The life of one version of a plugin, one type for each step.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use siemaphore_sandbox::{CodeSource, Formatter, GuestLimits, Language, LoadError, Sandbox};

/// Bytes that claim to be a plugin, and the name that they were given.
pub struct Artifact {
    name: String,
    component: Vec<u8>,
    digest: String,
    /// What lay beside it as its signature.
    signature: Option<Vec<u8>>,
}

/// A component that asks for nothing but what formatters are given, made for a known version of the contract.
pub struct Verified<'a>(&'a Artifact);

/// Machine code, linked, and described by itself.
pub struct Compiled {
    formatter: Formatter,
    digest: String,
    language: Language,
}

/// The version that formats. A batch keeps the one it began with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Active {
    pub formatter: Formatter,
    /// What the plugin says its version is.
    pub version: String,
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// What it was written in, as far as it tells.
    pub language: Language,
    pub loaded_at: SystemTime,
}

impl Artifact {
    pub fn new(name: impl Into<String>, component: Vec<u8>) -> Artifact {
        let digest = Sha256::digest(&component);
        let digest = digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
            hex.push_str(&format!("{byte:02x}"));
            hex
        });
        Artifact { name: name.into(), component, digest, signature: None }
    }

    pub(crate) fn with_signature(self, signature: Option<Vec<u8>>) -> Artifact {
        Artifact { signature, ..self }
    }

    pub(crate) fn signature(&self) -> Option<&[u8]> {
        self.signature.as_deref()
    }

    /// SHA-256 of the component, in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn component(&self) -> &[u8] {
        &self.component
    }

    pub fn verify(&self) -> Result<Verified<'_>, LoadError> {
        siemaphore_sandbox::verify(&self.name, &self.component)?;
        Ok(Verified(self))
    }
}

impl Verified<'_> {
    /// Takes up to several seconds, unless the code is in the cache.
    pub fn compile(
        &self,
        sandbox: &Sandbox,
        code: &CodeSource,
        limits: &GuestLimits,
    ) -> Result<Compiled, LoadError> {
        let Verified(Artifact { name, component, digest, .. }) = self;
        let formatter = sandbox.load_from(code, name, component, limits.clone())?;
        Ok(Compiled { formatter, digest: digest.clone(), language: Language::of(component) })
    }
}

impl Compiled {
    pub fn formatter(&self) -> &Formatter {
        &self.formatter
    }

    pub fn activate(self, now: SystemTime) -> Arc<Active> {
        let version = self.formatter.description().version.clone();
        let Compiled { formatter, digest, language } = self;
        Arc::new(Active { formatter, version, digest, language, loaded_at: now })
    }
}

impl fmt::Debug for Artifact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Artifact({}, {} bytes, {})", self.name, self.component.len(), self.digest)
    }
}
