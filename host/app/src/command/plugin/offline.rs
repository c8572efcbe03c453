//! A formatter on the bench: loaded without a host, from the binary or from a file.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use siemaphore_sandbox::{CodeSource, Formatter, GuestLimits, LoadError, Sandbox, SandboxConfig};

use crate::config::plugin::compiler;

/// Loads a built-in formatter by its name, or a file by its path. Compiles: not for async threads.
pub(crate) fn load(plugin: &str) -> Result<Formatter> {
    let (name, component) = component(plugin)?;
    load_component(&name, &component)?.map_err(|error| anyhow!("{error}\n  hint: {}", error.hint()))
}

/// As the host loads it: what a file holds is compiled in a process of its own.
pub(crate) fn load_component(name: &str, component: &[u8]) -> Result<Result<Formatter, LoadError>> {
    let sandbox = Sandbox::new(SandboxConfig { formatting_threads: 1, ..SandboxConfig::default() })?;
    let code = CodeSource::new(compiler(), None);
    Ok(sandbox.load_from(&code, name, component, GuestLimits::default()))
}

/// The name and the bytes of a built-in formatter or a file.
pub(crate) fn component(plugin: &str) -> Result<(String, Vec<u8>)> {
    let bundled = siemaphore_bundle::formatters();
    match bundled.iter().find(|one| one.name == plugin) {
        Some(bundled) => Ok((bundled.name.to_owned(), bundled.component.to_vec())),
        None => read(plugin, &bundled.iter().map(|one| one.name).collect::<Vec<_>>()),
    }
}

fn read(plugin: &str, bundled: &[&str]) -> Result<(String, Vec<u8>)> {
    let path = Path::new(plugin);
    let component = fs::read(path).with_context(|| {
        format!(
            "`{plugin}` is neither a file that can be read nor a built-in formatter ({})",
            bundled.join(", ")
        )
    })?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok((stem, component))
}
