//! The developer's verbs. `cargo xtask help` lists them.
#![forbid(unsafe_code)]

mod fuzz;
mod oracle;
mod third_party;

use std::env;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

const HELP: &str = "\
cargo xtask lint         formatting, clippy and documentation, without a warning
cargo xtask test         build everything, the formatters to WebAssembly included, and run all tests
cargo xtask third-party  install the official clients and schemas that tests hold ours against
cargo xtask oracle       kill the host 1,000 times and look for what is lost: [--kills N] [--seed S] [--release]
cargo xtask fuzz         feed every fuzz target for a minute, with nightly: [--seconds N] [TARGET…]
cargo xtask bench        speed: formatting in the sandbox against native code, and end to end; a table each
";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let verb = arguments.next().unwrap_or_else(|| "help".into());
    match run(&verb.to_string_lossy(), &arguments.collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(verb: &str, rest: &[OsString]) -> Result<()> {
    match verb {
        "lint" => lint(),
        "test" => test(rest),
        "oracle" => oracle::run(rest),
        "fuzz" => fuzz::run(rest),
        "bench" => bench(rest),
        "third-party" => third_party::install(),
        "help" | "--help" | "-h" => {
            report(HELP);
            Ok(())
        }
        other => bail!("unknown verb `{other}`\n\n{HELP}"),
    }
}

fn lint() -> Result<()> {
    cargo(&["fmt", "--all", "--check"], &[])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"], &[])?;
    cargo_command()
        .args(["doc", "--workspace", "--no-deps", "--keep-going", "--quiet"])
        // The first screen of a crate names its modules, private ones too.
        .env("RUSTDOCFLAGS", "--deny warnings --allow rustdoc::private_intra_doc_links")
        .status()
        .context("cargo doc did not start")
        .and_then(|status| if status.success() { Ok(()) } else { bail!("`cargo doc` failed") })
}

/// What the tests need is made here: `rust-toolchain.toml` brings the WebAssembly target, building `plugins/bundle`
/// builds the formatters, and the official clients are installed when they are not. Fuzz targets are run when they are there, and never built.
fn test(rest: &[OsString]) -> Result<()> {
    third_party::install()?;
    cargo(&["test", "--workspace", "--no-fail-fast"], rest)?;
    if rest.is_empty() { fuzz::run_what_is_built() } else { Ok(()) }
}

/// Formatting first, then end to end: two processes, so that neither disturbs the other.
fn bench(rest: &[OsString]) -> Result<()> {
    cargo(&["bench", "--quiet", "--package", "siemaphore-sandbox", "--bench", "batch"], &[])?;
    cargo(&["bench", "--quiet", "--package", "siemaphore", "--bench", "end_to_end"], rest)
}

fn cargo(arguments: &[&str], rest: &[OsString]) -> Result<()> {
    let status = cargo_command()
        .args(arguments)
        .args(rest)
        .status()
        .with_context(|| format!("`cargo {}` did not start", arguments.join(" ")))?;
    if status.success() { Ok(()) } else { bail!("`cargo {}` failed", arguments.join(" ")) }
}

/// Without what `cargo run` says of this program's package: build scripts read it, and would run again whenever a person
/// and this program take turns.
fn cargo_command() -> Command {
    let mut command = Command::new(env!("CARGO"));
    let of_this_package = ["CARGO_MANIFEST_", "CARGO_PKG_"];
    for (name, _) in env::vars_os() {
        if of_this_package.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

#[expect(clippy::print_stderr, reason = "this program talks to a developer in a terminal")]
fn report(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    mod contract_page;
    mod crate_edges;
}
