//! Official clients and schemas for the tests, installed once into `target/third-party`.
//!
//! Versions and hashes are pinned under `tests/third_party`; a stamp with these files' contents says that they are
//! installed, so that a second run needs no network.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Installs what is not installed yet.
pub(crate) fn install() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pinned = root.join("tests/third_party");
    let target = root.join("target/third-party");
    let python = target.join("python");
    when_stale(&python, &[pinned.join("python/requirements.txt")], || {
        let requirements = pinned.join("python/requirements.txt");
        ran("python3", |command| command.args(["-m", "venv", "--clear"]).arg(&python))?;
        ran(python.join("bin/python"), |command| {
            command
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"])
                .arg("--requirement")
                .arg(&requirements)
        })
    })?;
    let node = target.join("node");
    when_stale(&node, &files_of(&pinned.join("node"))?, || {
        fs::create_dir_all(&node)?;
        for file in files_of(&pinned.join("node"))? {
            fs::copy(&file, node.join(file.file_name().unwrap_or_default()))?;
        }
        ran("npm", |command| command.args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&node))
    })
}

/// Runs `install` for `folder` unless its stamp has the contents of `inputs`.
fn when_stale(folder: &Path, inputs: &[PathBuf], install: impl FnOnce() -> Result<()>) -> Result<()> {
    let mut wanted = String::new();
    for input in inputs {
        wanted += &fs::read_to_string(input).with_context(|| input.display().to_string())?;
    }
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install().with_context(|| format!("installing {}", folder.display()))?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let mut files: Vec<PathBuf> = paths.into_iter().filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

fn ran(program: impl AsRef<OsStr>, arguments: impl FnOnce(&mut Command) -> &mut Command) -> Result<()> {
    let program = program.as_ref();
    let mut command = Command::new(program);
    let status = arguments(&mut command).status().with_context(|| {
        let program = program.display();
        format!("`{program}` did not start; the tests need Python 3.10 or newer with venv, and Node.js 20 or newer")
    })?;
    if status.success() { Ok(()) } else { bail!("`{}` failed: {status}", program.display()) }
}
