//! The last check before a host starts: against the formatters, the secrets and the files of this machine.
//!
//! Nothing is opened or bound here, so that a configuration that cannot work leaves nothing behind.

mod authentication;
mod source;

use std::sync::Arc;

use serde::Serialize;
use siemaphore_delivery::{GrantedProfile, Target, TargetConfig, TargetError};
use siemaphore_intake::{Schema, Signature};
use siemaphore_model::formatter::RequestProfile;
use siemaphore_registry::{Active, Outcome, Plugin, Registry};
use siemaphore_sandbox::{Configuration, ConfigureError, Sandbox, SandboxConfig};
use siemaphore_secrets::Secrets;
use tokio::task::spawn_blocking;

use crate::config::problem::{Document, Path, Problem, at, steps};
use crate::config::{Config, DestinationConfig, Problems, SourceConfig, nearest};

/// Everything that a host is started with.
pub(crate) struct Prepared {
    pub(crate) config: Ready,
    pub(crate) sandbox: Sandbox,
    pub(crate) registry: Arc<Registry>,
    pub(crate) sources: Vec<PreparedSource>,
    pub(crate) destinations: Vec<PreparedDestination>,
    /// For sources that ask servers.
    pub(crate) secrets: Arc<Secrets>,
}

/// What is left of a [`Config`] once its parts are prepared.
pub(crate) struct Ready {
    pub(crate) state: std::path::PathBuf,
    pub(crate) store: siemaphore_store::StoreConfig,
    pub(crate) intake: siemaphore_intake::IntakeConfig,
    pub(crate) intake_listen: std::net::SocketAddr,
    pub(crate) admin_listen: std::net::SocketAddr,
}

/// A source whose secrets are known, or whose files can be read.
pub(crate) struct PreparedSource {
    pub(crate) config: SourceConfig,
    /// None for a source that fetches: nobody may send in its name.
    pub(crate) token_digest: Option<[u8; 32]>,
    pub(crate) signature: Option<Signature>,
    pub(crate) schema: Option<Arc<Schema>>,
}

/// A destination whose formatter accepts its settings.
pub(crate) struct PreparedDestination {
    pub(crate) config: DestinationConfig,
    pub(crate) plugin: Plugin,
    pub(crate) target: Arc<Target>,
    request: String,
}

/// A source that asks a server, as `check` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct AskingLine {
    pub(crate) source: String,
    pub(crate) kind: &'static str,
    /// Without its query, which may hold what is not for everybody.
    pub(crate) url: String,
}

/// One line of what `check` prints.
#[derive(Debug, Serialize)]
pub(crate) struct SummaryLine {
    pub(crate) destination: String,
    pub(crate) request: String,
}

impl Prepared {
    /// Whom the host would ask for events.
    pub(crate) fn asked(&self) -> Vec<AskingLine> {
        let asked = self.sources.iter().filter_map(|source| {
            let kind = source.config.fetched()?;
            let mut url = kind.fetch()?.url.clone();
            url.set_query(None);
            Some(AskingLine { source: source.config.name.clone(), kind: kind.name(), url: url.into() })
        });
        asked.collect()
    }

    /// The request that each destination would make.
    pub(crate) fn summary(&self) -> Vec<SummaryLine> {
        let each = self.destinations.iter();
        each.map(|one| SummaryLine { destination: one.config.id(), request: one.request.clone() }).collect()
    }
}

/// Loads the formatters, resolves every secret, and configures every destination's formatter.
pub(crate) async fn prepare(config: Config) -> Result<Prepared, Vec<Problem>> {
    let Config {
        text,
        state,
        intake_listen,
        intake,
        admin_listen,
        store,
        plugins,
        sources,
        destinations,
        ..
    } = config;
    let (sandbox, registry) = load_formatters(plugins).await.map_err(|problem| vec![problem])?;
    let registry = Arc::new(registry);
    let document = Document::new(&text);
    let mut problems = Problems { document: &document, found: Vec::new() };
    let secrets = Arc::new(Secrets::new());
    let mut prepared_sources = Vec::new();
    for (index, source) in sources.into_iter().enumerate() {
        prepared_sources.extend(source::prepare(&mut problems, index, source, &secrets).await);
    }
    refuse_shared_tokens(&mut problems, &prepared_sources);
    let mut prepared_destinations = Vec::new();
    for destination in destinations {
        let prepared = prepare_destination(&mut problems, destination, &sandbox, &registry, &secrets).await;
        prepared_destinations.extend(prepared);
    }
    if !problems.found.is_empty() {
        return Err(problems.found);
    }
    Ok(Prepared {
        config: Ready { state, store, intake, intake_listen, admin_listen },
        sandbox,
        registry,
        sources: prepared_sources,
        destinations: prepared_destinations,
        secrets,
    })
}

async fn load_formatters(
    config: siemaphore_registry::RegistryConfig,
) -> Result<(Sandbox, Registry), Problem> {
    let load = move || {
        let sandbox = Sandbox::new(SandboxConfig::default()).map_err(|error| error.to_string())?;
        let bundled: Vec<(&'static str, &'static [u8])> =
            siemaphore_bundle::formatters().iter().map(|one| (one.name, one.component)).collect();
        let registry =
            Registry::open(sandbox.clone(), &bundled, config).map_err(|error| error.to_string())?;
        Ok((sandbox, registry))
    };
    let loaded = spawn_blocking(load).await.unwrap_or_else(|error| Err(error.to_string()));
    loaded.map_err(|reason: String| Problem {
        line: None,
        column: None,
        reason: format!("the formatters cannot be loaded: {reason}"),
        hint: "see the message; the built-in formatters need nothing but memory".to_owned(),
    })
}

/// A token says whose the events are, so it must belong to one source.
fn refuse_shared_tokens(problems: &mut Problems<'_>, sources: &[PreparedSource]) {
    for (index, source) in sources.iter().enumerate() {
        let same = |other: &&PreparedSource| {
            source.token_digest.is_some() && other.token_digest == source.token_digest
        };
        if let Some(other) = sources.iter().take(index).find(same) {
            problems.add(
                at!["source", index, "token"],
                format!("sources `{}` and `{}` have the same token", other.config.name, source.config.name),
                "give each source a token of its own",
            );
        }
    }
}

async fn prepare_destination(
    problems: &mut Problems<'_>,
    config: DestinationConfig,
    sandbox: &Sandbox,
    registry: &Arc<Registry>,
    secrets: &Arc<Secrets>,
) -> Option<PreparedDestination> {
    let index = config.index;
    let (plugin, active) = find_formatter(problems, &config, registry).await?;
    let description = active.formatter.description();
    let authentication = authentication::choose(problems, &config, description)?;
    let further_secrets = authentication::further_secrets(problems, &config, &authentication);
    for (place, reference) in authentication.secret().into_iter().chain(&further_secrets).enumerate() {
        let path = || authentication::place_of(&config, place);
        match secrets.resolve(reference).await {
            Err(error) => problems.add(path(), error.to_string(), error.hint()),
            Ok(secret) => {
                if let Err(error) = authentication.check_secret(&secret) {
                    problems.add(path(), format!("{reference}: {}", error.reason), error.hint);
                }
            }
        }
    }
    if let Some(reference) = authentication.session_token()
        && let Err(error) = secrets.resolve(reference).await
    {
        let path = at!["destination", index, "authentication", "session_token"];
        problems.add(path, error.to_string(), error.hint());
    }
    check_client_certificate(problems, &config, secrets).await;
    let target_config = TargetConfig {
        destination: config.id(),
        endpoint: config.endpoint.clone(),
        authentication: authentication.clone(),
        client: config.client.clone(),
        client_certificate: config.client_certificate.clone(),
        further_secrets,
    };
    let target = Target::new(target_config, Arc::clone(secrets));
    let target = match target {
        Ok(target) => target,
        Err(error) => {
            problems.add(place_of(index, &error), error.to_string(), error.hint());
            return None;
        }
    };
    let profile = configured(problems, &config, sandbox, &plugin, active).await?;
    let granted = GrantedProfile::check(&profile, &authentication, &config.endpoint);
    let granted = granted.map_err(|error| (error.to_string(), error.hint().to_owned()));
    let granted = problems.check(at!["destination", index, "formatter"], granted)?;
    let request = granted.summary().to_owned();
    Some(PreparedDestination { config, plugin, target: Arc::new(target), request })
}

/// Its dates are no question here: a certificate that expires must not keep a host from starting.
async fn check_client_certificate(
    problems: &mut Problems<'_>,
    config: &DestinationConfig,
    secrets: &Secrets,
) {
    let Some(certificate) = &config.client_certificate else { return };
    if let Err(error) = certificate.read(secrets).await {
        let key = if error.is_of_key() { "client_key" } else { "client_certificate" };
        problems.add(at!["destination", config.index, key], error.to_string(), error.hint());
    }
}

/// Which key of a destination makes a target impossible.
fn place_of(index: usize, error: &TargetError) -> Path {
    match error {
        TargetError::Endpoint(_) => at!["destination", index, "endpoint"],
        TargetError::TokenUrl(_) => at!["destination", index, "authentication", "token_url"],
        TargetError::Client(_) => at!["destination", index, "ca_file"],
    }
}

async fn find_formatter(
    problems: &mut Problems<'_>,
    config: &DestinationConfig,
    registry: &Arc<Registry>,
) -> Option<(Plugin, Arc<Active>)> {
    let name = &config.formatter;
    let path = at!["destination", config.index, "formatter"];
    let (asked, wanted) = (Arc::clone(registry), name.clone());
    let found = spawn_blocking(move || asked.get(&wanted)).await;
    let Some(plugin) = found.ok().flatten() else {
        problems.add(path, format!("there is no formatter `{name}`"), hint_for_missing(name, registry));
        return None;
    };
    // One that waits for an operator's word can say as well what it needs, and a host has to run for the word.
    let Some(active) = plugin.active().or_else(|| plugin.candidate()) else {
        let error = registry.list().into_iter().find(|one| &one.name == name).and_then(|one| one.error);
        let reason = error.unwrap_or_else(|| "it is not loaded".to_owned());
        problems.add(
            path,
            // The reason ends with what to do about it.
            format!("formatter `{name}` cannot be used: {reason}"),
            format!("`siemaphore plugin check {name}.wasm` tells more of a file, without a host"),
        );
        return None;
    };
    Some((plugin, active))
}

/// A name that is close may be meant; a file that is missing is as likely.
fn hint_for_missing(name: &str, registry: &Registry) -> String {
    let names = registry.names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let others = match nearest(name, &names) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("write one of: {}", names.join(", ")),
    };
    match registry.folder() {
        Some(folder) => format!("put {name}.wasm into {}; {others}", folder.display()),
        None => format!("{others}; a formatter of your own needs `folder` under [plugins]"),
    }
}

/// Of a new version that refuses what the one before accepts, the one before is asked: a host starts with what worked.
async fn configured(
    problems: &mut Problems<'_>,
    config: &DestinationConfig,
    sandbox: &Sandbox,
    plugin: &Plugin,
    active: Arc<Active>,
) -> Option<RequestProfile> {
    let error = match configure(config, sandbox, &active).await? {
        Ok(profile) => return Some(profile),
        Err(error) => error,
    };
    if !error.may_pass()
        && plugin.report(&active, Outcome::Unfit(&format!("for destination {}: {error}", config.id())))
        && let Some(active) = plugin.active()
    {
        let previous = configure(config, sandbox, &active).await?;
        return previous.inspect_err(|error| add_refusal(problems, config, error)).ok();
    }
    add_refusal(problems, config, &error);
    None
}

/// None when the host is stopping.
async fn configure(
    config: &DestinationConfig,
    sandbox: &Sandbox,
    active: &Arc<Active>,
) -> Option<Result<RequestProfile, ConfigureError>> {
    let configuration = Configuration { settings: config.settings.clone(), destination: config.id() };
    let formatter = active.formatter.clone();
    sandbox.run(move || formatter.configure(&configuration)).await.ok()
}

fn add_refusal(problems: &mut Problems<'_>, config: &DestinationConfig, error: &ConfigureError) {
    let ConfigureError::Refused(refused) = error else {
        let hint = "replace the plugin file with a version that works";
        problems.add(at!["destination", config.index, "formatter"], error.to_string(), hint);
        return;
    };
    for problem in refused {
        let mut path = at!["destination", config.index, "settings"];
        path.extend(steps(&problem.pointer));
        let reason = format!("formatter `{}` refuses the settings: {}", config.formatter, problem.message);
        let hint = format!(
            "`siemaphore plugin inspect {}` shows every setting and a working example",
            config.formatter
        );
        problems.add(path, reason, hint);
    }
}
