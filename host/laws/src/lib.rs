//! What a formatter is held to before it is given real events: the laws of the contract (`wit/v1/formatter.wit`), checked
//! on a corpus of events.
//!
//! - The [`corpus()`] is every producer's documented events and what else an event may hold: it is the same on every host.
//! - [`check`] runs a loaded formatter over it, in fresh instances and in batches cut differently, and says which law
//!   breaks on which event.
//!
//! Everything blocks, one instance at a time, and ends: after a few findings, after a call that exceeds its time, and
//! after ten times the CPU time of one call. What a formatter does on other events, or later, the sandbox has to bear.
#![forbid(unsafe_code)]

mod answers;
mod batches;
mod corpus;
mod describe;
mod difference;
mod honest;
mod law;
mod report;
mod schema;
mod trial;

use siemaphore_sandbox::{Configuration, Formatter, HostError};

pub use corpus::{Case, Corpus, corpus};
pub use law::Law;
pub use report::{Broken, Report};

use trial::{Stop, Trial};

/// Holds a formatter to every law, with these settings.
///
/// An error says that this machine could not do it, and nothing about the formatter.
pub fn check(formatter: &Formatter, configuration: &Configuration) -> Result<Report, HostError> {
    let mut trial = Trial::new(formatter, configuration);
    match run(&mut trial) {
        Ok(()) | Err(Stop::Enough) => Ok(trial.into_report()),
        Err(Stop::Host(error)) => Err(error),
    }
}

fn run(trial: &mut Trial<'_>) -> Result<(), Stop> {
    describe::check(trial)?;
    let profile = trial.configure()?;
    batches::check(trial, &profile, corpus())?;
    answers::check(trial)
}
