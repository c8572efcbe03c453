//! `[plugins]`, and `[[plugin]]` for one of them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use siemaphore_registry::signature::{PublicKey, TrustedKeys};
use siemaphore_registry::{PluginConfig, Policy, RegistryConfig};
use siemaphore_sandbox::{Compiler, CompilerLimits, GuestLimits};

use crate::config::problem::{self, at};
use crate::config::{Problems, file, nearest, quantity};

/// This program, also after its file was replaced by another version's.
const OWN_PROGRAM: &str = "/proc/self/exe";
/// [`Command::CompileComponent`](crate::cli::Command::CompileComponent).
const COMPILE: &str = "compile-component";

const DIGEST_DIGITS: usize = 64;

/// Who compiles what we did not write.
pub(crate) fn compiler() -> Compiler {
    Compiler::Child {
        program: PathBuf::from(OWN_PROGRAM),
        arguments: vec![OsString::from(COMPILE)],
        limits: CompilerLimits::default(),
    }
}

/// Only `run` owns the state folder: everybody else looks at what it holds.
pub(crate) fn all(
    problems: &mut Problems<'_>,
    section: &file::Plugins,
    plugins: &[file::Plugin],
    folder: &Path,
    state: &Path,
) -> RegistryConfig {
    let general = General {
        limits: limits(problems, &at!["plugins"], &GuestLimits::default(), &section.memory, &section.cpu),
        policy: policy(problems, &at!["plugins"], section.policy.as_deref()).unwrap_or_default(),
    };
    let mut config = RegistryConfig {
        folder: plugin_folder(problems, section, folder),
        state: Some(state.to_owned()),
        is_state_of_another: true,
        compiler: compiler(),
        limits: general.limits.clone(),
        policy: general.policy,
        trusted_keys: TrustedKeys::new(trusted_keys(problems, &section.trusted_keys, folder)),
        ..RegistryConfig::default()
    };
    for (index, plugin) in plugins.iter().enumerate() {
        let own = one(problems, index, plugin, &general);
        if config.own.insert(plugin.name.clone(), own).is_some() {
            problems.add(
                at!["plugin", index, "name"],
                format!("plugin `{}` is there twice", plugin.name),
                "write everything about a plugin into one [[plugin]]",
            );
        }
    }
    config
}

/// What holds for every plugin that says nothing else.
struct General {
    limits: GuestLimits,
    policy: Policy,
}

fn one(problems: &mut Problems<'_>, index: usize, plugin: &file::Plugin, general: &General) -> PluginConfig {
    let place = at!["plugin", index];
    if siemaphore_bundle::formatters().iter().any(|built_in| built_in.name == plugin.name) {
        problems.add(
            at!["plugin", index, "name"],
            format!("`{}` is a built-in formatter, which has no settings here", plugin.name),
            "name a file of the plugin folder, without `.wasm`",
        );
    }
    PluginConfig {
        limits: limits(problems, &place, &general.limits, &plugin.memory, &plugin.cpu),
        policy: policy(problems, &place, plugin.policy.as_deref()).unwrap_or(general.policy),
        digest: plugin.digest.as_deref().and_then(|digest| pin(problems, &place, digest)),
    }
}

fn plugin_folder(problems: &mut Problems<'_>, section: &file::Plugins, folder: &Path) -> Option<PathBuf> {
    let plugins = section.folder.as_ref().map(|plugins| folder.join(plugins));
    if let Some(missing) = plugins.as_ref().filter(|plugins| !plugins.is_dir()) {
        problems.add(
            at!["plugins", "folder"],
            format!("{} is not a folder", missing.display()),
            "create it, or leave `folder` out to use the built-in formatters only",
        );
    }
    plugins
}

fn limits(
    problems: &mut Problems<'_>,
    place: &problem::Path,
    general: &GuestLimits,
    memory: &Option<String>,
    cpu: &Option<String>,
) -> GuestLimits {
    let mut limits = general.clone();
    let below = |key| [place.clone(), at![key]].concat();
    let memory = memory.as_deref().and_then(|text| problems.check(below("memory"), quantity::bytes(text)));
    if let Some(memory) = memory {
        let most = GuestLimits::CEILING.memory_bytes;
        if memory > most {
            problems.add(
                below("memory"),
                format!("a formatter may have {} MiB of memory at most", most >> 20),
                "write less; one event has 256 KiB at most, and a call 4 MiB of them",
            );
        }
        limits.memory_bytes = memory;
    }
    if let Some(cpu) = cpu.as_deref().and_then(|text| problems.check(below("cpu"), quantity::duration(text)))
    {
        limits.cpu = cpu;
    }
    limits
}

fn policy(problems: &mut Problems<'_>, place: &problem::Path, written: Option<&str>) -> Option<Policy> {
    let written = written?;
    let known: Vec<&str> = Policy::ALL.iter().map(|(name, _)| *name).collect();
    let found = Policy::ALL.iter().find(|(name, _)| *name == written).map(|&(_, policy)| policy);
    if found.is_none() {
        let hint = match nearest(written, &known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write one of: {}", known.join(", ")),
        };
        let path = [place.clone(), at!["policy"]].concat();
        problems.add(path, format!("there is no policy `{written}`"), hint);
    }
    found
}

/// Files, or keys as they are.
pub(super) fn trusted_keys(problems: &mut Problems<'_>, written: &[String], folder: &Path) -> Vec<PublicKey> {
    let mut keys = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let path = at!["plugins", "trusted_keys", index];
        if let Ok(key) = PublicKey::parse(written) {
            keys.push(key);
            continue;
        }
        match fs::read_to_string(folder.join(written)) {
            Ok(text) => match PublicKey::parse(&text) {
                Ok(key) => keys.push(key),
                Err(error) => problems.add(path, format!("{written}: {error}"), error.hint()),
            },
            Err(error) => problems.add(
                path,
                format!("`{written}` is neither a public key nor a file that can be read: {error}"),
                "write the line that `siemaphore plugin keygen` printed, or the path of its `.pub` file",
            ),
        }
    }
    keys
}

/// In hex, with or without `sha256:` before it.
fn pin(problems: &mut Problems<'_>, place: &problem::Path, written: &str) -> Option<String> {
    let digits = written.strip_prefix("sha256:").unwrap_or(written).to_lowercase();
    if digits.len() == DIGEST_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Some(digits);
    }
    problems.add(
        [place.clone(), at!["digest"]].concat(),
        format!("`{written}` is not a SHA-256"),
        "write its 64 hexadecimal digits, as `sha256sum FILE.wasm` prints them",
    );
    None
}
