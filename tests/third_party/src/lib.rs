//! Clients and schemas that others publish, in Python and JavaScript, to hold our formatters, our intake and our
//! stand-ins against: what we wrote twice from one reading of a page can be wrong twice.
//!
//! `cargo xtask third-party` installs what `python/requirements.txt` and `node/package-lock.json` pin into
//! `target/third-party`; `cargo xtask test` does so first. A test starts a script from `python/` or `node/` with
//! arguments and standard input; the script ends with 0 when all is as its package wants it, else it prints what is not.
#![forbid(unsafe_code)]
#![allow(clippy::panic, reason = "used by tests only")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs a script of `python/`.
///
/// # Panics
///
/// When it does not end with 0, with what it printed.
pub fn python(script: &str, arguments: &[&str], input: &str) -> String {
    run(&installed("python/bin/python"), &folder().join("python").join(script), arguments, input)
}

/// Runs a script of `node/`.
///
/// # Panics
///
/// When it does not end with 0, with what it printed.
pub fn node(script: &str, arguments: &[&str], input: &str) -> String {
    // Node looks for packages beside the script, so the script is read from where they are installed.
    let script = installed("node").join(script);
    run(Path::new("node"), &script, arguments, input)
}

/// The folder with the packages that make components of JavaScript: a project's `node_modules`.
///
/// # Panics
///
/// When they are not installed.
pub fn node_modules() -> PathBuf {
    installed("componentize-js/node_modules")
}

/// The virtual environment that makes components of Python: a project's `.venv`.
///
/// # Panics
///
/// When it is not installed.
pub fn python_environment() -> PathBuf {
    installed("componentize-py")
}

fn run(program: &Path, script: &Path, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
    // A script that ends before it has read everything says why itself.
    child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()).ok());
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {}\n{printed}\n{complained}", script.display(), output.status);
    printed
}

fn installed(path: &str) -> PathBuf {
    let path = folder().join("../../target/third-party").join(path);
    assert!(path.exists(), "{} is missing: run `cargo xtask third-party` once", path.display());
    path
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
