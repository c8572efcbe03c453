//! How a source proves who it is: by a bearer token, or by signing.

use http::HeaderName;
use siemaphore_secrets::SecretReference;

use crate::config::problem::at;
use crate::config::{Problems, destination, file, nearest};

const SCHEMES: [&str; 2] = ["standard-webhooks", "hmac"];
const GITHUB_HEADER: &str = "x-hub-signature-256";
const GITHUB_PREFIX: &str = "sha256=";

/// What a source has to show.
#[derive(Debug)]
pub(crate) enum Credential {
    Token(SecretReference),
    Signature { scheme: SigningScheme, secrets: Vec<SecretReference> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SigningScheme {
    StandardWebhooks,
    Hmac { header: HeaderName, prefix: String },
}

pub(super) fn of(problems: &mut Problems<'_>, index: usize, source: &file::Source) -> Option<Credential> {
    match (&source.token, &source.signature) {
        (Some(token), None) => destination::secret_reference(problems, at!["source", index, "token"], token)
            .map(Credential::Token),
        (None, Some(written)) => signature(problems, index, written),
        (Some(_), Some(_)) => {
            let reason = format!("source `{}` has both a token and a signature", source.name);
            problems.add(
                at!["source", index, "token"],
                reason,
                "keep one; two sources may share an organization",
            );
            None
        }
        (None, None) => {
            let reason = format!("source `{}` has no token", source.name);
            let hint = "write `token = \"env:NAME\"` or `token = \"file:/path\"`, or a [source.signature] for webhooks";
            problems.add(at!["source", index], reason, hint);
            None
        }
    }
}

fn signature(problems: &mut Problems<'_>, index: usize, written: &file::Signature) -> Option<Credential> {
    let scheme = scheme(problems, index, written);
    let mut secrets = Vec::new();
    for (place, secret) in written.secrets.iter().enumerate() {
        let path = at!["source", index, "signature", "secrets", place];
        secrets.extend(destination::secret_reference(problems, path, secret));
    }
    if written.secrets.is_empty() {
        let path = at!["source", index, "signature", "secrets"];
        problems.add(path, "there is no secret to check signatures with", "write secrets = [\"env:NAME\"]");
    }
    (secrets.len() == written.secrets.len()).then_some(Credential::Signature { scheme: scheme?, secrets })
}

fn scheme(problems: &mut Problems<'_>, index: usize, written: &file::Signature) -> Option<SigningScheme> {
    let path = |key: &str| at!["source", index, "signature", key];
    match written.scheme.as_str() {
        "standard-webhooks" => {
            for (key, value) in [("header", &written.header), ("prefix", &written.prefix)] {
                if value.is_some() {
                    let hint = "leave it out, or write scheme = \"hmac\"";
                    problems.add(path(key), "Standard Webhooks has headers of its own", hint);
                }
            }
            Some(SigningScheme::StandardWebhooks)
        }
        "hmac" => {
            let header = written.header.as_deref().unwrap_or(GITHUB_HEADER);
            let header = header.parse::<HeaderName>().map_err(|_| {
                let hint = "write a header's name, such as \"X-Hub-Signature-256\"".to_owned();
                (format!("`{header}` cannot be the name of a header"), hint)
            });
            let prefix = written.prefix.clone().unwrap_or_else(|| GITHUB_PREFIX.to_owned());
            Some(SigningScheme::Hmac { header: problems.check(path("header"), header)?, prefix })
        }
        other => {
            let hint = match nearest(other, &SCHEMES) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("write one of: {}", SCHEMES.join(", ")),
            };
            problems.add(path("scheme"), format!("`{other}` is not a scheme of signing"), hint);
            None
        }
    }
}
