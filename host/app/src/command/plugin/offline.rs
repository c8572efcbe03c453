//! A formatter on the bench: loaded without a host, from the binary or from a file.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use siemaphore_sandbox::{CodeSource, Formatter, GuestLimits, LoadError, Sandbox, SandboxConfig, memory_for};

use crate::command::plugin::file::{self, PluginFile};
use crate::config::plugin::compiler;

/// A component that a person named.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) component: Cow<'static, [u8]>,
    /// None for a built-in formatter.
    pub(crate) path: Option<PathBuf>,
}

/// Finds a built-in formatter by its name, or a file by its path.
pub(crate) fn find(plugin: &str) -> Result<Named> {
    let bundled = siemaphore_bundle::formatters();
    if let Some(one) = bundled.iter().find(|one| one.name == plugin) {
        return Ok(Named { name: one.name.to_owned(), component: Cow::Borrowed(one.component), path: None });
    }
    let file = PluginFile::read(Path::new(plugin)).with_context(|| {
        let names: Vec<&str> = bundled.iter().map(|one| one.name).collect();
        format!(
            "`{plugin}` is neither a file that can be read nor a built-in formatter ({})",
            names.join(", ")
        )
    })?;
    Ok(file.into())
}

/// Finds and loads. Compiles: not for async threads.
pub(crate) fn load(plugin: &str) -> Result<Formatter> {
    find(plugin)?.load()
}

impl Named {
    /// Compiles: not for async threads.
    pub(crate) fn load(&self) -> Result<Formatter> {
        // On the bench a formatter gets what it needs; `plugin build` says so when that is more than the default.
        let limits = GuestLimits { memory_bytes: memory_for(&self.component), ..GuestLimits::default() };
        self.load_within(limits)?.map_err(|error| anyhow!("{error}\n  hint: {}", error.hint()))
    }

    /// As the host loads it, with what the operator gives it: what a file holds is compiled in a process of its own.
    pub(crate) fn load_within(&self, limits: GuestLimits) -> Result<Result<Formatter, LoadError>> {
        let sandbox = Sandbox::new(SandboxConfig { formatting_threads: 1, ..SandboxConfig::default() })?;
        let code = CodeSource::new(compiler(), None);
        Ok(sandbox.load_from(&code, &self.name, &self.component, limits))
    }

    /// SHA-256 of the component, in hex.
    pub(crate) fn digest(&self) -> String {
        file::digest(&self.component)
    }
}

impl From<PluginFile> for Named {
    fn from(file: PluginFile) -> Named {
        let PluginFile { path, name, component } = file;
        Named { name, component: Cow::Owned(component), path: Some(path) }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(formatter, "{}", path.display()),
            None => write!(formatter, "{} (built in)", self.name),
        }
    }
}
