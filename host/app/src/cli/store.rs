//! The commands about what is stored.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::time::Moment;
use crate::cli::{Asking, Configured};

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// The oldest first
    List {
        /// Of this destination only: `NAME`, or `ORGANIZATION/NAME`
        #[arg(long, value_name = "NAME")]
        destination: Option<String>,
        /// Go on after the letter with this id
        #[arg(long, value_name = "ID")]
        after: Option<i64>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        #[command(flatten)]
        asking: Asking,
    },
    /// One with its event, its cause and every attempt
    Show {
        id: i64,
        #[command(flatten)]
        asking: Asking,
    },
    /// Send some or all again, formatted by the plugin that is active now
    // The usage that would be made of the arguments offers ids beside --cancel.
    #[command(override_usage = "siemaphore dead-letters replay [OPTIONS] <IDS>...\n       \
                                siemaphore dead-letters replay [OPTIONS] --all\n       \
                                siemaphore dead-letters replay [--destination <NAME>] --cancel")]
    Replay {
        #[command(flatten)]
        which: Which,
        /// Return at once: the host goes on
        #[arg(long)]
        no_wait: bool,
        /// Take back what was asked for and is not sent yet
        #[arg(long, conflicts_with_all = ["all", "ids", "no_wait"])]
        cancel: bool,
        #[command(flatten)]
        asking: Asking,
    },
    /// Drop some or all for good
    Discard {
        #[command(flatten)]
        which: Which,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        asking: Asking,
    },
    /// Write them with cause and attempts to a file, one a line; `send` takes it
    Export {
        /// A new file; `-` writes to standard output
        file: PathBuf,
        /// Of this destination only: `NAME`, or `ORGANIZATION/NAME`
        #[arg(long, value_name = "NAME")]
        destination: Option<String>,
        #[command(flatten)]
        asking: Asking,
    },
}

/// Which dead letters.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Ids, as `list` shows them
    pub(crate) ids: Vec<i64>,
    /// All of them, or all of the destination
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
    /// Of this destination only: `NAME`, or `ORGANIZATION/NAME`
    #[arg(long, value_name = "NAME")]
    pub(crate) destination: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Ledger {
    /// `NAME`, or `ORGANIZATION/NAME`; every destination when left out
    pub(crate) destination: Option<String>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// From when on events were stored: `24h`, `2026-11-21` or `2026-11-21T06:00:00Z` (UTC)
    #[arg(long, value_name = "TIME|DURATION")]
    pub(crate) since: Moment,
    /// Up to when, not included
    #[arg(long, value_name = "TIME|DURATION")]
    pub(crate) until: Option<Moment>,
    /// Of this organisation only
    #[arg(long, value_name = "NAME")]
    pub(crate) organization: Option<String>,
    /// A new file; standard output when left out
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write the bytes of each damaged block, as they were found, to a file in this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) damaged: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// Print the summary as JSON; needs --out
    #[arg(long, requires = "out")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// A new file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) asking: Asking,
}
