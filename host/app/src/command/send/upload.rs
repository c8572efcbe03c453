//! One request to the intake, repeated while the host asks for patience.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use indicatif::ProgressBar;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use siemaphore_http::{Answer, Client, ClientConfig, EgressPolicy, Request};
use siemaphore_secrets::Secrets;
use url::Url;

use crate::cli::Send;
use crate::command::send::RETRY_PAUSE;
use crate::command::send::batches::Batch;
use crate::print;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// In the answer to a request that the host had stored before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// So often a request is repeated before the run is given up; it can be started again without harm.
const ATTEMPTS: u32 = 10;
/// What a host may ask for at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

const TOKEN_HINT: &str = "say with --token where the token of the source is, as env:NAME or file:/path; \
                          without --token it is read from the environment variable SIEMAPHORE_TOKEN";

/// Knows where to and as whom.
pub(crate) struct Uploader {
    client: Client,
    url: Url,
    authorization: HeaderValue,
    /// In every key, when the events are to be stored once more.
    repetition: Option<String>,
    waits: Waits,
}

/// What the host said about one batch.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) first: u64,
    pub(crate) events: u64,
    pub(crate) accepted: u64,
    pub(crate) redacted: u64,
    pub(crate) refused: Vec<Refused>,
    /// The host had stored this request before, and has stored nothing now.
    pub(crate) is_known: bool,
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
    pub(crate) async fn new(
        command: &Send,
        bar: ProgressBar,
        repetition: Option<String>,
    ) -> Result<Uploader> {
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
        let token = Secrets::new().resolve(&reference).await;
        let token = token.map_err(|error| anyhow!("{error}\n  hint: {TOKEN_HINT}"))?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .context("the token holds characters that cannot be in a header")?;
        authorization.set_sensitive(true);
        let waits = Waits { bar, told_until: Mutex::new(None) };
        Ok(Uploader { client, url, authorization, repetition, waits })
    }

    pub(crate) async fn upload(&self, batch: Batch) -> Result<Receipt> {
        let body = Bytes::from(batch.body);
        let key = idempotency_key(self.repetition.as_deref(), batch.first, &body)?;
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
            let pause = pause.min(LONGEST_PAUSE);
            self.waits.tell(&sent.map_or_else(|error| error.to_string(), |answer| said(&answer)), pause);
            tokio::time::sleep(pause).await;
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

/// Tells the person why nothing moves, once for all requests that wait at the same time.
struct Waits {
    bar: ProgressBar,
    told_until: Mutex<Option<Instant>>,
}

impl Waits {
    fn tell(&self, why: &str, pause: Duration) {
        let now = Instant::now();
        {
            let mut told_until = self.told_until.lock().unwrap_or_else(PoisonError::into_inner);
            if told_until.is_some_and(|until| now < until) {
                return;
            }
            *told_until = now.checked_add(pause);
        }
        let seconds = pause.as_secs().max(1);
        self.bar.suspend(|| print::aside(format_args!("{why}: waiting {seconds} s before it is sent again")));
    }
}

/// An answer that asks for patience, in the host's words.
fn said(answer: &Answer) -> String {
    match serde_json::from_slice::<Refusal>(&answer.body) {
        Ok(Refusal { error }) => format!("the host answered {}: {}", answer.status, error.reason),
        Err(_) => format!("the host answered {}", answer.status),
    }
}

/// The same events at the same place of a file have the same key, but for a wanted repetition.
fn idempotency_key(repetition: Option<&str>, first: u64, body: &[u8]) -> Result<HeaderValue> {
    let digest = Sha256::digest(body);
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let key = match repetition {
        None => format!("send-{first}-{digest}"),
        Some(repetition) => format!("send-{repetition}-{first}-{digest}"),
    };
    Ok(HeaderValue::from_str(&key)?)
}

fn receipt(first: u64, events: u64, answer: &Answer) -> Result<Receipt> {
    let body: Accepted =
        serde_json::from_slice(&answer.body).context("the answer is not one of an intake")?;
    let Accepted { accepted, redacted, refused } = body;
    let is_known = answer.headers.contains_key(REPLAYED);
    Ok(Receipt { first, events, accepted, redacted, refused, is_known })
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    answer.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

/// How an intake says no.
#[derive(Deserialize)]
struct Refusal {
    error: Explained,
}

#[derive(Deserialize)]
struct Explained {
    reason: String,
    hint: String,
}

fn refusal(answer: &Answer) -> anyhow::Error {
    match serde_json::from_slice::<Refusal>(&answer.body) {
        Ok(Refusal { error }) => anyhow!("{}\n  hint: {}", error.reason, error.hint),
        Err(_) => anyhow!("the host answered {}: is this the address of an intake?", answer.status),
    }
}
