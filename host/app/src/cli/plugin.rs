//! Arguments of `siemaphore plugin`.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A `.wasm` file or a built-in name
    pub(crate) plugin: String,
    /// Check it with these settings, a JSON object; its own example when left out
    #[arg(long, value_name = "JSON")]
    pub(crate) settings: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Corpus {
    /// Print this event; left out, lists all by name
    pub(crate) event: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
}
