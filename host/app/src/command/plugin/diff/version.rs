//! One of the two versions: loaded, configured, and asked for the record of each event.

use anyhow::{Context as _, Result, anyhow};
use serde_json::{Map, Value, json};
use siemaphore_model::Event;
use siemaphore_model::formatter::{Framing, RequestProfile};
use siemaphore_sandbox::{Configuration, Formatter};

use crate::command::plugin::offline::Named;
use crate::command::plugin::outcome::{Outcome, Trial};

pub(crate) struct Version {
    pub(crate) named: Named,
    trial: Trial,
    pub(crate) profile: RequestProfile,
}

impl Version {
    pub(crate) fn load(named: Named) -> Result<(Named, Formatter)> {
        let formatter = named.load()?;
        Ok((named, formatter))
    }

    pub(crate) fn configured((named, formatter): (Named, Formatter), settings: &str) -> Result<Version> {
        let configuration = Configuration { settings: settings.to_owned(), destination: "diff".to_owned() };
        let profile = formatter.configure(&configuration).map_err(|error| {
            anyhow!("{named}: {error}\n  hint: give settings that both take: --settings JSON, or --destination NAME")
        })?;
        Ok(Version { named, trial: Trial::new(formatter, configuration), profile })
    }

    /// An outcome for each event, in order.
    pub(crate) fn outcomes(&mut self, events: &[Event<'_>]) -> Result<Vec<Outcome>> {
        self.trial.outcomes(events).with_context(|| self.named.to_string())
    }

    pub(crate) fn as_json(&self) -> Value {
        json!({
            "plugin": self.named.name,
            "file": self.named.path,
            "version": self.trial.formatter.description().version,
            "digest": self.named.digest(),
        })
    }

    pub(crate) fn title(&self) -> String {
        let digest: String = self.named.digest().chars().take(12).collect();
        format!("{}   version {}   {digest}", self.named, self.trial.formatter.description().version)
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
