//! Official clients and schemas for the tests, installed once into `target/third-party`.
//!
//! Versions and hashes are pinned under `tests/third_party`, and under `sdk/` those of the tools that make components of
//! JavaScript and Python; a stamp with these files' contents says that they are installed, so that a second run needs no
//! network.

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
    python(&pinned.join("python"), &target.join("python"))?;
    node(&files_of(&pinned.join("node"))?, &target.join("node"))?;
    // What makes components of JavaScript and Python, by the lock files that a formatter's project begins with.
    let template = |language: &str| root.join("sdk").join(language).join("template");
    python(&template("python"), &target.join("componentize-py"))?;
    let packages = ["package.json", "package-lock.json"].map(|file| template("javascript").join(file));
    node(&packages, &target.join("componentize-js"))
}

/// A virtual environment with what `requirements.txt` of the folder pins.
fn python(pinned: &Path, environment: &Path) -> Result<()> {
    let requirements = pinned.join("requirements.txt");
    when_stale(environment, std::slice::from_ref(&requirements), || {
        ran("python3", |command| command.args(["-m", "venv", "--clear"]).arg(environment))?;
        ran(environment.join("bin/python"), |command| {
            command
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"])
                .arg("--requirement")
                .arg(&requirements)
        })
    })
}

/// The files, and beside them the packages that the lock file among them pins.
fn node(files: &[PathBuf], folder: &Path) -> Result<()> {
    when_stale(folder, files, || {
        fs::create_dir_all(folder)?;
        for file in files {
            // The names in a template are the author's to choose.
            let text = fs::read_to_string(file)?.replace("{{name}}", "formatter");
            fs::write(folder.join(file.file_name().unwrap_or_default()), text)?;
        }
        ran("npm", |command| command.args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(folder))
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
        format!("`{program}` did not start; the tests need Python 3.11 or newer with venv, and Node.js 20 or newer")
    })?;
    if status.success() { Ok(()) } else { bail!("`{}` failed: {status}", program.display()) }
}
