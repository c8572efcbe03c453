//! Sources: who may send events, and where the host gets them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use siemaphore_model::normalise::Normaliser;
use siemaphore_model::profile;
use siemaphore_model::redaction::Redaction;
use siemaphore_secrets::SecretReference;
use siemaphore_sources::Kind;

use crate::config::fetch::{self, Way};
use crate::config::problem::at;
use crate::config::{DEFAULT_ORGANIZATION, Problems, destination, file, nearest};

/// A source that is valid by itself.
#[derive(Debug)]
pub(crate) struct SourceConfig {
    pub(crate) name: String,
    pub(crate) organization: String,
    pub(crate) way: SourceWay,
    pub(crate) normaliser: Arc<Normaliser>,
    pub(crate) events_per_second: Option<u32>,
}

/// How its events come in.
#[derive(Debug)]
pub(crate) enum SourceWay {
    /// Sent to the intake with this bearer token.
    Http {
        token: SecretReference,
    },
    Fetched(Kind),
}

impl SourceConfig {
    pub(crate) fn fetched(&self) -> Option<&Kind> {
        match &self.way {
            SourceWay::Http { .. } => None,
            SourceWay::Fetched(kind) => Some(kind),
        }
    }
}

/// Relative paths start at `folder`.
pub(crate) fn all(problems: &mut Problems<'_>, written: &[file::Source], folder: &Path) -> Vec<SourceConfig> {
    let mut names = BTreeSet::new();
    for (index, source) in written.iter().enumerate() {
        if !names.insert(&source.name) {
            let reason = format!("there are two sources named `{}`", source.name);
            problems.add(at!["source", index, "name"], reason, "give each source its own name");
        }
    }
    let each = written.iter().enumerate();
    each.filter_map(|(index, source)| one(problems, index, source, folder)).collect()
}

fn one(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
    folder: &Path,
) -> Option<SourceConfig> {
    destination::check_name(problems, at!["source", index, "name"], &source.name);
    let organization = source.organization.clone().unwrap_or_else(|| DEFAULT_ORGANIZATION.to_owned());
    destination::check_name(problems, at!["source", index, "organization"], &organization);
    let way = match fetch::way(problems, index, source) {
        None => None,
        Some(Way::Http) => token(problems, index, source).map(|token| SourceWay::Http { token }),
        Some(Way::File) => fetch::files(problems, index, source, folder).map(SourceWay::Fetched),
    };
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
        way: way?,
        normaliser: Arc::new(normaliser),
        events_per_second: source.events_per_second,
    })
}

fn token(problems: &mut Problems<'_>, index: usize, source: &file::Source) -> Option<SecretReference> {
    let Some(token) = &source.token else {
        let reason = format!("source `{}` has no token", source.name);
        problems.add(
            at!["source", index],
            reason,
            "write `token = \"env:NAME\"` or `token = \"file:/path\"`",
        );
        return None;
    };
    destination::secret_reference(problems, at!["source", index, "token"], token)
}
