//! `cargo xtask oracle`: the kill test of `cargo xtask test`, run for as long as one likes.

use std::ffi::OsString;

use anyhow::{Context, Result, bail};

use crate::cargo_command;

/// Takes about half an hour.
const KILLS: u64 = 1_000;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    kills: u64,
    seed: Option<u64>,
    release: bool,
}

pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    let options = Options::parse(arguments)?;
    let mut command = cargo_command();
    // All of the workspace's features, as the tests have them: another selection would compile everything anew.
    command.args(["test", "--workspace", "--test", "oracle"]);
    if options.release {
        command.arg("--release");
    }
    command.args(["--", "--nocapture", "--exact", TEST]);
    command.env("SIEMAPHORE_ORACLE_KILLS", options.kills.to_string());
    if let Some(seed) = options.seed {
        command.env("SIEMAPHORE_ORACLE_SEED", seed.to_string());
    }
    let status = command.status().context("`cargo test` did not start")?;
    if status.success() { Ok(()) } else { bail!("the oracle failed") }
}

const TEST: &str = "nothing_acknowledged_is_lost_however_often_the_host_is_killed";

impl Options {
    fn parse(arguments: &[OsString]) -> Result<Options> {
        let mut options = Options { kills: KILLS, seed: None, release: false };
        let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let value = arguments.next().with_context(|| format!("{argument} needs a number"))?;
                value.parse().with_context(|| format!("{argument} {value}: not a whole number"))
            };
            match &*argument {
                "--kills" => options.kills = number()?,
                "--seed" => options.seed = Some(number()?),
                "--release" => options.release = true,
                other => bail!("unknown option `{other}`; there are --kills N, --seed S and --release"),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options> {
        Options::parse(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn kills_and_seed_are_read_and_have_defaults() {
        let options = parse(&["--kills", "7", "--seed", "42", "--release"]).unwrap();
        assert_eq!(options, Options { kills: 7, seed: Some(42), release: true });
        assert_eq!(parse(&[]).unwrap(), Options { kills: KILLS, seed: None, release: false });
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (arguments, name) in [(["--kills", "many"], "many"), (["--forever", ""], "--forever")] {
            let error = format!("{:#}", parse(&arguments).unwrap_err());
            assert!(error.contains(name), "{error}");
        }
    }
}
