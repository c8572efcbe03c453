//! The SDKs in JavaScript and Python: their own tests, natively, and that their types are the contract's.
//!
//! With `SIEMAPHORE_UPDATE_DOCS=1` the types are written instead, after a change of the contract.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use siemaphore_third_party::{node_modules, python_environment};

fn sdk(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk").join(language)
}

/// What the command, which has to succeed, writes to standard output and standard error.
fn ran(command: &mut Command) -> (String, String) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (printed, complained) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{printed}\n{complained}");
    (printed, complained)
}

/// Holds a file against what it is made of.
fn same(file: &Path, made: &str) {
    if std::env::var_os("SIEMAPHORE_UPDATE_DOCS").is_some() {
        fs::write(file, made).unwrap();
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    assert!(
        kept == made,
        "{} is out of date: run this test with SIEMAPHORE_UPDATE_DOCS=1 and look at it",
        file.display()
    );
}

#[test]
fn the_javascript_sdk_passes_its_own_tests() {
    let folder = sdk("javascript").join("tests");
    let tests = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (said, _) = ran(Command::new("node").args(["--test", "--test-reporter", "tap"]).args(tests));
    assert!(said.contains("# pass 15\n"), "a test was not found: {said}");
}

#[test]
fn the_python_sdk_passes_its_own_tests() {
    let folder = sdk("python");
    let paths = std::env::join_paths([folder.join("src"), folder.join("bindings")]).unwrap();
    let mut command = Command::new(python_environment().join("bin/python"));
    command.args(["-B", "-m", "unittest", "discover", "--start-directory"]).arg(folder.join("tests"));
    let (_, said) = ran(command.env("PYTHONPATH", paths));
    assert!(said.contains("Ran 12 tests"), "a test was not found: {said}");
}

#[test]
fn the_types_in_javascript_are_the_contracts() {
    let script = sdk("javascript").join("contract_types.js");
    let (types, _) = ran(Command::new("node").arg(script).arg(node_modules()));
    same(&sdk("javascript").join("contract.d.ts"), &types);
}

#[test]
fn the_types_in_python_are_the_contracts() {
    let made = tempfile::tempdir().unwrap();
    let tool = python_environment().join("bin/componentize-py");
    let mut command = Command::new(tool);
    command.arg("--wit-path").arg(sdk("../wit/v1")).args(["--world", "siem-formatter", "bindings"]);
    ran(command.arg(made.path()));
    let kept = [
        "componentize_py_types.py",
        "wit_world/__init__.py",
        "wit_world/exports/__init__.py",
        "wit_world/exports/formatter.py",
    ];
    for file in kept {
        let text = fs::read_to_string(made.path().join(file)).unwrap();
        same(&sdk("python/bindings").join(file), &text);
    }
}
