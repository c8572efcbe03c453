//! Sources: who may send events, and where the host gets them.

mod credential;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use siemaphore_http::EgressPolicy;
use siemaphore_model::normalise::Normaliser;
use siemaphore_model::profile;
use siemaphore_model::redaction::Redaction;
use siemaphore_sources::Kind;

pub(crate) use self::credential::{Credential, SigningScheme};
use crate::config::fetch::{self, Way};
use crate::config::problem::at;
use crate::config::profile::Profiles;
use crate::config::{DEFAULT_ORGANIZATION, Problems, destination, file, nearest};

/// A source that is valid by itself.
#[derive(Debug)]
pub(crate) struct SourceConfig {
    pub(crate) name: String,
    pub(crate) organization: String,
    pub(crate) way: SourceWay,
    /// How its events are read.
    pub(crate) profile: String,
    pub(crate) normaliser: Arc<Normaliser>,
    /// The file of the schema that its events have to fit.
    pub(crate) schema: Option<PathBuf>,
    pub(crate) events_per_second: Option<u32>,
}

/// How its events come in.
#[derive(Debug)]
pub(crate) enum SourceWay {
    /// Sent to the intake.
    Http {
        credential: Credential,
    },
    Fetched(Kind),
}

impl SourceConfig {
    /// As the configuration names it.
    pub(crate) fn kind(&self) -> &'static str {
        self.fetched().map_or("http", Kind::name)
    }

    pub(crate) fn fetched(&self) -> Option<&Kind> {
        match &self.way {
            SourceWay::Http { .. } => None,
            SourceWay::Fetched(kind) => Some(kind),
        }
    }
}

/// Relative paths start at `folder`.
pub(crate) fn all(
    problems: &mut Problems<'_>,
    written: &[file::Source],
    profiles: &Profiles,
    egress: &Arc<EgressPolicy>,
    folder: &Path,
) -> Vec<SourceConfig> {
    let mut names = BTreeSet::new();
    for (index, source) in written.iter().enumerate() {
        if !names.insert(&source.name) {
            let reason = format!("there are two sources named `{}`", source.name);
            problems.add(at!["source", index, "name"], reason, "give each source its own name");
        }
    }
    let each = written.iter().enumerate();
    each.filter_map(|(index, source)| one(problems, index, source, profiles, egress, folder)).collect()
}

fn one(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
    profiles: &Profiles,
    egress: &Arc<EgressPolicy>,
    folder: &Path,
) -> Option<SourceConfig> {
    destination::check_name(problems, at!["source", index, "name"], &source.name);
    let organization = source.organization.clone().unwrap_or_else(|| DEFAULT_ORGANIZATION.to_owned());
    destination::check_name(problems, at!["source", index, "organization"], &organization);
    let way = match fetch::way(problems, index, source) {
        None => None,
        Some(Way::Http) => {
            credential::of(problems, index, source).map(|credential| SourceWay::Http { credential })
        }
        Some(Way::File) => fetch::files(problems, index, source, folder).map(SourceWay::Fetched),
        Some(Way::Sse) => fetch::stream(problems, index, source, egress, folder).map(SourceWay::Fetched),
        Some(Way::Pull) => fetch::export(problems, index, source, egress, folder).map(SourceWay::Fetched),
    };
    let normaliser = normaliser(problems, index, source, profiles);
    let refuse = refuses_unknown_versions(problems, index, source);
    let (normaliser, refuse) = normaliser.zip(refuse)?;
    let normaliser = if refuse { normaliser.refusing_unknown_versions() } else { normaliser };
    Some(SourceConfig {
        name: source.name.clone(),
        organization,
        way: way?,
        profile: source.profile.clone().unwrap_or_else(|| profile::AUTO.to_owned()),
        normaliser: Arc::new(normaliser),
        schema: source.schema.as_ref().map(|file| folder.join(file)),
        events_per_second: source.events_per_second,
    })
}

fn refuses_unknown_versions(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
) -> Option<bool> {
    match source.unknown_schema_version.as_deref() {
        None | Some("accept") => Some(false),
        Some("refuse") => Some(true),
        Some(other) => {
            let reason = format!("`{other}` is not what can become of an event");
            let path = at!["source", index, "unknown_schema_version"];
            problems.add(path, reason, "write \"accept\" or \"refuse\"");
            None
        }
    }
}

fn normaliser(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
    profiles: &Profiles,
) -> Option<Normaliser> {
    let profile = source.profile.as_deref().unwrap_or(profile::AUTO);
    // What is wrong with that one has been said.
    if profiles.broken.iter().any(|broken| broken == profile) {
        return None;
    }
    let redaction = if source.redact.unwrap_or(true) { Redaction::default() } else { Redaction::off() };
    let normaliser = Normaliser::with_profiles(&profiles.own, profile, &redaction).map_err(|error| {
        let mut known: Vec<&str> = profile::names().collect();
        known.extend(profiles.own.iter().map(|profile| profile.name.as_str()));
        let hint = match nearest(profile, &known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write \"auto\" or one of: {}; or a [[profile]] of your own", known.join(", ")),
        };
        (error.to_string(), hint)
    });
    problems.check(at!["source", index, "profile"], normaliser)
}
