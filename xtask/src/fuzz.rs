//! `cargo xtask fuzz`: every target of `fuzz/` for some time each, and a table of what came of it.
//!
//! cargo-fuzz needs a nightly compiler. No sanitizer: the host forbids unsafe code, and what is looked for is panics,
//! broken promises and memory without bound. New inputs go to `fuzz/target/corpus`; the seeds stay as they are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::report;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz");
/// What a target may hold: more is a finding. The largest buffer that one may ask for has 64 MiB.
const MEMORY_MIB: u32 = 1024;
/// How long one input may take.
const INPUT_SECONDS: u32 = 10;
/// For each target, in the test command.
const SECONDS_IN_TESTS: u32 = 5;

/// `--seconds N`, and the targets to run when it is not all of them.
pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let (seconds, chosen) = parse(&words)?;
    require_tools()?;
    let targets = targets()?;
    if let Some(unknown) = chosen.iter().find(|name| !targets.contains(name)) {
        bail!("there is no target `{unknown}`; there are {}", targets.join(", "));
    }
    let built = cargo_fuzz(&["build", "--sanitizer", "none", "--fuzz-dir", FOLDER]).status();
    if !built.context("cargo fuzz did not start")?.success() {
        bail!("the fuzz targets did not build");
    }
    let wanted = targets.into_iter().filter(|name| chosen.is_empty() || chosen.contains(name));
    let mut outcomes = Vec::new();
    for name in wanted {
        report(&format!("fuzzing {name} for {seconds} s"));
        outcomes.push(fuzz(&name, seconds)?);
    }
    conclude(&outcomes)
}

/// A short run of what an earlier `cargo xtask fuzz` has built, so that the test command never waits for a build.
pub(crate) fn run_what_is_built() -> Result<()> {
    let mut outcomes = Vec::new();
    for name in targets()?.into_iter().filter(|name| binary(name).exists()) {
        outcomes.push(fuzz(&name, SECONDS_IN_TESTS)?);
    }
    if outcomes.is_empty() {
        report("no fuzz targets are built, so only their seeds were tested: `cargo xtask fuzz` builds them");
        return Ok(());
    }
    conclude(&outcomes)
}

fn parse(arguments: &[String]) -> Result<(u32, Vec<String>)> {
    let mut arguments = arguments.iter();
    let (mut seconds, mut chosen) = (60, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => {
                let number = arguments.next().context("--seconds needs a number")?;
                seconds = number.parse().with_context(|| format!("`{number}` is not a number of seconds"))?;
            }
            option if option.starts_with('-') => bail!("unknown option `{option}`"),
            name => chosen.push(name.to_owned()),
        }
    }
    Ok((seconds, chosen))
}

fn require_tools() -> Result<()> {
    let found = cargo_fuzz(&["--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    bail!(
        "fuzzing needs a nightly compiler and cargo-fuzz:\n  \
         rustup toolchain install nightly --profile minimal\n  cargo install cargo-fuzz --locked"
    );
}

/// Asked of rustup: the cargo that runs this has set the project's own compiler for its children.
fn cargo_fuzz(arguments: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "fuzz"]).args(arguments).env_remove("CARGO").env_remove("RUSTC");
    command
}

/// The binaries that `fuzz/fuzz_targets` holds the sources of.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(Path::new(FOLDER).join("fuzz_targets"))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn binary(name: &str) -> PathBuf {
    let architecture = env::consts::ARCH;
    Path::new(FOLDER).join(format!("target/{architecture}-unknown-linux-gnu/release/{name}"))
}

/// What came of one target.
struct Outcome {
    name: String,
    executions: String,
    per_second: String,
    coverage: String,
    /// The input that broke it.
    crash: Option<PathBuf>,
    failed: bool,
}

fn fuzz(name: &str, seconds: u32) -> Result<Outcome> {
    let folder = Path::new(FOLDER);
    let (found, artifacts) = (folder.join("target/corpus").join(name), folder.join("artifacts").join(name));
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&artifacts)?;
    let output = Command::new(binary(name))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg("-print_final_stats=1")
        .arg(found)
        .arg(folder.join("corpus").join(name))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("fuzz target {name} did not start"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let failed = !output.status.success();
    if failed {
        report(&log);
    }
    Ok(Outcome {
        name: name.to_owned(),
        executions: last(&log, "stat::number_of_executed_units:"),
        per_second: last(&log, "stat::average_exec_per_sec:"),
        coverage: last(&log, " cov:"),
        crash: log
            .lines()
            .find_map(|line| line.split_once("Test unit written to "))
            .map(|(_, path)| path.into()),
        failed,
    })
}

/// The word after the last occurrence of a label.
fn last(log: &str, label: &str) -> String {
    let word = log.rsplit_once(label).and_then(|(_, behind)| behind.split_whitespace().next());
    word.unwrap_or("-").to_owned()
}

fn conclude(outcomes: &[Outcome]) -> Result<()> {
    let mut table =
        format!("{:<14} {:>12} {:>9} {:>9}  result\n", "target", "executions", "a second", "coverage");
    for Outcome { name, executions, per_second, coverage, failed, .. } in outcomes {
        let result = if *failed { "BROKEN" } else { "ok" };
        table.push_str(&format!("{name:<14} {executions:>12} {per_second:>9} {coverage:>9}  {result}\n"));
    }
    report(&table);
    let broken: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.failed).collect();
    for Outcome { name, crash, .. } in &broken {
        let Some(crash) = crash else { continue };
        report(&format!(
            "{name} broke on {path}\n  replay: rustup run nightly cargo fuzz run --sanitizer none --fuzz-dir fuzz {name} {path}",
            path = crash.display()
        ));
    }
    if broken.is_empty() { Ok(()) } else { bail!("{} fuzz target(s) broke", broken.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<(u32, Vec<String>)> {
        parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_run_takes_a_time_and_names() {
        assert_eq!(parsed(&[]).unwrap(), (60, Vec::new()));
        assert_eq!(parsed(&["--seconds", "5", "block"]).unwrap(), (5, vec!["block".to_owned()]));
        parsed(&["--seconds"]).unwrap_err();
        parsed(&["--seconds", "soon"]).unwrap_err();
        parsed(&["--second", "5"]).unwrap_err();
    }

    #[test]
    fn figures_are_read_from_what_the_fuzzer_prints_last() {
        let log = "#9 pulse cov: 7 ft: 9\n#20 DONE   cov: 812 ft: 900\nstat::number_of_executed_units: 20\n";
        assert_eq!(last(log, " cov:"), "812");
        assert_eq!(last(log, "stat::number_of_executed_units:"), "20");
        assert_eq!(last(log, "stat::average_exec_per_sec:"), "-");
    }
}
