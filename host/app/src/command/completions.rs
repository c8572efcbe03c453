//! `siemaphore completions SHELL`

use clap::CommandFactory;

use crate::cli::Cli;
use crate::command::Failure;
use crate::print;

pub(crate) fn print(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "siemaphore", &mut script);
    print::bytes(&script);
    Ok(())
}
