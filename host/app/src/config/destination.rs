//! Destinations: where events go, as far as that can be checked without their formatter.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use siemaphore_delivery::ClientCertificate;
use siemaphore_http::{ClientConfig, EgressPolicy, check_url};
use siemaphore_model::{Severity, Subscription};
use siemaphore_pipeline::RetryPolicy;
use siemaphore_secrets::SecretReference;
use siemaphore_store::{DeadLetterLimit, Start};
use url::Url;

use crate::config::problem::{Path as Place, at};
use crate::config::{DEFAULT_ORGANIZATION, Problems, file, quantity, retry, tls};

/// A destination that is valid by itself.
#[derive(Debug)]
pub(crate) struct DestinationConfig {
    /// Its place among the destinations of the file.
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) organization: String,
    pub(crate) formatter: String,
    pub(crate) endpoint: Url,
    /// A JSON object.
    pub(crate) settings: String,
    /// As written; what is left out comes from the formatter.
    pub(crate) authentication: file::Authentication,
    pub(crate) subscription: Subscription,
    pub(crate) enabled: bool,
    pub(crate) client: ClientConfig,
    pub(crate) client_certificate: Option<ClientCertificate>,
    pub(crate) concurrency: usize,
    pub(crate) batch_events: Option<u32>,
    pub(crate) age_limit: Duration,
    pub(crate) start: Start,
    pub(crate) retry: RetryPolicy,
    pub(crate) events_per_second: Option<NonZeroU32>,
    pub(crate) dead_letter_limit: DeadLetterLimit,
}

impl DestinationConfig {
    /// Unique in the host.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.organization, self.name)
    }
}

/// Enough to hide the latency of a SIEM, little enough not to look like an attack on it.
const CONCURRENCY: u32 = 4;
const CONCURRENCY_LIMIT: u32 = 32;
/// Of a time-out or of an age: nothing could be delivered within less.
pub(crate) const SHORTEST: Duration = Duration::from_secs(1);
const AGE_LIMIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub(crate) fn all(
    problems: &mut Problems<'_>,
    written: &[file::Destination],
    egress: &Arc<EgressPolicy>,
    folder: &Path,
) -> Vec<DestinationConfig> {
    let mut ids = BTreeSet::new();
    for (index, destination) in written.iter().enumerate() {
        if !ids.insert((&destination.organization, &destination.name)) {
            let reason = format!("there are two destinations named `{}`", destination.name);
            problems.add(
                at!["destination", index, "name"],
                reason,
                "give each destination of an organisation its own name",
            );
        }
    }
    let each = written.iter().enumerate();
    each.filter_map(|(index, destination)| one(problems, index, destination, egress, folder)).collect()
}

fn one(
    problems: &mut Problems<'_>,
    index: usize,
    written: &file::Destination,
    egress: &Arc<EgressPolicy>,
    folder: &Path,
) -> Option<DestinationConfig> {
    check_name(problems, at!["destination", index, "name"], &written.name);
    let organization = written.organization.clone().unwrap_or_else(|| DEFAULT_ORGANIZATION.to_owned());
    check_name(problems, at!["destination", index, "organization"], &organization);
    let endpoint = endpoint(problems, index, written, egress);
    let subscription = subscription(problems, index, written);
    let client = client(problems, index, written, egress, folder);
    let client_certificate = tls::client_certificate(problems, index, written, folder);
    let authentication = authentication(problems, index, written);
    let settings = settings(problems, index, &written.settings);
    let concurrency = written.concurrency.unwrap_or(CONCURRENCY);
    if !(1..=CONCURRENCY_LIMIT).contains(&concurrency) {
        problems.add(
            at!["destination", index, "concurrency"],
            format!("{concurrency} requests at the same time is not possible"),
            format!("write a number from 1 to {CONCURRENCY_LIMIT}"),
        );
    }
    if written.batch_events == Some(0) {
        let path = at!["destination", index, "batch_events"];
        problems.add(path, "a request of 0 events delivers nothing", "write 1 or more, or leave it out");
    }
    let age_limit = duration(problems, index, "age_limit", written.age_limit.as_deref(), AGE_LIMIT);
    let start = start(problems, index, written.from.as_deref());
    let retry = retry::policy(problems, index, &written.retry, age_limit);
    let events_per_second = retry::rate(problems, index, written.events_per_second);
    let dead_letter_limit = retry::dead_letter_limit(problems, index, written);
    Some(DestinationConfig {
        index,
        name: written.name.clone(),
        organization,
        formatter: written.formatter.clone(),
        endpoint: endpoint?,
        settings: settings?,
        authentication,
        subscription: subscription?,
        enabled: written.enabled.unwrap_or(true),
        client,
        client_certificate,
        concurrency: concurrency as usize,
        batch_events: written.batch_events,
        age_limit,
        start,
        retry,
        events_per_second,
        dead_letter_limit,
    })
}

fn endpoint(
    problems: &mut Problems<'_>,
    index: usize,
    written: &file::Destination,
    egress: &EgressPolicy,
) -> Option<Url> {
    let path = at!["destination", index, "endpoint"];
    let parsed = Url::parse(&written.endpoint).map_err(|error| {
        let hint = "write a whole URL, such as \"https://splunk.example.com:8088\"";
        (format!("`{}` is not a URL: {error}", written.endpoint), hint.to_owned())
    });
    let url = problems.check(path.clone(), parsed)?;
    if let Err(error) = check_url(&url, egress, written.allow_plaintext) {
        problems.add(path, error.to_string(), error.hint());
        return None;
    }
    Some(url)
}

fn subscription(
    problems: &mut Problems<'_>,
    index: usize,
    written: &file::Destination,
) -> Option<Subscription> {
    let mut subscription = Subscription { projects: written.projects.clone(), ..Subscription::default() };
    if let Some(events) = &written.events {
        subscription.event_types.clone_from(events);
        if events.is_empty() {
            problems.add(
                at!["destination", index, "events"],
                "no pattern: this destination would get nothing",
                "write patterns such as \"dlp.*\", leave `events` out for everything, or set `enabled = false`",
            );
        }
    }
    let Some(word) = &written.minimum_severity else { return Some(subscription) };
    let known = Severity::ALL.into_iter().find(|severity| severity.as_str() == word);
    let words = Severity::ALL.map(Severity::as_str).join(", ");
    let severity =
        known.ok_or_else(|| (format!("`{word}` is not a severity"), format!("write one of: {words}")));
    subscription.minimum_severity =
        problems.check(at!["destination", index, "minimum_severity"], severity)?;
    Some(subscription)
}

fn client(
    problems: &mut Problems<'_>,
    index: usize,
    written: &file::Destination,
    egress: &Arc<EgressPolicy>,
    folder: &Path,
) -> ClientConfig {
    let default = ClientConfig::default();
    ClientConfig {
        ca_file: written.ca_file.as_ref().map(|file| folder.join(file)),
        pins: tls::pins(problems, index, written),
        egress: Arc::clone(egress),
        allow_plaintext: written.allow_plaintext,
        request_timeout: duration(
            problems,
            index,
            "timeout",
            written.timeout.as_deref(),
            default.request_timeout,
        ),
        ..default
    }
}

/// `secret` beside the table is the same as `secret` within it.
fn authentication(
    problems: &mut Problems<'_>,
    index: usize,
    written: &file::Destination,
) -> file::Authentication {
    let mut authentication = written.authentication.clone().unwrap_or_default();
    match (&written.secret, &authentication.secret) {
        (Some(_), Some(_)) => problems.add(
            at!["destination", index, "secret"],
            "the secret is given twice",
            "keep `secret`, or `authentication.secret`",
        ),
        (Some(secret), None) => authentication.secret = Some(secret.clone()),
        (None, _) => {}
    }
    authentication
}

fn settings(problems: &mut Problems<'_>, index: usize, table: &toml::Table) -> Option<String> {
    let json = serde_json::to_string(table).map_err(|error| {
        (
            format!("the settings cannot be written as JSON: {error}"),
            "use text, numbers, booleans, lists and tables".to_owned(),
        )
    });
    problems.check(at!["destination", index, "settings"], json)
}

fn duration(
    problems: &mut Problems<'_>,
    index: usize,
    key: &str,
    written: Option<&str>,
    default: Duration,
) -> Duration {
    let path = at!["destination", index, key];
    let parsed = written.and_then(|text| problems.check(path.clone(), quantity::duration(text)));
    if let Some(short) = parsed.filter(|duration| *duration < SHORTEST) {
        let reason = format!("`{key}` is {}, shorter than a second", humantime::format_duration(short));
        problems.add(path, reason, "write 1s or more");
    }
    parsed.unwrap_or(default)
}

fn start(problems: &mut Problems<'_>, index: usize, written: Option<&str>) -> Start {
    match written {
        None | Some("now") => Start::Now,
        Some("beginning") => Start::Beginning,
        Some(other) => {
            let reason = format!("`{other}` is not a place to begin at");
            problems.add(at!["destination", index, "from"], reason, "write \"now\" or \"beginning\"");
            Start::Now
        }
    }
}

/// Names end up in URLs, files and metrics, so they are plain.
pub(crate) fn check_name(problems: &mut Problems<'_>, path: Place, name: &str) {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) || name.starts_with('.') {
        problems.add(
            path,
            format!("`{name}` cannot be a name"),
            "use 1 to 64 letters, digits, `-`, `_` and `.`, not beginning with `.`",
        );
    }
}

pub(crate) fn secret_reference(
    problems: &mut Problems<'_>,
    path: Place,
    written: &str,
) -> Option<SecretReference> {
    // What is written here may be the secret itself, put in the wrong place: it is not repeated.
    let parsed = written.parse::<SecretReference>();
    problems.check(path, parsed.map_err(|error| (error.to_string(), error.hint().to_owned())))
}
