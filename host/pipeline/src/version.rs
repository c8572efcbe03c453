//! A formatter as one destination uses it: the component, its settings, and the request that was granted to it.

use std::num::NonZeroU32;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
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
    /// Trying again may help, without anybody's doing.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            VersionError::Formatter(error) => error.may_pass(),
            VersionError::Store(_) => true,
            VersionError::Grant(_) | VersionError::WaitsForPromotion { .. } | VersionError::Stopping => false,
        }
    }

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
    let plugin = active.formatter.plugin().to_owned();
    let configured = sandbox.run_for(&plugin, move || active.formatter.configure(&configuration)).await;
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
    let before = store.granted(&config.destination).await?;
    let granted = before.as_ref().and_then(Granted::read);
    let asks = Request { plugin_digest: active.digest.clone(), profile: asked.clone() };
    if let Some(granted) = granted.as_ref().filter(|granted| granted.needs_word(&config.settings, &asks))
        && consent == Consent::Needed
    {
        let granted = target.grant(&granted.request.profile)?;
        return Err(VersionError::WaitsForPromotion {
            version: active.version.clone(),
            asked: profile.summary().to_owned(),
            granted: granted.summary().to_owned(),
        });
    }
    let grant = Granted::now(&config.settings, asks, granted).write();
    if before.as_ref() == Some(&grant) {
        return Ok(());
    }
    tracing::info!(
        destination = config.destination,
        request = profile.summary(),
        "granted the formatter's request"
    );
    Ok(store.grant(&config.destination, grant).await?)
}

/// The request that one version of a plugin asks for.
#[derive(Debug, Clone, PartialEq)]
struct Request {
    plugin_digest: String,
    profile: RequestProfile,
}

/// What was granted to a destination's formatter.
#[derive(Debug, Clone, PartialEq)]
struct Granted {
    settings: String,
    request: Request,
    /// What the version before was granted, so that there is a way back to it.
    earlier: Option<Request>,
}

/// The part of a grant that the store keeps as text.
#[derive(Serialize, Deserialize)]
struct Text {
    settings: String,
    profile: RequestProfile,
    #[serde(default)]
    earlier: Option<(String, RequestProfile)>,
}

impl Granted {
    /// A version that asks for the same as the one before leaves what there is of a way back to another request.
    fn now(settings: &str, request: Request, before: Option<Granted>) -> Granted {
        let earlier = before.and_then(|before| match before.request.profile == request.profile {
            true => before.earlier,
            false => Some(before.request),
        });
        Granted { settings: settings.to_owned(), request, earlier }
    }

    /// A change that the operator made in the configuration is the operator's word; only another plugin needs one, and not
    /// when this very one was granted the same before.
    fn needs_word(&self, settings: &str, asks: &Request) -> bool {
        self.settings == settings
            && self.request.profile != asks.profile
            && self.earlier.as_ref() != Some(asks)
    }

    fn read(grant: &Grant) -> Option<Granted> {
        let Text { settings, profile, earlier } = serde_json::from_str(&grant.profile).ok()?;
        let request = Request { plugin_digest: grant.plugin_digest.clone(), profile };
        let earlier = earlier.map(|(plugin_digest, profile)| Request { plugin_digest, profile });
        Some(Granted { settings, request, earlier })
    }

    fn write(self) -> Grant {
        let Granted { settings, request, earlier } = self;
        let earlier = earlier.map(|earlier| (earlier.plugin_digest, earlier.profile));
        let text = Text { settings, profile: request.profile, earlier };
        Grant {
            plugin_digest: request.plugin_digest,
            profile: serde_json::to_string(&text).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use siemaphore_model::formatter::{Framing, Method};

    use super::*;

    fn asks(plugin_digest: &str, path: &str) -> Request {
        let profile = RequestProfile {
            method: Method::Post,
            path: path.to_owned(),
            query: Vec::new(),
            content_type: "application/json".to_owned(),
            headers: Vec::new(),
            follow_up_path: None,
            sticky: false,
            framing: Framing::JsonArray,
            limits: Limits { records: 1, body_bytes: 1, record_bytes: 1 },
            compression: Vec::new(),
            probe: None,
            replay_window: None,
        };
        Request { plugin_digest: plugin_digest.to_owned(), profile }
    }

    #[test]
    fn the_way_back_to_another_request_outlives_versions_that_ask_for_the_same() {
        let first = Granted::now("{}", asks("first", "/a"), None);
        let second = Granted::now("{}", asks("second", "/b"), Some(first));
        assert!(!second.needs_word("{}", &asks("first", "/a")));
        let third = Granted::now("{}", asks("third", "/b"), Some(second));
        assert!(!third.needs_word("{}", &asks("first", "/a")), "the second may never have worked");
        assert!(third.needs_word("{}", &asks("fourth", "/a")), "that was granted to the first only");
    }
}
