//! The binary: command line, configuration, wiring, drain.
//!
//! Nothing is decided here that a stage could decide: this crate reads what the operator wrote, builds the stages in
//! the order of the flow ([`host`]), and stops them in the same order.
#![forbid(unsafe_code)]

mod cli;
mod command;
mod config;
mod control;
mod events_file;
mod host;
mod log;
mod print;

use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgMatches, CommandFactory, FromArgMatches};
use rustix::fs::Mode;
use siemaphore_sandbox::CompilerLimits;

use crate::cli::{Cli, Command, Profile, Source};
use crate::command::Failure;

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if !cli.command.writes_sources() {
        // What this program writes holds events, cursors or secrets: for its owner only, wherever it may be copied to.
        rustix::process::umask(Mode::RWXG | Mode::RWXO);
    }
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(failure) => failure.answered(wants_json(&matches)).report(),
    }
}

/// Whichever command it is: an error is answered as the answer would have been.
fn wants_json(matches: &ArgMatches) -> bool {
    let wanted = matches.try_get_one::<bool>("json").ok().flatten().is_some_and(|wanted| *wanted);
    wanted || matches.subcommand().is_some_and(|(_, matches)| wants_json(matches))
}

fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Completions { shell } => command::completions::print(shell)?,
        Command::CompileComponent { memory_bytes, cpu_seconds } => {
            let cpu = Duration::from_secs(cpu_seconds);
            let limits = CompilerLimits { memory_bytes, cpu, ..CompilerLimits::default() };
            return Ok(siemaphore_sandbox::compile_standard_input(&limits));
        }
        command => run(command)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn run(command: Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        match command {
            Command::Run(configured) => command::run::run(&configured.config).await,
            Command::Quickstart { once } => command::quickstart::run(once).await,
            Command::Send(send) => command::send::run(send).await,
            Command::Check { configured, json } => command::check::run(&configured.config, json).await,
            Command::Source(Source::List(asking)) => command::source::list(&asking).await,
            Command::Destination(command) => command::destination::run(command).await,
            Command::Plugin(command) => command::plugin::run(command).await,
            Command::Profile(Profile::Try(command)) => command::profile::run(command).await,
            Command::DeadLetters(command) => command::dead_letters::run(command).await,
            Command::Ledger(ledger) => command::ledger::run(ledger).await,
            Command::Export(export) => command::export::run(export).await,
            Command::Backup(backup) => command::backup::run(backup).await,
            Command::Doctor(asking) => command::doctor::run(asking).await,
            Command::Content(content) => command::content::run(&content),
            Command::Completions { .. } | Command::CompileComponent { .. } => Ok(()),
        }
    });
    // What is still on a blocking thread belongs to a stage that has been stopped.
    runtime.shutdown_background();
    outcome
}
