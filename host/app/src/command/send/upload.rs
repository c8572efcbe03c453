//! One request to the intake, repeated while the host asks for patience.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use siemaphore_http::{Answer, Client, ClientConfig, EgressPolicy, Request};
use siemaphore_secrets::Secrets;
use url::Url;

use crate::cli::Send;
use crate::command::send::RETRY_PAUSE;
use crate::command::send::batches::Batch;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// So often a request is repeated before the run is given up; it can be started again without harm.
const ATTEMPTS: u32 = 10;
/// What a host may ask for at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Knows where to and as whom.
pub(crate) struct Uploader {
    client: Client,
    url: Url,
    authorization: HeaderValue,
}

/// What the host said about one batch.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) first: u64,
    pub(crate) events: u64,
    pub(crate) accepted: u64,
    pub(crate) redacted: u64,
    pub(crate) refused: Vec<Refused>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Refused {
    pub(crate) index: u64,
    pub(crate) reason: String,
}

#[derive(Deserialize)]
struct Accepted {
    accepted: u64,
    #[serde(default)]
    redacted: u64,
    #[serde(default)]
    refused: Vec<Refused>,
}

impl Uploader {
    pub(crate) async fn new(command: &Send) -> Result<Uploader> {
        let url = Url::parse(&command.to).with_context(|| format!("`{}` is not a URL", command.to))?;
        let url = url.join("/v1/events")?;
        // The operator names the host to send to on the command line, so private addresses are no surprise here.
        let config = ClientConfig {
            ca_file: command.ca_file.clone(),
            egress: Arc::new(EgressPolicy { allow: vec!["0.0.0.0/0".parse()?, "::/0".parse()?] }),
            allow_plaintext: true,
            ..ClientConfig::default()
        };
        let client = Client::new(&config)?;
        client.check(&url)?;
        let reference = command.token.parse().with_context(|| "--token")?;
        let token = Secrets::new().resolve(&reference).await?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .context("the token holds characters that cannot be in a header")?;
        authorization.set_sensitive(true);
        Ok(Uploader { client, url, authorization })
    }

    pub(crate) async fn upload(&self, batch: Batch) -> Result<Receipt> {
        let body = Bytes::from(batch.body);
        let key = idempotency_key(batch.first, &body)?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let sent = self.client.send(self.request(body.clone(), key.clone())).await;
            let pause = match &sent {
                Ok(answer) => match answer.status {
                    200 | 422 => return receipt(batch.first, batch.events, answer),
                    429 | 503 => retry_after(answer).unwrap_or(RETRY_PAUSE),
                    _ => return Err(refusal(answer)),
                },
                Err(_) => RETRY_PAUSE * attempt,
            };
            if attempt >= ATTEMPTS {
                let last =
                    sent.map_or_else(|error| error.to_string(), |answer| format!("status {}", answer.status));
                bail!(
                    "the host does not take events: {last}; run the same command again later, nothing is stored twice"
                );
            }
            tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
        }
    }

    fn request(&self, body: Bytes, key: HeaderValue) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(IDEMPOTENCY_KEY, key);
        Request { method: Method::POST, url: self.url.clone(), headers, body }
    }
}

/// The same events at the same place of a file have the same key.
fn idempotency_key(first: u64, body: &[u8]) -> Result<HeaderValue> {
    let digest = Sha256::digest(body);
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(HeaderValue::from_str(&format!("send-{first}-{digest}"))?)
}

fn receipt(first: u64, events: u64, answer: &Answer) -> Result<Receipt> {
    let body: Accepted =
        serde_json::from_slice(&answer.body).context("the answer is not one of an intake")?;
    Ok(Receipt { first, events, accepted: body.accepted, redacted: body.redacted, refused: body.refused })
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    answer.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

fn refusal(answer: &Answer) -> anyhow::Error {
    #[derive(Deserialize)]
    struct Body {
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        reason: String,
        hint: String,
    }
    match serde_json::from_slice::<Body>(&answer.body) {
        Ok(Body { error }) => anyhow!("{}\n  hint: {}", error.reason, error.hint),
        Err(_) => anyhow!("the host answered {}: is this the address of an intake?", answer.status),
    }
}
