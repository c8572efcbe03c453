//! The secrets of a source, which become digests and keys, and its schema, which is compiled.

mod schema;

use std::sync::Arc;

use siemaphore_delivery::{FetchConfig, TargetError};
use siemaphore_intake::{Signature, Source};
use siemaphore_secrets::{Secret, SecretReference, Secrets};
use siemaphore_sources::Kind;
use tokio::task::spawn_blocking;

use crate::config::prepare::PreparedSource;
use crate::config::problem::{Path, at};
use crate::config::{Credential, Problems, SigningScheme, SourceConfig, SourceWay};

/// A source's token or secret with fewer characters is refused.
const SHORTEST_SECRET: usize = 8;

pub(super) async fn prepare(
    problems: &mut Problems<'_>,
    index: usize,
    config: SourceConfig,
    secrets: &Arc<Secrets>,
) -> Option<PreparedSource> {
    let schema = match config.schema.clone() {
        Some(file) => Some(schema::prepare(problems, index, file).await?),
        None => None,
    };
    let credential = match &config.way {
        SourceWay::Http { credential } => credential,
        SourceWay::Fetched(kind) => {
            prepare_fetching(problems, index, kind.clone(), secrets).await;
            return Some(PreparedSource { config, token_digest: None, signature: None, schema });
        }
    };
    let (token_digest, signature) = match credential {
        Credential::Token(reference) => {
            let token =
                resolve(problems, &config.name, at!["source", index, "token"], reference, secrets).await?;
            (Some(Source::digest(token.expose())), None)
        }
        Credential::Signature { scheme, secrets: references } => {
            let path = at!["source", index, "signature", "secrets"];
            let mut resolved = Vec::new();
            for (place, reference) in (0_usize..).zip(references) {
                let path = [path.clone(), at![place]].concat();
                resolved.push(resolve(problems, &config.name, path, reference, secrets).await?);
            }
            let exposed: Vec<&str> = resolved.iter().map(Secret::expose).collect();
            let signature = match scheme {
                SigningScheme::StandardWebhooks => Signature::standard_webhooks(&exposed),
                SigningScheme::Hmac { header, prefix } => {
                    Ok(Signature::hmac(header.clone(), prefix, &exposed))
                }
            };
            let hint = "copy the secret as the producer shows it, with `whsec_`";
            let signature = signature.map_err(|error| (error.to_string(), hint.to_owned()));
            (None, Some(problems.check(path, signature)?))
        }
    };
    Some(PreparedSource { config, token_digest, signature, schema })
}

async fn prepare_fetching(problems: &mut Problems<'_>, index: usize, kind: Kind, secrets: &Arc<Secrets>) {
    if let Some(fetch) = kind.fetch() {
        prepare_remote(problems, index, fetch, secrets).await;
    }
    if let Kind::File(files) = kind {
        let looked = spawn_blocking(move || siemaphore_sources::file::examine(&files)).await;
        if let Ok(Err(problem)) = looked {
            problems.add(at!["source", index, "path"], problem.to_string(), problem.hint());
        }
    }
}

/// Nobody is asked: a producer that is away just now does not keep the host from starting.
async fn prepare_remote(
    problems: &mut Problems<'_>,
    index: usize,
    fetch: &FetchConfig,
    secrets: &Arc<Secrets>,
) {
    for reference in fetch.authentication.secret().into_iter().chain(&fetch.further_secrets) {
        if let Err(error) = secrets.resolve(reference).await {
            problems.add(at!["source", index, "secret"], error.to_string(), error.hint());
        }
    }
    if let Err(error) = siemaphore_sources::check(fetch, secrets) {
        let path = match &error {
            TargetError::Endpoint(_) => at!["source", index, "url"],
            TargetError::TokenUrl(_) => at!["source", index, "authentication", "token_url"],
            _ => at!["source", index, "ca_file"],
        };
        problems.add(path, error.to_string(), error.hint());
    }
}

async fn resolve(
    problems: &mut Problems<'_>,
    source: &str,
    path: Path,
    reference: &SecretReference,
    secrets: &Secrets,
) -> Option<Secret> {
    let secret = secrets.resolve(reference).await;
    let secret = secret.map_err(|error| (error.to_string(), error.hint().to_owned()));
    let secret = problems.check(path.clone(), secret)?;
    if secret.expose().len() < SHORTEST_SECRET {
        let what = if path.iter().any(|step| *step == "signature".into()) { "secret" } else { "token" };
        let reason = format!(
            "the {what} of source `{source}` has fewer than {SHORTEST_SECRET} characters: it can be guessed"
        );
        problems.add(path, reason, "make one with `openssl rand -hex 16`");
    }
    Some(secret)
}
