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
}

/// What a formatter can be written in with an SDK of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    #[value(name = "javascript", alias = "js")]
    JavaScript,
    Python,
}
