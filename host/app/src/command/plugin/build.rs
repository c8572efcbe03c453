//! `siemaphore plugin build`: a project's component, made by the tools of its language.
//!
//! The tools write beside the finished file, and what they wrote takes its place only when the sandbox would take it: a
//! host that watches the folder never sees half a component, and a failed build keeps the last good one.

mod told;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::json;
use siemaphore_sandbox::GuestLimits;

use crate::cli::{Build, Language};
use crate::command::Failure;
use crate::command::plugin::project::Project;
use crate::command::progress;
use crate::print;

const TARGET: &str = "wasm32-wasip2";
/// What `lib.name` in a project's Cargo.toml is, whatever the package's name: so the file's name is known.
const RUST_LIBRARY: &str = "formatter.wasm";

pub(crate) fn run(command: &Build) -> Result<(), Failure> {
    let project = Project::find(&command.folder)?;
    let component = project.component();
    let dist = component.parent().context("a component has a folder")?;
    fs::create_dir_all(dist).with_context(|| format!("cannot make {}", dist.display()))?;
    let making = tempfile::Builder::new().prefix(".building-").tempdir_in(fs::canonicalize(dist)?)?;
    let made = making.path().join("component.wasm");
    match project.language {
        Language::Rust => build_rust(&project, &made),
        Language::JavaScript => build_javascript(&project, &made, command.verbose),
        Language::Python => build_python(&project, &made, command.verbose),
    }?;
    let bytes =
        fs::read(&made).with_context(|| format!("the tools left no component at {}", made.display()))?;
    siemaphore_sandbox::verify(&project.name, &bytes)
        .map_err(|error| anyhow!("{error}\n  hint: {}", error.hint()))?;
    fs::rename(&made, &component).with_context(|| format!("cannot write {}", component.display()))?;
    if command.json {
        print::json(&json!({
            "component": component,
            "size_bytes": bytes.len(),
            "language": siemaphore_sandbox::Language::of(&bytes).as_str(),
            "memory_needed_bytes": siemaphore_sandbox::memory_for(&bytes),
        }))?;
    } else {
        show(&component, &bytes);
    }
    Ok(())
}

fn show(component: &Path, bytes: &[u8]) {
    let language = siemaphore_sandbox::Language::of(bytes);
    let size = print::size(bytes.len() as u64);
    // As a person would write it.
    let shown = component.strip_prefix(".").unwrap_or(component).display();
    print::line(format_args!("{shown}, {size}, {}", language.as_str()));
    let memory = siemaphore_sandbox::memory_for(bytes);
    if memory > GuestLimits::default().memory_bytes {
        let mebibytes = memory >> 20;
        print::aside(format_args!(
            "the host's configuration needs `memory = \"{mebibytes} MiB\"` under [plugins] for it"
        ));
    }
}

/// Asks for the target first, because rustc's own error for a missing one is a page about `core`.
fn build_rust(project: &Project, made: &Path) -> Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(&project.folder).args(["--print", "target-libdir", "--target", TARGET]);
    let output = started(&mut rustc, "install Rust from https://rustup.rs", Command::output)?;
    if !Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir() {
        bail!("Rust's target {TARGET} is missing\n  hint: run `rustup target add {TARGET}`");
    }
    // A folder of one's own, so that the file is found whatever cargo's configuration says.
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target", TARGET, "--target-dir", "target"]);
    ran(project, &mut cargo, "install Rust from https://rustup.rs")?;
    let built = project.folder.join("target").join(TARGET).join("release").join(RUST_LIBRARY);
    fs::copy(&built, made).with_context(|| {
        format!("cannot copy {}; Cargo.toml needs [lib] with name = \"formatter\"", built.display())
    })?;
    Ok(())
}

fn build_javascript(project: &Project, made: &Path, verbose: bool) -> Result<()> {
    need(project, "node_modules/@bytecodealliance/componentize-js", "npm ci")?;
    let mut node = Command::new("node");
    node.args(["siemaphore/sdk/javascript/build.js", "src/formatter.js"]).arg(made);
    if verbose {
        node.arg("--verbose");
    }
    ran_quietly(project, &mut node, "install Node.js 20 or newer", verbose, told::by_javascript)
}

fn build_python(project: &Project, made: &Path, verbose: bool) -> Result<()> {
    const INSTALL: &str =
        "python3 -m venv .venv && .venv/bin/pip install --require-hashes --requirement requirements.txt";
    let tool = fs::canonicalize(need(project, ".venv/bin/componentize-py", INSTALL)?)?;
    let mut componentize = Command::new(tool);
    componentize
        .args(["--quiet", "--wit-path", "siemaphore/wit/v1", "--world", "siem-formatter"])
        // Formatters have no network, and Python's library would import it with all the rest.
        .args(["componentize", "--stub-wasi"])
        .args(["--python-path", "src", "--python-path", "siemaphore/sdk/python/src"])
        .arg("--output")
        .arg(made)
        .arg("formatter");
    ran_quietly(project, &mut componentize, INSTALL, verbose, told::by_python)
}

/// Where the project has what a package manager installs; or what to run.
fn need(project: &Project, path: &str, install: &str) -> Result<PathBuf> {
    let found = project.folder.join(path);
    if found.exists() {
        return Ok(found);
    }
    bail!("{} is missing\n  hint: run `{install}` in {}", found.display(), project.folder.display())
}

/// Runs a tool in the project's folder. What it says is for the person.
fn ran(project: &Project, command: &mut Command, install: &str) -> Result<()> {
    command.current_dir(&project.folder).stdin(Stdio::null());
    let status = started(command, install, Command::status)?;
    if status.success() {
        return Ok(());
    }
    bail!("{} ended with {status}", command.get_program().display())
}

/// As [`ran`], for tools that answer a slip of the pen with pages of their own stack: of those only what the author can
/// use is told.
fn ran_quietly(
    project: &Project,
    command: &mut Command,
    install: &str,
    verbose: bool,
    told: fn(&str) -> String,
) -> Result<()> {
    if verbose {
        return ran(project, command, install);
    }
    command.current_dir(&project.folder).stdin(Stdio::null());
    let working = progress::working(format!("building {}", project.component().display()));
    let output = started(command, install, Command::output);
    working.finish_and_clear();
    let output = output?;
    if output.status.success() {
        return Ok(());
    }
    let told = match told(&String::from_utf8_lossy(&output.stderr)) {
        nothing if nothing.is_empty() => format!("it ended with {}", output.status),
        told => told,
    };
    bail!(
        "{told}\n  hint: mend it and build again; `siemaphore plugin build --verbose` shows all that the tools say"
    )
}

fn started<T>(
    command: &mut Command,
    install: &str,
    start: impl FnOnce(&mut Command) -> std::io::Result<T>,
) -> Result<T> {
    let program = command.get_program().to_owned();
    start(command).map_err(|error| {
        let hint =
            if error.kind() == ErrorKind::NotFound { format!("\n  hint: {install}") } else { String::new() };
        anyhow!("`{}` does not start: {error}{hint}", program.display())
    })
}
