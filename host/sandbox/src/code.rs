//! Machine code of components: made by a child process, kept in a cache, and taken in nowhere else.
//!
//! Compiling reads what a stranger wrote with the largest part of the engine, and can take minutes and gigabytes for a
//! file that was made for it. So it happens in a process that has nothing: no environment, no file, only what it may use
//! of memory and time. What it answers is run as it stands, hence the rule of this module: **machine code comes from our
//! own compiler or from a folder that only we can write to, never from anybody else.**

mod cache;
mod child;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;

use wasmtime::Engine;
use wasmtime::component::Component;

pub use cache::CodeCache;
pub use child::compile_standard_input;
use child::{Children, Work};

use crate::engine;
use crate::error::LoadError;
use crate::limits::CompilerLimits;
use crate::text::clean_line;
use crate::verify::verify;

/// Where machine code comes from.
#[derive(Debug, Default)]
pub struct CodeSource {
    compiler: Compiler,
    /// Asked before anything is compiled.
    cache: Option<CodeCache>,
    children: Children,
}

/// Who compiles.
#[derive(Debug, Clone, Default)]
pub enum Compiler {
    /// This process: for components of our own, and for tests.
    #[default]
    Here,
    /// This program, which calls [`compile_standard_input`] with the limits that stand behind the arguments: bytes of
    /// memory and seconds of CPU time.
    Child { program: PathBuf, arguments: Vec<OsString>, limits: CompilerLimits },
}

impl CodeSource {
    pub fn new(compiler: Compiler, cache: Option<CodeCache>) -> CodeSource {
        CodeSource { compiler, cache, children: Children::default() }
    }

    pub fn cache(&self) -> Option<&CodeCache> {
        self.cache.as_ref()
    }

    /// Ends what is being compiled in children, and refuses what comes after: nobody waits for minutes for a host to stop.
    pub fn stop(&self) {
        self.children.stop();
    }

    /// Linked code for a component that was verified.
    pub(crate) fn component(
        &self,
        engine: &Engine,
        plugin: &str,
        component: &[u8],
    ) -> Result<Component, LoadError> {
        let cached = self.cache.as_ref().and_then(|cache| cache.code(component));
        if let Some(code) = cached {
            // Of another engine, whatever its name says: as good as not there.
            if let Ok(component) = machine_code(engine, &code) {
                return Ok(component);
            }
        }
        let Compiler::Child { program, arguments, limits } = &self.compiler else {
            return Component::from_binary(engine, component).map_err(|error| invalid(plugin, &error));
        };
        tracing::info!(formatter = plugin, bytes = component.len(), "compiling");
        let work = Work { program, arguments, limits, plugin, component };
        let code = self.children.compile(&work)?;
        let made = machine_code(engine, &code).map_err(|error| invalid(plugin, &error))?;
        if let Some(cache) = &self.cache {
            cache.keep_code(component, &code);
        }
        Ok(made)
    }
}

/// Compiles in this process, for the machine that it runs on.
fn compile_here(plugin: &str, component: &[u8]) -> Result<Vec<u8>, LoadError> {
    verify(plugin, component)?;
    let engine = engine::build_adjusted(|_| ())
        .map_err(|error| LoadError::Compiler { plugin: plugin.to_owned(), reason: error.to_string() })?;
    engine.precompile_component(component).map_err(|error| invalid(plugin, &error))
}

/// What code depends on beside its component, as a name: settings of the engine, its version, the processor's features.
fn fingerprint() -> &'static str {
    static FINGERPRINT: LazyLock<String> = LazyLock::new(|| {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        // Without an engine there is no code either.
        if let Ok(engine) = engine::build_adjusted(|_| ()) {
            engine.precompile_compatibility_hash().hash(&mut hasher);
        }
        format!("{:016x}", hasher.finish())
    });
    &FINGERPRINT
}

#[allow(unsafe_code, reason = "the one door through which machine code comes in")]
fn machine_code(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the engine asks for bytes that its own compiler made. `code` comes from `child::compile`, whose child runs
    // this very program's compiler, or from `CodeCache`, which holds what such a child has made, in a folder that only
    // this user can write to, with a checksum against damage. The engine itself refuses code of other settings.
    unsafe { Component::deserialize(engine, code) }
}

fn invalid(plugin: &str, error: &wasmtime::Error) -> LoadError {
    LoadError::Invalid { plugin: plugin.to_owned(), reason: clean_line(&format!("{error:#}")) }
}
