//! The formatters: of the running host, or as they load here.

use std::sync::Arc;

use serde::Deserialize;
use siemaphore_registry::{Origin, PluginStatus};
use tokio::task::spawn_blocking;

use crate::command::adoption::Use;
use crate::command::doctor::configuration::Configured;
use crate::command::doctor::finding::Finding;
use crate::config::prepare::Prepared;
use crate::control::Client;

/// As the host's API calls it.
const BUILT_IN: &str = "builtin";

#[derive(Deserialize)]
struct Plugin {
    name: String,
    origin: String,
    state: String,
    version: Option<String>,
    digest: Option<String>,
    error: Option<String>,
    /// The version that waits for a word.
    candidate: Option<Candidate>,
    destinations: Vec<Use>,
}

#[derive(Deserialize)]
struct Candidate {
    version: String,
}

pub(crate) async fn check(configured: &Configured, client: Option<&Client>) -> Vec<Finding> {
    let plugins: Vec<Plugin> = match client.filter(|client| client.is_host()) {
        Some(client) => match client.get("/v1/plugins").await {
            Ok(plugins) => plugins,
            Err(error) => return vec![Finding::error("plugins", &error, "see the log of the host")],
        },
        None => match &configured.prepared {
            Some(prepared) => prepared_plugins(prepared).await,
            None => return Vec::new(),
        },
    };
    // What is built in and used by no destination has nothing to be checked.
    let loaded = plugins.iter().filter(|plugin| plugin.state != "available");
    let (idle, used): (Vec<&Plugin>, Vec<&Plugin>) = loaded.partition(|plugin| plugin.is_idle());
    let each = used.iter().flat_map(|plugin| [finding(plugin)].into_iter().chain(not_adopted(plugin)));
    each.chain(all_idle(&idle)).collect()
}

/// As they load here, for the destinations that a host would deliver to.
async fn prepared_plugins(prepared: &Prepared) -> Vec<Plugin> {
    let registry = Arc::clone(&prepared.registry);
    let looked = spawn_blocking(move || registry.reload()).await;
    let enabled = || prepared.destinations.iter().filter(|destination| destination.config.enabled);
    let plugins = looked.unwrap_or_default().into_iter().map(|status| {
        let users = enabled().filter(|destination| destination.plugin.name() == status.name);
        let destinations = users.map(|destination| Use::of(destination.config.id())).collect();
        Plugin { destinations, ..Plugin::from(status) }
    });
    plugins.collect()
}

/// One line for all that only destinations have which are disabled.
fn all_idle(idle: &[&Plugin]) -> Option<Finding> {
    let names: Vec<&str> = idle.iter().map(|plugin| plugin.name.as_str()).collect();
    let text = || format!("built in, and no enabled destination uses them: {}", names.join(", "));
    (!names.is_empty()).then(|| Finding::ok("plugins not in use", text()))
}

impl Plugin {
    /// Built in, in order, and used by nobody.
    fn is_idle(&self) -> bool {
        self.origin == BUILT_IN && self.destinations.is_empty() && self.error.is_none()
    }
}

/// One for each destination that keeps another version than the active one.
fn not_adopted(plugin: &Plugin) -> impl Iterator<Item = Finding> {
    plugin.destinations.iter().filter_map(|one| {
        let told = one.told()?;
        Some(Finding::warning(
            format!("plugin {} for {}", plugin.name, one.destination),
            told.text,
            told.hint,
        ))
    })
}

impl From<PluginStatus> for Plugin {
    fn from(status: PluginStatus) -> Plugin {
        let state = status.state.as_str().to_owned();
        Plugin {
            name: status.name,
            origin: match status.origin {
                Origin::Builtin => BUILT_IN.to_owned(),
                Origin::File(path) => path.display().to_string(),
            },
            state,
            version: status.version,
            digest: status.digest,
            error: status.error,
            candidate: status.candidate.map(|candidate| Candidate { version: candidate.version }),
            destinations: Vec::new(),
        }
    }
}

fn finding(plugin: &Plugin) -> Finding {
    let Plugin { name, state, version, digest, error, candidate, .. } = plugin;
    let check = format!("plugin {name}");
    let digest: String = digest.iter().flat_map(|digest| digest.chars().take(12)).collect();
    let text = format!("{} {digest} is {state}", version.as_deref().unwrap_or("no version"));
    if let Some(Candidate { version }) = candidate {
        if state == "waiting" {
            let text = format!("version {version} waits for a word, and no other is there");
            return Finding::failed(
                check,
                text,
                format!("`siemaphore plugin promote {name}` lets it format"),
            );
        }
        let fix =
            format!("compare them with `siemaphore plugin diff`, then `siemaphore plugin promote {name}`");
        return Finding::warning(check, format!("{text}, and version {version} waits for a word"), fix);
    }
    let Some(error) = error else {
        let unused = "`siemaphore plugin inspect FILE` tells what is in the file";
        return if state == "active" {
            Finding::ok(check, text)
        } else {
            Finding::warning(check, text, unused)
        };
    };
    // It ends with what to do about it.
    let (error, fix) = error.rsplit_once("; ").unwrap_or((error, "see the log of the host"));
    match state.as_str() {
        // The version from before goes on.
        "active" => {
            Finding::warning(check, format!("{text}, but the file that is there now is not: {error}"), fix)
        }
        _ => Finding::failed(check, format!("{text}: {error}"), fix),
    }
}
