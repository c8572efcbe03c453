//! What a formatter makes of the documented events.

use serde_json::Value;
use siemaphore_sdk::Formatter;
use siemaphore_sdk::testkit::{self, Configured};

use crate::{Sample, assert_snapshots, sample};

/// A formatter with one configuration, whose records are JSON.
#[derive(Debug)]
pub struct Documented<F>(Configured<F>);

impl<F: Formatter> Documented<F> {
    /// # Panics
    ///
    /// When the settings are refused.
    pub fn new(settings: &str) -> Documented<F> {
        let configured = testkit::configure(settings);
        Documented(configured.unwrap_or_else(|problems| panic!("{settings} is refused: {problems:?}")))
    }

    /// The record as it is sent.
    pub fn text(&self, sample: &Sample) -> String {
        self.0.record(&sample.event)
    }

    /// # Panics
    ///
    /// When the record is not JSON.
    pub fn of(&self, sample: &Sample) -> Value {
        let text = self.text(sample);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The record of one documented event.
    pub fn named(&self, producer: &'static str, name: &str) -> Value {
        self.of(&sample(producer, name))
    }

    /// [`assert_snapshots`] of all records.
    pub fn assert_snapshots(&self, package: &str) {
        assert_snapshots(package, |sample| self.of(sample));
    }
}
