//! `siemaphore plugin new`: a project that builds without anything of ours from a registry.
//!
//! The SDK of the language and the contract are in this binary and written beside the author's files, below
//! `siemaphore/` at the same places as in our own repository, so that their paths to each other hold.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use toml::{Table, Value};

use crate::cli::{Language, New};
use crate::command::Failure;
use crate::command::plugin::project::NAME_RULE;
use crate::print;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Below the project's folder: what is ours.
const OURS: &str = "siemaphore";
/// Files of every project, whatever its language.
const TEMPLATE: &str = "sdk/template/";

pub(crate) fn run(command: &New) -> Result<(), Failure> {
    check_name(&command.name, command.language)?;
    let folder = command.folder.clone().unwrap_or_else(|| PathBuf::from(&command.name));
    let files = files(&command.name, command.language)?;
    write(&folder, &files)?;
    let steps = [&[format!("cd {}", folder.display())], command.language.steps().as_slice()].concat();
    if command.json {
        let paths: Vec<&PathBuf> = files.iter().map(|(path, _)| path).collect();
        return Ok(print::json(&json!({ "folder": folder, "files": paths, "next": steps }))?);
    }
    print::line(format_args!("{} files in {}; next:\n", files.len(), folder.display()));
    for step in steps {
        print::line(format_args!("  {step}"));
    }
    Ok(())
}

fn check_name(name: &str, language: Language) -> Result<()> {
    if !siemaphore_registry::is_valid_name(name) {
        bail!("`{name}` is no formatter's name; {NAME_RULE}");
    }
    if siemaphore_bundle::formatters().iter().any(|bundled| bundled.name == name) {
        bail!("`{name}` is the name of a built-in formatter; choose another, as in `my-{name}`");
    }
    if language == Language::Rust && !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        bail!("the package `{name}` would be refused by cargo; begin the name with a letter");
    }
    Ok(())
}

/// Paths below the project's folder, and texts.
fn files(name: &str, language: Language) -> Result<Vec<(PathBuf, String)>> {
    let sdk = format!("sdk/{}/", language.sdk());
    let own = format!("{sdk}template/");
    let mut files = Vec::new();
    for (path, text) in FILES {
        let template = path.strip_prefix(TEMPLATE).or_else(|| path.strip_prefix(&own));
        if let Some(path) = template {
            files.push((PathBuf::from(path), filled(text, name)));
        } else if path.starts_with(&sdk) || path.starts_with("wit/") || path.starts_with("docs/") {
            files.push((Path::new(OURS).join(path), (*text).to_owned()));
        } else if *path == "Cargo.toml" && language == Language::Rust {
            files.push((Path::new(OURS).join(path), sdk_workspace(text)?));
        }
    }
    Ok(files)
}

/// A template with its name in it.
fn filled(text: &str, name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    let title = words.collect::<Vec<_>>().join(" ");
    text.replace("{{name}}", name).replace("{{title}}", title.trim())
}

/// Our workspace's manifest with what the SDK inherits from it, and nothing else.
fn sdk_workspace(ours: &str) -> Result<String> {
    let mut manifest: Table = toml::from_str(ours)?;
    manifest.retain(|key, _| key == "workspace");
    let workspace = manifest.get_mut("workspace").and_then(Value::as_table_mut);
    let workspace = workspace.context("our workspace has no manifest")?;
    workspace.retain(|key, _| ["dependencies", "lints", "package", "resolver"].contains(&key));
    workspace.insert("members".to_owned(), Value::Array(vec!["sdk/rust".into()]));
    let sdk =
        FILES.iter().find(|(path, _)| *path == "sdk/rust/Cargo.toml").context("the SDK has no manifest")?;
    let sdk: Table = toml::from_str(sdk.1)?;
    let used = sdk.get("dependencies").and_then(Value::as_table).context("the SDK has no dependencies")?;
    if let Some(dependencies) = workspace.get_mut("dependencies").and_then(Value::as_table_mut) {
        dependencies.retain(|name, _| used.contains_key(name));
    }
    Ok(toml::to_string(&manifest)?)
}

/// Writes all files or none: what is there already is somebody's work.
fn write(folder: &Path, files: &[(PathBuf, String)]) -> Result<()> {
    if let Some((path, _)) = files.iter().find(|(path, _)| folder.join(path).symlink_metadata().is_ok()) {
        bail!(
            "{} exists, and nothing is overwritten\n  hint: name another folder behind the name, or move that file away",
            folder.join(path).display()
        );
    }
    for (path, text) in files {
        let path = folder.join(path);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            // Fails on what somebody has put there in the meantime.
            File::create_new(&path)?.write_all(text.as_bytes())
        });
        written.with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

impl Language {
    /// The folder of its SDK.
    fn sdk(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::JavaScript => "javascript",
            Language::Python => "python",
        }
    }

    /// From a new project to a component that has been looked at.
    fn steps(self) -> Vec<String> {
        let own: &[&str] = match self {
            Language::Rust => &["rustup target add wasm32-wasip2", "cargo test"],
            Language::JavaScript => &["npm ci", "npm test"],
            Language::Python => &[
                "python3 -m venv .venv && .venv/bin/pip install --require-hashes --requirement requirements.txt",
                "python3 test.py",
            ],
        };
        let ours = ["siemaphore plugin build", "siemaphore plugin test"];
        own.iter().chain(&ours).map(|step| (*step).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANGUAGES: [Language; 3] = [Language::Rust, Language::JavaScript, Language::Python];

    #[test]
    fn a_project_has_its_own_files_the_contract_and_one_sdk() {
        for language in LANGUAGES {
            let files = files("my-siem", language).unwrap();
            let has = |path: &str| files.iter().any(|(file, _)| file == Path::new(path));
            for path in [
                "README.md",
                "settings.json",
                "events/blocked.json",
                "snapshots/blocked.txt",
                "siemaphore/wit/v1/formatter.wit",
                "siemaphore/docs/contract.md",
            ] {
                assert!(has(path), "{language:?} has no {path}");
            }
            for other in LANGUAGES {
                let sdk = Path::new("siemaphore/sdk").join(other.sdk());
                assert_eq!(files.iter().any(|(file, _)| file.starts_with(&sdk)), other == language);
            }
            for (path, text) in files.iter().filter(|(path, _)| !path.starts_with(OURS)) {
                let gap = ["{{name}}", "{{title}}"].into_iter().find(|gap| text.contains(gap));
                assert_eq!(gap, None, "{}", path.display());
            }
        }
    }

    #[test]
    fn names_that_the_host_would_refuse_are_refused_at_once() {
        for (name, language, said) in [
            ("My Siem", Language::Python, "lowercase"),
            ("", Language::Python, "lowercase"),
            ("splunk", Language::JavaScript, "built-in"),
            ("2fast", Language::Rust, "letter"),
        ] {
            let error = check_name(name, language).unwrap_err().to_string();
            assert!(error.contains(said), "{name}: {error}");
        }
        check_name("2fast", Language::JavaScript).unwrap();
    }

    #[test]
    fn nothing_is_written_when_one_file_is_there_already() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("settings.json"), "mine").unwrap();
        let error = write(folder.path(), &files("acme", Language::Python).unwrap()).unwrap_err();
        assert!(format!("{error:#}").contains("settings.json exists"), "{error:#}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(folder.path().join("settings.json")).unwrap(), "mine");
    }

    #[test]
    fn the_sdks_workspace_has_what_the_sdk_inherits_and_nothing_of_the_host() {
        let (_, ours) = FILES.iter().find(|(path, _)| *path == "Cargo.toml").unwrap();
        let workspace = sdk_workspace(ours).unwrap();
        assert!(workspace.contains("wit-bindgen") && workspace.contains("edition"), "{workspace}");
        assert!(!workspace.contains("wasmtime") && !workspace.contains("siemaphore"), "{workspace}");
    }
}
