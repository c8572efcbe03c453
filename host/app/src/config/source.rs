//! Sources: who may send events.

use std::collections::BTreeSet;
use std::sync::Arc;

use siemaphore_model::normalise::Normaliser;
use siemaphore_model::profile;
use siemaphore_model::redaction::Redaction;
use siemaphore_secrets::SecretReference;

use crate::config::problem::at;
use crate::config::{DEFAULT_ORGANIZATION, Problems, destination, file, nearest};

/// A source that is valid by itself.
#[derive(Debug)]
pub(crate) struct SourceConfig {
    pub(crate) name: String,
    pub(crate) organization: String,
    pub(crate) token: SecretReference,
    pub(crate) normaliser: Arc<Normaliser>,
    pub(crate) events_per_second: Option<u32>,
}

pub(crate) fn all(problems: &mut Problems<'_>, written: &[file::Source]) -> Vec<SourceConfig> {
    let mut names = BTreeSet::new();
    for (index, source) in written.iter().enumerate() {
        if !names.insert(&source.name) {
            let reason = format!("there are two sources named `{}`", source.name);
            problems.add(at!["source", index, "name"], reason, "give each source its own name");
        }
    }
    written.iter().enumerate().filter_map(|(index, source)| one(problems, index, source)).collect()
}

fn one(problems: &mut Problems<'_>, index: usize, source: &file::Source) -> Option<SourceConfig> {
    destination::check_name(problems, at!["source", index, "name"], &source.name);
    let organization = source.organization.clone().unwrap_or_else(|| DEFAULT_ORGANIZATION.to_owned());
    destination::check_name(problems, at!["source", index, "organization"], &organization);
    let token = destination::secret_reference(problems, at!["source", index, "token"], &source.token);
    let profile = source.profile.as_deref().unwrap_or("auto");
    let redaction = if source.redact.unwrap_or(true) { Redaction::default() } else { Redaction::off() };
    let normaliser = Normaliser::new(profile, &redaction).map_err(|error| {
        let known: Vec<&str> = profile::names().collect();
        let hint = match nearest(profile, &known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write \"auto\" or one of: {}", known.join(", ")),
        };
        (error.to_string(), hint)
    });
    let normaliser = problems.check(at!["source", index, "profile"], normaliser)?;
    Some(SourceConfig {
        name: source.name.clone(),
        organization,
        token: token?,
        normaliser: Arc::new(normaliser),
        events_per_second: source.events_per_second,
    })
}
