//! A formatter as one destination uses it: the component, its settings, and the request that was granted to it.

use std::num::NonZeroU32;
use std::sync::Arc;

use siemaphore_delivery::{GrantError, GrantedProfile, Target};
use siemaphore_model::formatter::{Limits, RequestProfile};
use siemaphore_registry::Active;
use siemaphore_sandbox::{Configuration, ConfigureError, Sandbox};
use siemaphore_store::{Grant, Store};

use crate::PipelineConfig;

/// Everything that decides which bytes an event becomes. A batch belongs to one version.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) active: Arc<Active>,
    pub(crate) configuration: Configuration,
    pub(crate) profile: GrantedProfile,
}

/// Why a version cannot be used by a destination.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VersionError {
    #[error(transparent)]
    Formatter(#[from] ConfigureError),
    #[error("the formatter asks for a request that cannot be granted: {0}")]
    Grant(#[from] GrantError),
    #[error("version {version} asks for another request than was granted: `{asked}` instead of `{granted}`")]
    WaitsForPromotion { version: String, asked: String, granted: String },
    #[error("the host is stopping")]
    Stopping,
    #[error(transparent)]
    Store(#[from] siemaphore_store::StoreError),
}

impl VersionError {
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            VersionError::Formatter(ConfigureError::Refused(_)) => {
                "mend the destination's settings in the configuration"
            }
            VersionError::Formatter(_) => "replace the plugin file with a version that works",
            VersionError::Grant(_) => "tell the formatter's author; the built-in ones are not affected",
            VersionError::WaitsForPromotion { .. } => {
                "look at both requests, then run `siemaphore plugin promote NAME` to allow the new one"
            }
            VersionError::Stopping | VersionError::Store(_) => "see the log of the host",
        }
    }
}

/// Whose word a changed request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// The operator has just said so.
    Given,
    /// A request that differs from the granted one waits.
    Needed,
}

/// Configures `active` for this destination and grants its request, or says why not.
pub(crate) async fn establish(
    config: &PipelineConfig,
    sandbox: &Sandbox,
    store: &Store,
    target: &Target,
    active: Arc<Active>,
    consent: Consent,
) -> Result<Version, VersionError> {
    let configuration =
        Configuration { settings: config.settings.clone(), destination: config.destination.clone() };
    let asked = configure(sandbox, &active, &configuration).await?;
    let profile = target.grant(&asked)?;
    remember(config, store, target, &active, &asked, &profile, consent).await?;
    let profile = target.grant(&within(asked, config))?;
    Ok(Version { active, configuration, profile })
}

/// A version for a look at its requests: nothing is compared with what was granted before, and nothing stored.
pub(crate) async fn configured(
    config: &PipelineConfig,
    sandbox: &Sandbox,
    target: &Target,
    active: Arc<Active>,
) -> Result<Version, VersionError> {
    let configuration =
        Configuration { settings: config.settings.clone(), destination: config.destination.clone() };
    let asked = configure(sandbox, &active, &configuration).await?;
    Ok(Version { active, configuration, profile: target.grant(&asked)? })
}

async fn configure(
    sandbox: &Sandbox,
    active: &Arc<Active>,
    configuration: &Configuration,
) -> Result<RequestProfile, VersionError> {
    let (active, configuration) = (Arc::clone(active), configuration.clone());
    let configured = sandbox.run(move || active.formatter.configure(&configuration)).await;
    Ok(configured.map_err(|_| VersionError::Stopping)??)
}

/// The operator's own caps on events in one request: at most what may go in a second. Not part of what was asked and
/// granted.
fn within(asked: RequestProfile, config: &PipelineConfig) -> RequestProfile {
    let caps = config.batch_events.into_iter().chain(config.events_per_second.map(NonZeroU32::get));
    let records = caps.fold(asked.limits.records, u32::min);
    RequestProfile { limits: Limits { records, ..asked.limits }, ..asked }
}

/// Compares with what was granted before, and stores what is granted now.
async fn remember(
    config: &PipelineConfig,
    store: &Store,
    target: &Target,
    active: &Active,
    asked: &RequestProfile,
    profile: &GrantedProfile,
    consent: Consent,
) -> Result<(), VersionError> {
    let grant = Grant {
        plugin_digest: active.digest.clone(),
        profile: serde_json::to_string(&Granted {
            settings: config.settings.clone(),
            profile: asked.clone(),
        })
        .unwrap_or_default(),
    };
    let before = store.granted(&config.destination).await?;
    if before.as_ref() == Some(&grant) {
        return Ok(());
    }
    let granted = before.and_then(|grant| serde_json::from_str::<Granted>(&grant.profile).ok());
    // A change that the operator made in the configuration is the operator's word; only a new plugin needs another.
    if let Some(granted) =
        granted.filter(|granted| granted.settings == config.settings && granted.profile != *asked)
        && consent == Consent::Needed
    {
        let granted = target.grant(&granted.profile)?;
        return Err(VersionError::WaitsForPromotion {
            version: active.version.clone(),
            asked: profile.summary().to_owned(),
            granted: granted.summary().to_owned(),
        });
    }
    tracing::info!(
        destination = config.destination,
        request = profile.summary(),
        "granted the formatter's request"
    );
    Ok(store.grant(&config.destination, grant).await?)
}

/// What the store keeps of a grant.
#[derive(serde::Serialize, serde::Deserialize)]
struct Granted {
    settings: String,
    profile: RequestProfile,
}
