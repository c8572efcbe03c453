//! The configuration: what the operator wrote, checked, and turned into what the stages take.
//!
//! Three shapes, each made from the one before: [`file::File`] (as written), [`Config`] (complete and valid by
//! itself), and [`prepare::Prepared`] (also valid against the formatters and the machine: secrets are there, settings
//! are accepted). Only the last can start a host, so a host never starts half.

mod destination;
mod fetch;
mod file;
mod outline;
mod parse;
pub(crate) mod plugin;
pub(crate) mod prepare;
mod problem;
mod profile;
mod quantity;
mod retry;
mod section;
mod source;
mod tls;
mod unconnected;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use siemaphore_intake::IntakeConfig;
use siemaphore_model::Profile;
use siemaphore_registry::RegistryConfig;
use siemaphore_store::StoreConfig;

pub(crate) use crate::config::destination::DestinationConfig;
pub(crate) use crate::config::outline::{PluginPlace, plugin_place, state_folder, store_config};
use crate::config::problem::Document;
pub(crate) use crate::config::problem::Problem;
pub(crate) use crate::config::source::{Credential, SigningScheme, SourceConfig, SourceWay};
pub(crate) use crate::config::unconnected::unconnected;
use crate::log::LogConfig;

/// A configuration that is complete and valid by itself.
pub(crate) struct Config {
    /// What is wrong later is still shown with its line.
    pub(crate) text: String,
    pub(crate) state: PathBuf,
    pub(crate) intake_listen: SocketAddr,
    pub(crate) intake: IntakeConfig,
    pub(crate) admin_listen: SocketAddr,
    pub(crate) store: StoreConfig,
    pub(crate) plugins: RegistryConfig,
    pub(crate) log: LogConfig,
    pub(crate) sources: Vec<SourceConfig>,
    pub(crate) destinations: Vec<DestinationConfig>,
}

/// Events of sources and destinations that name no organisation belong to this one.
const DEFAULT_ORGANIZATION: &str = "default";
const DEFAULT_STATE: &str = "state";

/// Reads and checks a file. Every problem that can be found is reported, not only the first.
pub(crate) fn load(path: &Path) -> Result<Config, Vec<Problem>> {
    let text = read(path).map_err(|problem| vec![problem])?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    from_text(text, folder)
}

/// The profiles of a file. A mistake elsewhere in it does not keep them from being tried.
pub(crate) fn own_profiles(path: &Path) -> Result<Vec<Profile>, Vec<Problem>> {
    let text = read(path).map_err(|problem| vec![problem])?;
    let file = parse::parse(&text).map_err(|problem| vec![problem])?;
    let document = Document::new(&text);
    let mut problems = Problems { document: &document, found: Vec::new() };
    let profiles = profile::all(&mut problems, &file.profile);
    if problems.found.is_empty() { Ok(profiles.own) } else { Err(problems.found) }
}

/// Checks a configuration whose relative paths start at `folder`.
pub(crate) fn from_text(text: String, folder: &Path) -> Result<Config, Vec<Problem>> {
    let file = parse::parse(&text).map_err(|problem| vec![problem])?;
    let document = Document::new(&text);
    let mut problems = Problems { document: &document, found: Vec::new() };
    let state = folder.join(file.state.as_deref().unwrap_or(DEFAULT_STATE));
    let parts = (
        section::listen(&mut problems, "intake", file.intake.listen.as_deref(), file.intake.behind_proxy),
        section::listen(&mut problems, "admin", file.admin.listen.as_deref(), file.admin.behind_proxy),
        section::intake(&mut problems, &file.intake),
        section::egress(&mut problems, &file.egress),
        plugin::all(&mut problems, &file.plugins, &file.plugin, folder, &state),
        section::log(&mut problems, &file.log),
    );
    section::state(&mut problems, &state);
    section::different(&mut problems, parts.0, parts.1);
    let store = section::store(&mut problems, &file.store, &state);
    let profiles = profile::all(&mut problems, &file.profile);
    let egress = Arc::new(parts.3);
    let sources = source::all(&mut problems, &file.source, &profiles, &egress, folder);
    let destinations = destination::all(&mut problems, &file.destination, &egress, folder);
    let found = problems.found;
    if !found.is_empty() {
        return Err(found);
    }
    let (intake_listen, admin_listen, intake, _, plugins, log) = parts;
    let (Some(intake_listen), Some(admin_listen)) = (intake_listen, admin_listen) else { return Err(found) };
    Ok(Config {
        state,
        intake_listen,
        intake,
        admin_listen,
        store,
        plugins,
        log,
        sources,
        destinations,
        text,
    })
}

fn read(path: &Path) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|error| Problem {
        line: None,
        column: None,
        reason: format!("cannot read {}: {error}", path.display()),
        hint: "name the configuration with --config FILE, or see docs/configuration.md for one to start from"
            .to_owned(),
    })
}

/// A name that differs by little enough to be a slip of the finger.
pub(crate) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |name: &&str| strsim::damerau_levenshtein(written, name);
    let best = known.iter().copied().min_by_key(distance)?;
    (distance(&best) <= 1 + written.len() / 3).then_some(best)
}

/// Problems found so far, and the document that tells their places.
pub(crate) struct Problems<'a> {
    document: &'a Document<'a>,
    found: Vec<Problem>,
}

impl Problems<'_> {
    pub(crate) fn add(&mut self, path: problem::Path, reason: impl Into<String>, hint: impl Into<String>) {
        self.found.push(self.document.problem(&path, reason, hint));
    }

    /// Keeps a value or adds what is wrong with it.
    pub(crate) fn check<T>(&mut self, path: problem::Path, value: Result<T, (String, String)>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err((reason, hint)) => {
                self.add(path, reason, hint);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
