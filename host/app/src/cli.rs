//! The command line.

mod plugin;
mod project;
mod store;
mod time;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use crate::cli::plugin::{
    Bench, Check, Corpus, Diff, Inspect, Install, Keygen, List, ListedState, Sign, Test,
};
pub(crate) use crate::cli::project::{Build, Language, New};
pub(crate) use crate::cli::store::{Backup, DeadLetters, Export, Ledger, Which};

/// Siemaphore takes security events, turns each into what one SIEM wants by calling a sandboxed WebAssembly formatter,
/// and delivers it over authenticated HTTPS.
#[derive(Debug, Parser)]
#[command(name = "siemaphore", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the host
    Run(Configured),
    /// See it work: sample events through the sandbox to three pretend SIEMs on this machine
    Quickstart {
        /// Deliver the sample events, print a summary and exit: 0 when all have arrived
        #[arg(long)]
        once: bool,
    },
    /// Send a file of events to a running host
    Send(Send),
    /// Check a configuration: says line, cause and fix; exits 2 when the host would not start
    Check {
        #[command(flatten)]
        configured: Configured,
        /// Print the problems as JSON
        #[arg(long)]
        json: bool,
    },
    /// See what comes in, and what is refused and why
    #[command(subcommand)]
    Source(Source),
    /// See and test destinations
    #[command(subcommand)]
    Destination(Destination),
    /// See and try formatters
    #[command(subcommand)]
    Plugin(Plugin),
    /// Print what a SIEM should be given: tables, pipelines, detection rules, dashboards
    Content(Content),
    /// See how events are read
    #[command(subcommand)]
    Profile(Profile),
    /// See, replay, discard and export events that were given up
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// Where every event of a destination is; exits 1 when the sum is not right
    Ledger(Ledger),
    /// Write the stored events to a file that `send` takes again
    Export(Export),
    /// Copy the whole store to a file while the host goes on
    Backup(Backup),
    /// Check everything that can go wrong, with the fix for each finding; exits 1 when something has failed
    Doctor(Asking),
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// What the host starts for each component of a customer: machine code on standard output
    #[command(hide = true)]
    CompileComponent { memory_bytes: u64, cpu_seconds: u64 },
}

impl Command {
    /// Whether its files are an author's, such as sources: who may read those is for the person's own umask to say.
    pub(crate) fn writes_sources(&self) -> bool {
        matches!(self, Command::Plugin(Plugin::New(_) | Plugin::Build(_) | Plugin::Test(_)))
    }
}

/// Where the configuration is.
#[derive(Debug, Args)]
pub(crate) struct Configured {
    /// The configuration file
    #[arg(long, short, env = "SIEMAPHORE_CONFIG", default_value = "siemaphore.toml", value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// How to reach the running host, and how to print what it says.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// A file with one event, an array of events, or one event a line, plain, gzip or zstd; `-` reads standard input
    pub(crate) file: PathBuf,
    /// The host's intake
    #[arg(long, default_value = "http://127.0.0.1:7410", value_name = "URL")]
    pub(crate) to: String,
    /// A reference to the source's token: `env:NAME` or `file:PATH`
    #[arg(long, default_value = "env:SIEMAPHORE_TOKEN", value_name = "REFERENCE")]
    pub(crate) token: String,
    /// A file of certificate authorities to trust
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Send at most so many events a second
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
    /// Begin with the first event, also when an earlier run was broken off; what the host knows is not stored twice
    #[arg(long)]
    pub(crate) from_the_beginning: bool,
    /// Store the events once more where the host knows them already from an earlier run
    #[arg(long, conflicts_with = "from_the_beginning")]
    pub(crate) again: bool,
    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Every source with its state, figures and last problem
    List(Asking),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Destination {
    /// Every destination with its state, figures and last error
    List(Asking),
    /// Send one synthetic event and say what the SIEM answered
    Test {
        /// `NAME`, or `ORGANIZATION/NAME`
        name: String,
        #[command(flatten)]
        asking: Asking,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Begin a formatter of your own: a project that builds, with a test, sample events and a snapshot
    New(New),
    /// Make the component of a project
    Build(Build),
    /// The formatters of the running host; built-in ones that no destination uses are only named
    List(List),
    /// What a formatter is and says of itself: file, imports, settings, authentication, the request it asks for
    Inspect(Inspect),
    /// Hold a formatter to the laws of the contract, without a host; exits 1 when it breaks one
    Check(Check),
    /// See the events that `plugin check` uses
    Corpus(Corpus),
    /// Print the exact request that a formatter makes of events
    Format(Format),
    /// Format a project's samples and compare the requests with its snapshots; exits 1 when they differ
    Test(Test),
    /// Format the same events with two versions and show where they differ; exits 1 when they do
    Diff(Diff),
    /// Measure a formatter: speed, instructions, memory and output, beside the limits
    Bench(Bench),
    /// Check a plugin file and put it into the plugin folder; with a running host, wait until it is active
    Install(Install),
    /// Make a pair of keys for signing plugin files
    Keygen(Keygen),
    /// Sign a plugin file: its signature is written beside it
    Sign(Sign),
    /// Look at the plugin folder now
    Reload(Asking),
    /// Use the version that waits: a new one under the policy `manual`, one with a changed request, or one sent back
    Promote {
        name: String,
        #[command(flatten)]
        asking: Asking,
    },
    /// Return to the version before the active one; its file is not tried again until it changes
    Rollback {
        name: String,
        #[command(flatten)]
        asking: Asking,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Content {
    /// A built-in formatter; left out, lists all files
    pub(crate) formatter: Option<String>,
    /// One of its files only
    pub(crate) file: Option<String>,
    /// Write the files into this folder
    #[arg(long, value_name = "FOLDER", requires = "formatter")]
    pub(crate) out: Option<PathBuf>,
    #[arg(long, conflicts_with = "out")]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Profile {
    /// Print what a profile makes of events: envelope and document, as they would be stored; exits 1 when it refuses one
    Try(Try),
}

#[derive(Debug, Args)]
pub(crate) struct Try {
    /// Events as `send` takes them; `-` reads standard input
    pub(crate) events: PathBuf,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[arg(long)]
    pub(crate) json: bool,
}

/// How events are read.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// A profile, shipped or of your own
    #[arg(long, default_value = "auto")]
    pub(crate) profile: String,
    /// The configuration with profiles of your own; left out, `siemaphore.toml` where there is one
    #[arg(long, short, env = "SIEMAPHORE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Format {
    /// A built-in name or a `.wasm` file
    pub(crate) plugin: String,
    /// Events as `send` takes them; `-` reads standard input
    pub(crate) events: PathBuf,
    /// The formatter's settings as a JSON object; its own example when left out
    #[arg(long, value_name = "JSON")]
    pub(crate) settings: Option<String>,
    /// The endpoint; the formatter's own example when left out
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Take settings and endpoint from this destination of the configuration
    #[arg(long, value_name = "NAME", conflicts_with_all = ["settings", "endpoint"])]
    pub(crate) destination: Option<String>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[arg(long)]
    pub(crate) json: bool,
}
