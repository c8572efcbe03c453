//! One of the two versions: loaded, configured, and asked for the record of each event.

use anyhow::{Result, anyhow, bail};
use serde_json::{Map, Value, json};
use siemaphore_model::Event;
use siemaphore_model::formatter::{Framing, RequestProfile};
use siemaphore_sandbox::{Configuration, Formatter};

use crate::command::plugin::offline::{self, Named};

/// Calls that may fail before a version is given up: one that ends in a time limit each time would take hours.
const MOST_FAILURES: usize = 64;

/// What a version makes of an event.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Record(Vec<u8>),
    /// In the plugin's words, or what went wrong with the event alone.
    Rejected(String),
}

pub(crate) struct Version {
    pub(crate) named: Named,
    formatter: Formatter,
    configuration: Configuration,
    pub(crate) profile: RequestProfile,
    failures: usize,
}

impl Version {
    pub(crate) fn load(plugin: &str) -> Result<(Named, Formatter)> {
        let named = offline::find(plugin)?;
        let formatter = named.load()?;
        Ok((named, formatter))
    }

    pub(crate) fn configured((named, formatter): (Named, Formatter), settings: &str) -> Result<Version> {
        let configuration = Configuration { settings: settings.to_owned(), destination: "diff".to_owned() };
        let profile = formatter.configure(&configuration).map_err(|error| {
            anyhow!("{named}: {error}\n  hint: give settings that both take: --settings JSON, or --destination NAME")
        })?;
        Ok(Version { named, formatter, configuration, profile, failures: 0 })
    }

    /// An outcome for each event, in order.
    pub(crate) fn outcomes(&mut self, events: &[Event<'_>]) -> Result<Vec<Outcome>> {
        match self.formatter.format(&self.configuration, events) {
            Ok(formatted) => {
                let mut rejected = formatted.records.rejected.iter().peekable();
                let records = formatted.records.iter().enumerate().map(|(index, record)| {
                    match rejected.next_if(|rejection| rejection.index as usize == index) {
                        Some(rejection) => Outcome::Rejected(rejection.reason.clone()),
                        None => Outcome::Record(record.to_vec()),
                    }
                });
                Ok(records.collect())
            }
            Err(error) => {
                self.failures += 1;
                if self.failures > MOST_FAILURES {
                    bail!("{} fails again and again: {error}\n  hint: {}", self.named, error.hint());
                }
                self.without_the_culprit(events, error.to_string())
            }
        }
    }

    /// A batch fails as a whole: in halves it fails with the event that is to blame, as it does in a pipeline.
    fn without_the_culprit(&mut self, events: &[Event<'_>], error: String) -> Result<Vec<Outcome>> {
        if events.len() <= 1 {
            return Ok(events.iter().map(|_| Outcome::Rejected(error.clone())).collect());
        }
        let (first, second) = events.split_at(events.len() / 2);
        let mut outcomes = self.outcomes(first)?;
        outcomes.extend(self.outcomes(second)?);
        Ok(outcomes)
    }

    pub(crate) fn as_json(&self) -> Value {
        json!({
            "plugin": self.named.name,
            "file": self.named.path,
            "version": self.formatter.description().version,
            "digest": self.named.digest(),
        })
    }

    pub(crate) fn title(&self) -> String {
        let digest: String = self.named.digest().chars().take(12).collect();
        format!("{}   version {}   {digest}", self.named, self.formatter.description().version)
    }
}

/// The request that a version asks for, with names where the contract has lists of pairs: so that a header that is added
/// is not told as a change of all that come after it.
pub(crate) fn request(profile: &RequestProfile) -> Value {
    // Plain data always has a JSON form.
    let mut request = serde_json::to_value(profile).unwrap_or_default();
    let pairs = [("headers", &profile.headers), ("query", &profile.query)];
    for (member, pairs) in pairs {
        let named: Map<String, Value> =
            pairs.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        // A name that is given twice has two values: such a list stays one.
        if named.len() == pairs.len()
            && let Some(list) = request.get_mut(member)
        {
            *list = Value::Object(named);
        }
    }
    if let (Framing::Enclosed { prefix, separator, suffix }, Some(framing)) =
        (&profile.framing, request.get_mut("framing"))
    {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        *framing = json!({ "enclosed": {
            "prefix": text(prefix), "separator": text(separator), "suffix": text(suffix),
        } });
    }
    request
}
