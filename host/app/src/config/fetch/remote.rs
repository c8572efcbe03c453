//! Sources that ask a server: whom, and with which credential.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use siemaphore_delivery::{Authentication, FetchConfig};
use siemaphore_http::{ClientConfig, EgressPolicy, check_url};
use siemaphore_secrets::SecretReference;
use url::Url;

use crate::config::problem::{Path as Place, at};
use crate::config::{Problems, destination, file, nearest, quantity};

/// Relative paths start at `folder`.
pub(super) fn fetch(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
    egress: &Arc<EgressPolicy>,
    folder: &Path,
) -> Option<FetchConfig> {
    let allow_plaintext = source.allow_plaintext.unwrap_or(false);
    let url = url(problems, index, source, egress, allow_plaintext);
    let authentication = authentication(problems, index, source);
    let client = ClientConfig {
        ca_file: source.ca_file.as_ref().map(|file| folder.join(file)),
        egress: Arc::clone(egress),
        allow_plaintext,
        ..ClientConfig::default()
    };
    let (authentication, further_secrets) = authentication?;
    Some(FetchConfig { name: source.name.clone(), url: url?, authentication, further_secrets, client })
}

fn url(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
    egress: &EgressPolicy,
    allow_plaintext: bool,
) -> Option<Url> {
    const EXAMPLE: &str = "write a whole URL, such as \"https://producer.example.com/v1/events\"";
    let Some(written) = &source.url else {
        let reason = format!("source `{}` asks a server, and names none", source.name);
        problems.add(at!["source", index], reason, format!("{EXAMPLE}, as `url`"));
        return None;
    };
    let path = at!["source", index, "url"];
    // Not the URL itself: people write credentials into it.
    let parsed =
        Url::parse(written).map_err(|error| (format!("this is not a URL: {error}"), EXAMPLE.to_owned()));
    let url = problems.check(path.clone(), parsed)?;
    let checked = check_url(&url, egress, allow_plaintext);
    problems.check(path, checked.map_err(|error| (error.to_string(), error.hint().to_owned())))?;
    Some(url)
}

/// Of one source; each may cost a request.
const MAX_SECRETS: usize = 4;
const SCHEMES: [&str; 5] = ["bearer", "header", "basic", "oauth2-client-credentials", "none"];

/// A secret alone is a bearer token; without one nothing is proven.
fn authentication(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
) -> Option<(Authentication, Vec<SecretReference>)> {
    let written = source.authentication.clone().unwrap_or_default();
    let mut secrets = secrets(problems, index, source, &written)?.into_iter();
    let authentication = scheme(problems, index, source, written, secrets.next())?;
    Some((authentication, secrets.collect()))
}

fn scheme(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
    written: file::Authentication,
    secret: Option<SecretReference>,
) -> Option<Authentication> {
    let scheme = written.scheme.as_deref().unwrap_or(if secret.is_some() { "bearer" } else { "none" });
    let path = |key: &str| at!["source", index, "authentication", key];
    match (scheme, secret) {
        ("none", None) => Some(Authentication::None),
        ("none", Some(_)) => {
            let reason = format!("source `{}` has a secret and uses none", source.name);
            problems.add(path("scheme"), reason, "take the secret out, or write scheme = \"bearer\"");
            None
        }
        (scheme, None) if SCHEMES.contains(&scheme) => {
            let reason = format!("authentication of source `{}` needs a secret", source.name);
            let hint = "write `secret = \"env:NAME\"` or `secret = \"file:/path\"`, naming where it is";
            problems.add(at!["source", index, "authentication"], reason, hint);
            None
        }
        ("bearer", Some(secret)) => Some(Authentication::Bearer { secret }),
        ("header", Some(secret)) => {
            let header = required(problems, path("header"), "header", written.header.as_ref())?;
            let header = header.parse::<HeaderName>().map_err(|_| {
                (format!("`{header}` cannot be a header"), "write a name such as \"X-Api-Key\"".to_owned())
            });
            let prefix = written.prefix.unwrap_or_default();
            Some(Authentication::Header { header: problems.check(path("header"), header)?, prefix, secret })
        }
        ("basic", Some(secret)) => {
            let username = required(problems, path("username"), "username", written.username.as_ref())?;
            Some(Authentication::Basic { username, secret })
        }
        ("oauth2-client-credentials", Some(secret)) => {
            let token_url = required(problems, path("token_url"), "token_url", written.token_url.as_ref());
            let client_id = required(problems, path("client_id"), "client_id", written.client_id.as_ref());
            let token_url = Url::parse(&token_url?).map_err(|error| {
                (format!("this is not a URL: {error}"), "write a whole https URL".to_owned())
            });
            let token_url = problems.check(path("token_url"), token_url)?;
            let scope = required(problems, path("scope"), "scope", written.scope.as_ref())?;
            Some(Authentication::OAuth2ClientCredentials { token_url, client_id: client_id?, scope, secret })
        }
        (other, _) => {
            let hint = match nearest(other, &SCHEMES) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("write one of: {}", SCHEMES.join(", ")),
            };
            let reason = format!("there is no authentication scheme `{other}` for sources");
            problems.add(path("scheme"), reason, hint);
            None
        }
    }
}

/// `secret` beside the table is the same as `secret` within it. None when one is wrong.
fn secrets(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
    written: &file::Authentication,
) -> Option<Vec<SecretReference>> {
    let path = at!["source", index, "secret"];
    let references = match (&source.secret, &written.secret) {
        (Some(_), Some(_)) => {
            problems.add(path, "the secret is given twice", "keep `secret`, or `authentication.secret`");
            return None;
        }
        (Some(references), None) | (None, Some(references)) => references.as_slice(),
        (None, None) => return Some(Vec::new()),
    };
    if references.is_empty() || references.len() > MAX_SECRETS {
        let reason = format!("{} secrets cannot be tried", references.len());
        problems.add(path, reason, format!("write one, or up to {MAX_SECRETS} while one is replaced"));
        return None;
    }
    let each = references.iter();
    each.map(|reference| destination::secret_reference(problems, path.clone(), reference)).collect()
}

fn required(problems: &mut Problems<'_>, path: Place, key: &str, value: Option<&String>) -> Option<String> {
    if value.is_none() {
        let hint = format!("write `{key} = \"…\"` under authentication");
        problems.add(path, format!("this authentication scheme needs `{key}`"), hint);
    }
    value.cloned()
}

pub(super) fn duration(
    problems: &mut Problems<'_>,
    path: Place,
    text: &str,
    possible: RangeInclusive<Duration>,
) -> Option<Duration> {
    let duration = problems.check(path.clone(), quantity::duration(text))?;
    if !possible.contains(&duration) {
        let shown = |duration: &Duration| humantime::format_duration(*duration).to_string();
        problems.add(
            path,
            format!("{} is not possible here", shown(&duration)),
            format!("write a time from {} to {}", shown(possible.start()), shown(possible.end())),
        );
        return None;
    }
    Some(duration)
}
