//! Embeds what `siemaphore plugin new` writes: the SDKs, the contract, the templates and the pages that they point to.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Files and folders of the workspace. A folder's tests stay here.
const EMBEDDED: [&str; 9] = [
    "Cargo.toml",
    "docs/contract.md",
    "docs/writing-a-formatter.md",
    "docs/authentication.md",
    "sdk/javascript",
    "sdk/python",
    "sdk/rust",
    "sdk/template",
    "wit/v1",
];
const LEFT_OUT: [&str; 4] = ["__pycache__", "node_modules", "target", "tests"];

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let mut files = Vec::new();
    for path in EMBEDDED {
        println!("cargo::rerun-if-changed={}", workspace.join(path).display());
        collect(&workspace.join(path), &mut files)?;
    }
    println!("cargo::rerun-if-changed=build.rs");
    files.sort();
    let out = PathBuf::from(env::var("OUT_DIR")?).join("embedded.rs");
    fs::write(out, listing(&workspace, &files)?)?;
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// The source of `FILES`: paths below the workspace and texts.
fn listing(workspace: &Path, files: &[PathBuf]) -> Result<String, Box<dyn Error>> {
    let mut source = String::from("static FILES: &[(&str, &str)] = &[\n");
    for file in files {
        let path = file.strip_prefix(workspace)?;
        writeln!(source, "    ({path:?}, include_str!({file:?})),")?;
    }
    source.push_str("];\n");
    Ok(source)
}
