//! The settings that a formatter is tried with.

use crate::cli::Reading;
use crate::command::{Failure, reading};

/// Those of a destination of the configuration, or as they were typed; `None` for the formatter's own example.
pub(crate) fn chosen(
    reading: &Reading,
    destination: Option<&str>,
    typed: Option<String>,
) -> Result<Option<String>, Failure> {
    match destination {
        Some(name) => Ok(Some(reading::destination(reading, name)?.settings)),
        None => Ok(typed),
    }
}
