//! The commands about formatters, where their arguments take some room.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::{Asking, Reading};

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A `.wasm` file or a built-in name
    pub(crate) plugin: String,
    /// Check it with these settings, a JSON object; its own example when left out
    #[arg(long, value_name = "JSON")]
    pub(crate) settings: Option<String>,
    /// What it may have of memory, as `memory` under `[[plugin]]`: 256MiB at most
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<bytesize::ByteSize>,
    /// What a call may take of the processor, as `cpu` under `[[plugin]]`: 10s at most
    #[arg(long, value_name = "DURATION")]
    pub(crate) cpu: Option<humantime::Duration>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this one
    pub(crate) name: Option<String>,
    /// Only those in this state; `waiting` for an operator's word, `faulty` when something is wrong with the file
    #[arg(long)]
    pub(crate) state: Option<ListedState>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListedState {
    Active,
    Available,
    Draining,
    Quarantined,
    Waiting,
    Faulty,
}

#[derive(Debug, Args)]
pub(crate) struct Corpus {
    /// Print this event; left out, lists all by name
    pub(crate) event: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// A new file for the private key; the public one is written to the same name and `.pub`
    pub(crate) file: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// A `.wasm` file
    pub(crate) file: PathBuf,
    /// The private key: a file of `keygen`, or any Ed25519 key in PKCS#8 and PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// A built-in name or a `.wasm` file
    pub(crate) old: String,
    /// A built-in name or a `.wasm` file
    pub(crate) new: String,
    /// Events as `send` takes them, or an `export`; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "last")]
    pub(crate) events: Option<PathBuf>,
    /// Without --events: the newest events of the store of the configuration, its host running or not
    #[arg(long, value_name = "EVENTS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) last: u32,
    /// The settings of both, as a JSON object; OLD's own example when left out
    #[arg(long, value_name = "JSON")]
    pub(crate) settings: Option<String>,
    /// Take the settings from this destination of the configuration
    #[arg(long, value_name = "NAME", conflicts_with = "settings")]
    pub(crate) destination: Option<String>,
    /// Show at most so many events that differ; all are counted
    #[arg(long, value_name = "EVENTS", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// A built-in name or a `.wasm` file
    pub(crate) plugin: String,
    /// Events as `send` takes them, or an `export`; samples of four producers when left out
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// The settings as a JSON object; the formatter's own example when left out
    #[arg(long, value_name = "JSON")]
    pub(crate) settings: Option<String>,
    /// Take the settings from this destination of the configuration
    #[arg(long, value_name = "NAME", conflicts_with = "settings")]
    pub(crate) destination: Option<String>,
    /// Measure for so long; every event is formatted at least once
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=600))]
    pub(crate) seconds: u16,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The project: samples in `events`, `settings.json`, snapshots in `snapshots`, the component in `dist`
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Write the snapshots anew, and remove those without a sample
    #[arg(long)]
    pub(crate) update: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A built-in name or a `.wasm` file
    pub(crate) plugin: String,
    /// A public key that the file has to be signed with; several may be named
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Install {
    /// A `.wasm` file; its stem is the formatter's name
    pub(crate) file: PathBuf,
    /// A public key that the file has to be signed with; several may be named
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}
