//! The commands about a formatter's project.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The formatter's name: lowercase letters, digits and hyphens
    pub(crate) name: String,
    /// What it is written in
    #[arg(long = "lang", value_enum)]
    pub(crate) language: Language,
    /// Where to write it; a folder named after it when left out
    pub(crate) folder: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The project
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Show all that the language's tools say of an error, not its place and message alone
    #[arg(long)]
    pub(crate) verbose: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a formatter can be written in with an SDK of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    #[value(name = "javascript", alias = "js")]
    JavaScript,
    Python,
}
