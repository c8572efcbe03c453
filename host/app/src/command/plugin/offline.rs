//! A formatter on the bench: loaded without a host, from the binary or from a file.

use std::borrow::Cow;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use siemaphore_sandbox::{
    CodeCache, CodeSource, Formatter, GuestLimits, LoadError, Sandbox, SandboxConfig, memory_for,
};

use crate::command::plugin::file::{self, PluginFile};
use crate::command::progress;
use crate::config::plugin::compiler;
use crate::print;

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
    /// Compiles, unless the code is kept from before: not for async threads.
    pub(crate) fn load(&self) -> Result<Formatter> {
        explained(self.load_within(self.enough())?)
    }

    /// Compiles whatever is kept, for who wants to know how long that takes.
    pub(crate) fn load_anew(&self) -> Result<Formatter> {
        explained(self.load_from(&CodeSource::new(compiler(), None), self.enough())?)
    }

    /// As the host loads it, with what the operator gives it: what a file holds is compiled in a process of its own.
    pub(crate) fn load_within(&self, limits: GuestLimits) -> Result<Result<Formatter, LoadError>> {
        let code = CodeSource::new(compiler(), code_folder().map(CodeCache::new));
        if code.cache().is_some_and(|cache| cache.holds(&self.component)) {
            return self.load_from(&code, limits);
        }
        let size = print::size(self.component.len() as u64);
        let compiling = progress::working(format!("compiling {self}, {size}"));
        let loaded = self.load_from(&code, limits);
        compiling.finish_and_clear();
        loaded
    }

    fn load_from(&self, code: &CodeSource, limits: GuestLimits) -> Result<Result<Formatter, LoadError>> {
        let sandbox = Sandbox::new(SandboxConfig { formatting_threads: 1, ..SandboxConfig::default() })?;
        Ok(sandbox.load_from(code, &self.name, &self.component, limits))
    }

    /// On the bench a formatter gets what it needs; `plugin build` says so when that is more than the default.
    fn enough(&self) -> GuestLimits {
        GuestLimits { memory_bytes: memory_for(&self.component), ..GuestLimits::default() }
    }

    /// SHA-256 of the component, in hex.
    pub(crate) fn digest(&self) -> String {
        file::digest(&self.component)
    }
}

fn explained(loaded: Result<Formatter, LoadError>) -> Result<Formatter> {
    loaded.map_err(|error| anyhow!("{error}\n  hint: {}", error.hint()))
}

/// Where machine code is kept for the next command: `siemaphore/code` in the person's own cache. None where there is no
/// such place; then everything is compiled each time. A home that is not there is not made: users of services have none.
fn code_folder() -> Option<PathBuf> {
    cache_folder(env::var_os("XDG_CACHE_HOME"), env::var_os("HOME"))
        .filter(|cache| cache.parent().is_some_and(Path::is_dir))
        .map(|cache| cache.join("siemaphore/code"))
}

/// As the XDG base directory specification has it: a relative path counts for nothing.
fn cache_folder(cache: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    cache.and_then(absolute).or_else(|| home.and_then(absolute).map(|home| home.join(".cache")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_kept_in_the_persons_own_cache_and_nowhere_else() {
        let folder = |cache: &[&str], home: &[&str]| {
            let one = |paths: &[&str]| paths.first().map(OsString::from);
            cache_folder(one(cache), one(home))
        };
        assert_eq!(folder(&["/cache"], &["/home/ann"]), Some(PathBuf::from("/cache")));
        for unusable in [&["cache"] as &[&str], &[""], &[]] {
            assert_eq!(folder(unusable, &["/home/ann"]), Some(PathBuf::from("/home/ann/.cache")));
            assert_eq!(folder(unusable, &["home"]), None);
            assert_eq!(folder(unusable, &[]), None);
        }
    }
}
