//! Compiles the formatters beside this crate for wasm32-wasip2.
//!
//! A second cargo runs inside the first one, so it gets a target folder of its own (the outer cargo holds the lock of
//! the usual one) and none of the settings that were meant for the host's build.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "formatter";
const PACKAGE_PREFIX: &str = "siemaphore-formatter-";
/// What an operator installs in the SIEM, beside a formatter's source.
const CONTENT: &str = "content";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let bundle = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let plugins = bundle.parent().ok_or("the bundle has no parent folder")?;
    let workspace = plugins.parent().ok_or("the plugins have no parent folder")?;
    let names = formatter_names(plugins)?;
    watch(workspace, plugins, &names);
    require_target()?;
    let target = out.join("target");
    build(workspace, &target, &names)?;
    fs::write(out.join("formatters.rs"), listing(plugins, &target, &names)?)?;
    Ok(())
}

/// The folders that hold a package named after them.
fn formatter_names(plugins: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(plugins)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(manifest) = fs::read_to_string(entry.path().join("Cargo.toml")) else { continue };
        if manifest.contains(&format!("name = \"{PACKAGE_PREFIX}{name}\"")) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn watch(workspace: &Path, plugins: &Path, names: &[String]) {
    let mut paths: Vec<PathBuf> = ["Cargo.toml", "Cargo.lock", "wit", "sdk/rust/Cargo.toml", "sdk/rust/src"]
        .map(|path| workspace.join(path))
        .into();
    for name in names {
        // Tests and snapshots beside the source do not change the component.
        paths.extend(["Cargo.toml", "src"].map(|path| plugins.join(name).join(path)));
        paths.extend(Some(plugins.join(name).join(CONTENT)).filter(|content| content.is_dir()));
    }
    println!("cargo::rerun-if-changed=build.rs");
    for path in paths {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// Asked first, because rustc's own error for a missing target is a page about `core`.
fn require_target() -> Result<(), Box<dyn Error>> {
    let output =
        Command::new(env::var("RUSTC")?).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    let folder = String::from_utf8(output.stdout)?;
    if Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    Err(format!("the built-in formatters need the target {TARGET}: run `rustup target add {TARGET}`").into())
}

fn build(workspace: &Path, target: &Path, names: &[String]) -> Result<(), Box<dyn Error>> {
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo
        .current_dir(workspace)
        .args(["build", "--lib", "--target", TARGET, "--profile", PROFILE, "--target-dir"])
        .arg(target);
    for name in names {
        cargo.arg("--package").arg(format!("{PACKAGE_PREFIX}{name}"));
    }
    // The lock file is complete when the outer cargo gets here; an inner one must not change it.
    if workspace.join("Cargo.lock").exists() {
        cargo.arg("--locked");
    }
    clean_environment(&mut cargo);
    let output = cargo.output()?;
    if output.status.success() {
        return Ok(());
    }
    // The outer cargo shows this when the script fails.
    std::io::stderr().write_all(&output.stderr)?;
    Err(format!("the formatters did not compile: {}", output.status).into())
}

/// What was meant for the host's build would miscompile a component (flags, profiles), or check it instead of building
/// it (clippy wraps rustc). Where cargo finds its registry, its network settings and its free jobs stays.
fn clean_environment(cargo: &mut Command) {
    const KEPT: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_MAKEFLAGS",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
    ];
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let of_a_build = ["CARGO", "CLIPPY", "RUST"].iter().any(|prefix| text.starts_with(prefix));
        if of_a_build && !KEPT.iter().any(|kept| text.starts_with(kept)) {
            cargo.env_remove(&name);
        }
    }
}

/// The source of `FORMATTERS`.
fn listing(plugins: &Path, target: &Path, names: &[String]) -> Result<String, Box<dyn Error>> {
    let folder = target.join(TARGET).join(PROFILE);
    let mut source = String::from("static FORMATTERS: &[Bundled] = &[\n");
    for name in names {
        let component = folder.join(format!("{PACKAGE_PREFIX}{name}.wasm").replace('-', "_"));
        writeln!(
            source,
            "    Bundled {{ name: {name:?}, component: include_bytes!({component:?}), content: &["
        )?;
        for file in content(&plugins.join(name).join(CONTENT))? {
            let name = file.file_name().ok_or("a file without a name")?.to_string_lossy().into_owned();
            writeln!(source, "        Content {{ file: {name:?}, text: include_str!({file:?}) }},")?;
        }
        source.push_str("    ] },\n");
    }
    source.push_str("];\n");
    Ok(source)
}

fn content(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let files =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>();
    let mut files = files?;
    files.sort();
    Ok(files)
}
