//! How a destination authenticates: what the operator wrote, filled in from what the formatter suggests.

use http::HeaderName;
use serde_json::Value;
use siemaphore_delivery::Authentication;
use siemaphore_model::formatter::{AuthenticationHint, Description};
use siemaphore_secrets::SecretReference;
use url::Url;

use crate::config::problem::{Path, at};
use crate::config::{DestinationConfig, Problems, destination, file, nearest};

const SCHEMES: [&str; 13] = [
    "header",
    "bearer",
    "basic",
    "oauth2-client-credentials",
    "url-path",
    "body-field",
    "hmac",
    "standard-webhooks",
    "azure-shared-key",
    "google-service-account",
    "aws-sigv4",
    "azure-managed-identity",
    "none",
];

/// Of one destination. More is a list that was not tidied up.
const MAX_SECRETS: usize = 4;

/// Where the secret is, or would be, written.
pub(crate) fn secret_path(config: &DestinationConfig) -> Path {
    at!["destination", config.index, "secret"]
}

/// The scheme with all its parameters. Adds what is missing to `problems`.
pub(crate) fn choose(
    problems: &mut Problems<'_>,
    config: &DestinationConfig,
    description: &Description,
) -> Option<Authentication> {
    let written = &config.authentication;
    let suggested = description.authentication.first().map(|hint| hint.scheme.as_str());
    let scheme = written.scheme.as_deref().or(suggested).unwrap_or("none");
    if !SCHEMES.contains(&scheme) {
        let hint = match nearest(scheme, &SCHEMES) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write one of: {}", SCHEMES.join(", ")),
        };
        let path = at!["destination", config.index, "authentication", "scheme"];
        problems.add(path, format!("there is no authentication scheme `{scheme}`"), hint);
        return None;
    }
    let hint = description.authentication.iter().find(|hint| hint.scheme == scheme);
    let parameters = Parameters { config, suggested: hint.map(parse).unwrap_or_default() };
    if scheme == "none" {
        return none(problems, config);
    }
    if scheme == "azure-managed-identity" {
        return managed_identity(problems, &parameters);
    }
    let secret = secret(problems, config, description);
    match scheme {
        "header" => {
            let header = header(problems, &parameters);
            let prefix = parameters.optional("prefix", written.prefix.as_ref()).unwrap_or_default();
            Some(Authentication::Header { header: header?, prefix, secret: secret? })
        }
        "bearer" => Some(Authentication::Bearer { secret: secret? }),
        "basic" => {
            let username = parameters.required(problems, "username", written.username.as_ref());
            Some(Authentication::Basic { username: username?, secret: secret? })
        }
        "body-field" => {
            let field = parameters.required(problems, "field", written.field.as_ref());
            Some(Authentication::BodyField { field: field?, secret: secret? })
        }
        "hmac" => {
            let header = header(problems, &parameters);
            let prefix = parameters.optional("prefix", written.prefix.as_ref()).unwrap_or_default();
            Some(Authentication::Hmac { header: header?, prefix, secret: secret? })
        }
        "standard-webhooks" => Some(Authentication::StandardWebhooks { secret: secret? }),
        "azure-shared-key" => {
            let workspace_id = parameters.required(problems, "workspace_id", written.workspace_id.as_ref());
            Some(Authentication::AzureSharedKey { workspace_id: workspace_id?, secret: secret? })
        }
        "google-service-account" => google_service_account(problems, &parameters, secret),
        "aws-sigv4" => aws_sigv4(problems, &parameters, secret),
        "url-path" => Some(Authentication::UrlPath { secret: secret? }),
        _ => oauth2(problems, &parameters, secret),
    }
}

/// A secret that goes nowhere is a scheme that was forgotten.
fn none(problems: &mut Problems<'_>, config: &DestinationConfig) -> Option<Authentication> {
    if config.authentication.secret.is_some() {
        let reason = format!("destination `{}` has a secret and its scheme `none` sends none", config.name);
        let hint = "take `secret` out, or write the scheme that sends it, as in `authentication = { scheme = \"bearer\" }`";
        problems.add(secret_path(config), reason, hint);
        return None;
    }
    Some(Authentication::None)
}

fn google_service_account(
    problems: &mut Problems<'_>,
    parameters: &Parameters<'_>,
    secret: Option<SecretReference>,
) -> Option<Authentication> {
    let written = &parameters.config.authentication;
    let scope = parameters.required(problems, "scope", written.scope.as_ref());
    let token_url = match &written.token_url {
        Some(_) => Some(token_url(problems, parameters)?),
        None => None,
    };
    Some(Authentication::GoogleServiceAccount { token_url, scope: scope?, secret: secret? })
}

fn aws_sigv4(
    problems: &mut Problems<'_>,
    parameters: &Parameters<'_>,
    secret: Option<SecretReference>,
) -> Option<Authentication> {
    let written = &parameters.config.authentication;
    let region = parameters.required(problems, "region", written.region.as_ref());
    let service = parameters.required(problems, "service", written.service.as_ref());
    let access_key_id = parameters.required(problems, "access_key_id", written.access_key_id.as_ref());
    let session_token = match &written.session_token {
        Some(reference) => {
            let path = parameters.path("session_token");
            Some(destination::secret_reference(problems, path, reference)?)
        }
        None => None,
    };
    Some(Authentication::AwsSigV4 {
        region: region?,
        service: service?,
        access_key_id: access_key_id?,
        session_token,
        secret: secret?,
    })
}

fn oauth2(
    problems: &mut Problems<'_>,
    parameters: &Parameters<'_>,
    secret: Option<SecretReference>,
) -> Option<Authentication> {
    let written = &parameters.config.authentication;
    let token_url = token_url(problems, parameters);
    let client_id = parameters.required(problems, "client_id", written.client_id.as_ref());
    let scope = parameters.required(problems, "scope", written.scope.as_ref());
    Some(Authentication::OAuth2ClientCredentials {
        token_url: token_url?,
        client_id: client_id?,
        scope: scope?,
        secret: secret?,
    })
}

/// Has no secret.
fn managed_identity(problems: &mut Problems<'_>, parameters: &Parameters<'_>) -> Option<Authentication> {
    let written = &parameters.config.authentication;
    let resource = parameters.required(problems, "resource", written.resource.as_ref());
    let token_url = match &written.token_url {
        Some(_) => Some(token_url(problems, parameters)?),
        None => None,
    };
    if written.secret.is_some() {
        problems.add(
            secret_path(parameters.config),
            "a managed identity has no secret",
            "leave `secret` out: being this machine is the proof",
        );
        return None;
    }
    let client_id = parameters.optional("client_id", written.client_id.as_ref());
    Some(Authentication::AzureManagedIdentity { resource: resource?, client_id, token_url })
}

fn parse(hint: &AuthenticationHint) -> Value {
    serde_json::from_str(&hint.parameters).unwrap_or_default()
}

fn secret(
    problems: &mut Problems<'_>,
    config: &DestinationConfig,
    description: &Description,
) -> Option<SecretReference> {
    let Some(written) = &config.authentication.secret else {
        problems.add(
            secret_path(config),
            format!(
                "destination `{}` has no secret: {} needs its {}",
                config.name, description.title, description.secret_name
            ),
            "write `secret = \"env:NAME\"` or `secret = \"file:/path\"`, naming where it is",
        );
        return None;
    };
    let Some(first) = written.as_slice().first() else {
        let hint =
            "write one reference, as in `secret = \"env:NAME\"`, or several while a secret is replaced";
        problems.add(secret_path(config), "the list of secrets is empty", hint);
        return None;
    };
    destination::secret_reference(problems, place_of(config, 0), first)
}

/// A list has a place for each of its secrets.
pub(crate) fn place_of(config: &DestinationConfig, place: usize) -> Path {
    match &config.authentication.secret {
        Some(file::SecretReferences::List(_)) => [secret_path(config), at![place]].concat(),
        _ => secret_path(config),
    }
}

/// The secrets after the first, that may be in force in its place.
pub(crate) fn further_secrets(
    problems: &mut Problems<'_>,
    config: &DestinationConfig,
    authentication: &Authentication,
) -> Vec<SecretReference> {
    let written =
        config.authentication.secret.as_ref().map(file::SecretReferences::as_slice).unwrap_or_default();
    let Some(first) = authentication.secret().filter(|_| written.len() > 1) else { return Vec::new() };
    if matches!(authentication, Authentication::AwsSigV4 { .. }) {
        let hint = "keep one: a secret access key goes with its own `access_key_id`; rotate both together";
        problems.add(place_of(config, 1), "`aws-sigv4` takes one secret", hint);
    }
    if written.len() > MAX_SECRETS {
        let reason = format!("{} secrets are more than the {MAX_SECRETS} that are tried", written.len());
        problems.add(place_of(config, MAX_SECRETS), reason, "keep those that the SIEM may take today");
    }
    let mut all = vec![first.clone()];
    for (place, reference) in written.iter().enumerate().skip(1) {
        let path = place_of(config, place);
        let Some(reference) = destination::secret_reference(problems, path.clone(), reference) else {
            continue;
        };
        if all.contains(&reference) {
            problems.add(path, format!("the secret {reference} is named twice"), "keep one of the two");
        }
        all.push(reference);
    }
    all.split_off(1)
}

fn header(problems: &mut Problems<'_>, parameters: &Parameters<'_>) -> Option<HeaderName> {
    let written = &parameters.config.authentication.header;
    let name = parameters.required(problems, "header", written.as_ref())?;
    let parsed = name.parse::<HeaderName>();
    let parsed = parsed.map_err(|_| {
        (format!("`{name}` cannot be a header"), "write a name such as \"X-Api-Key\"".to_owned())
    });
    problems.check(parameters.path("header"), parsed)
}

/// Either written as a whole, or the suggested one with the tenant filled in.
fn token_url(problems: &mut Problems<'_>, parameters: &Parameters<'_>) -> Option<Url> {
    let authentication = &parameters.config.authentication;
    let written = parameters.required(problems, "token_url", authentication.token_url.as_ref())?;
    let url = match &authentication.tenant {
        Some(tenant) => written.replace("{tenant}", tenant),
        None if written.contains("{tenant}") => {
            problems.add(
                parameters.path("tenant"),
                "the tenant is missing",
                "write `tenant = \"…\"` under authentication: the directory (tenant) id that Entra shows",
            );
            return None;
        }
        None => written,
    };
    let parsed = Url::parse(&url)
        .map_err(|error| (format!("`{url}` is not a URL: {error}"), "write a whole https URL".to_owned()));
    problems.check(parameters.path("token_url"), parsed)
}

/// What is written under `authentication`, and what the formatter suggests for the same scheme.
struct Parameters<'a> {
    config: &'a DestinationConfig,
    suggested: Value,
}

impl Parameters<'_> {
    fn path(&self, key: &str) -> Path {
        at!["destination", self.config.index, "authentication", key]
    }

    fn suggestion(&self, key: &str) -> Option<String> {
        self.suggested.get(key).and_then(Value::as_str).map(str::to_owned)
    }

    fn optional(&self, key: &str, written: Option<&String>) -> Option<String> {
        written.cloned().or_else(|| self.suggestion(key))
    }

    fn required(&self, problems: &mut Problems<'_>, key: &str, written: Option<&String>) -> Option<String> {
        let value = self.optional(key, written);
        if value.is_none() {
            problems.add(
                self.path(key),
                format!("authentication of destination `{}` needs `{key}`", self.config.name),
                format!("write `{key} = \"…\"` under authentication"),
            );
        }
        value
    }
}

#[cfg(test)]
mod tests;
