//! What can be said about a file before it is compiled: is it a component, of which version, and does it ask for
//! something that formatters are not given.
//!
//! Compiling a JavaScript or Python component takes seconds, and an error from the linker would speak of types. These
//! checks take milliseconds and name the import.

use wasmtime::wasmparser::{Encoding, Parser, Payload};

use crate::abi::Version;
use crate::error::LoadError;
use crate::limits::MAX_COMPONENT_BYTES;
use crate::text::clean_line;
use crate::wasi;

/// What every WebAssembly file begins with.
const MAGIC: &[u8] = b"\0asm";
/// The interface that makes a component a formatter, without its version.
const FORMATTER: &str = "siemaphore:formatter/formatter";
/// Names of a file that an error repeats.
const NAMES_SHOWN: usize = 8;

const NO_NETWORK: &str = "formatters have no network; the host delivers what they return. \
     Build with `componentize-py --stub-wasi`, or `disableFeatures: ['http', 'fetch-event']` of componentize-js";
const NOT_GIVEN: &str = "formatters get WASI 0.2 (cli, clocks, io, random, an empty filesystem) and nothing else. \
     Remove what needs the import, or build with `componentize-py --stub-wasi`, `disableFeatures` of componentize-js";

/// Checks what can be checked without compiling: form, imports, version of the contract. Takes milliseconds.
pub fn check(plugin: &str, component: &[u8]) -> Result<(), LoadError> {
    verify(plugin, component).map(|_| ())
}

/// What a component shows of itself without being run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// The version of the contract that the host will speak with it: `1.0.0`.
    pub contract: &'static str,
    /// What it asks the system for, with versions.
    pub imports: Vec<String>,
}

/// Checks like [`check`], and tells what was found.
pub fn outside(plugin: &str, component: &[u8]) -> Result<Outside, LoadError> {
    let contract = verify(plugin, component)?.name();
    let imports = Names::read(plugin, component)?.imports.into_iter().map(clean_line).collect();
    Ok(Outside { contract, imports })
}

/// Checks the file's outside and returns the version of the contract that it was made for.
pub(crate) fn verify(plugin: &str, component: &[u8]) -> Result<Version, LoadError> {
    check_form(plugin, component)?;
    let names = Names::read(plugin, component)?;
    for import in names.imports {
        check_import(plugin, import)?;
    }
    version(plugin, &names.exports)
}

fn check_form(plugin: &str, component: &[u8]) -> Result<(), LoadError> {
    if component.len() > MAX_COMPONENT_BYTES {
        let (bytes, limit) = (component.len(), MAX_COMPONENT_BYTES);
        return Err(LoadError::TooLarge { plugin: plugin.to_owned(), bytes, limit });
    }
    if !component.starts_with(MAGIC) {
        let beginning = component.get(..16).unwrap_or(component);
        let beginning = clean_line(&String::from_utf8_lossy(beginning));
        return Err(LoadError::NotWasm { plugin: plugin.to_owned(), beginning });
    }
    Ok(())
}

/// The component's own imports and exports, without those of the components inside it.
#[derive(Default)]
struct Names<'a> {
    imports: Vec<&'a str>,
    exports: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn read(plugin: &str, component: &'a [u8]) -> Result<Names<'a>, LoadError> {
        let invalid = |error: wasmtime::wasmparser::BinaryReaderError| LoadError::Invalid {
            plugin: plugin.to_owned(),
            reason: error.to_string(),
        };
        let mut names = Names::default();
        let mut depth = 0usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(invalid)? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                    return Err(LoadError::CoreModule { plugin: plugin.to_owned() });
                }
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        names.imports.push(import.map_err(invalid)?.name.name);
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        names.exports.push(export.map_err(invalid)?.name.name);
                    }
                }
                _ => {}
            }
        }
        Ok(names)
    }
}

fn check_import(plugin: &str, import: &str) -> Result<(), LoadError> {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    let release = version.strip_prefix("0.2.").unwrap_or_default();
    if wasi::INTERFACES.contains(&interface)
        && !release.is_empty()
        && release.bytes().all(|b| b.is_ascii_digit())
    {
        return Ok(());
    }
    let networked =
        ["wasi:sockets/", "wasi:http/", "wasi:tls/"].iter().any(|package| interface.starts_with(package));
    let advice = if networked { NO_NETWORK } else { NOT_GIVEN };
    Err(LoadError::ForbiddenImport { plugin: plugin.to_owned(), import: clean_line(import), advice })
}

fn version(plugin: &str, exports: &[&str]) -> Result<Version, LoadError> {
    let mut versions = exports.iter().filter_map(|export| export.strip_prefix(FORMATTER));
    // A component may serve several contracts; the newest that this host knows is used.
    let Some(first) = versions.clone().next() else {
        let shown: Vec<String> =
            exports.iter().take(NAMES_SHOWN).map(|name| format!("`{}`", clean_line(name))).collect();
        let exports = if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") };
        return Err(LoadError::NotAFormatter { plugin: plugin.to_owned(), exports });
    };
    versions.find_map(|version| Version::parse(version.trim_start_matches('@'))).ok_or_else(|| {
        LoadError::UnknownVersion {
            plugin: plugin.to_owned(),
            version: clean_line(first.trim_start_matches('@')),
            supported: Version::supported(),
        }
    })
}
