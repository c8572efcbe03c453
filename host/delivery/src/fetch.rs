//! Requests that get what others have: with the credentials, the client and the care of deliveries.
//!
//! Heads of answers are cleaned of secrets like any answer. Bodies are not: they are events that somebody else wrote, to
//! be kept as they are, and nothing of them is shown before a profile has redacted it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method};
use siemaphore_http::{Client, ClientConfig, MetadataClient, Request, Stream};
use siemaphore_secrets::{Secret, SecretReference, Secrets};
use url::Url;

use crate::attempt::TargetError;
use crate::attempt_error::AttemptError;
use crate::auth::{Authentication, Authenticator, Credential, Message, TokenSource};
use crate::clean::{Answer, LastCleaner};
use crate::endpoint::EndpointError;
use crate::retry::retry_after;

/// What is fetched, and how that is authenticated.
#[derive(Debug, Clone)]
pub struct FetchConfig {
    /// Of whoever fetches, for log lines.
    pub name: String,
    /// Credentials go to its scheme, host and port only.
    pub url: Url,
    pub authentication: Authentication,
    /// Other secrets that may be in force in place of the scheme's own.
    pub further_secrets: Vec<SecretReference>,
    /// Also used for the token endpoint, if there is one.
    pub client: ClientConfig,
}

/// One place to fetch from.
pub struct Fetch {
    name: String,
    url: Url,
    client: Client,
    authenticator: Authenticator,
    cleaner: LastCleaner,
}

/// An answer as a whole: decompressed, and cut at the limit of the client.
#[derive(Debug)]
pub struct Fetched {
    /// Without the body.
    pub head: Answer,
    pub retry_after: Option<Duration>,
    pub body: Bytes,
    /// There was more of the body, or it could not be decoded.
    pub truncated: bool,
}

/// An answer that is read as it comes.
pub struct Opened {
    /// Without the body.
    pub head: Answer,
    pub retry_after: Option<Duration>,
    pub stream: Stream,
}

impl Fetch {
    pub fn new(config: FetchConfig, secrets: Arc<Secrets>) -> Result<Fetch, TargetError> {
        let client = Client::new(&config.client)?;
        client.check(&config.url).map_err(EndpointError::Url)?;
        if let Some(token_url) = config.authentication.token_url() {
            client.check(token_url).map_err(TargetError::TokenUrl)?;
        }
        let tokens = TokenSource::new(&client, MetadataClient::new(&config.client)?);
        let authenticator =
            Authenticator::new(config.authentication, secrets, tokens).with_further(config.further_secrets);
        Ok(Fetch {
            name: config.name,
            url: config.url,
            client,
            authenticator,
            cleaner: LastCleaner::default(),
        })
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Gets `url`, which has to be of the same scheme, host and port as the configured one. A credential that is refused
    /// is renewed, or another one tried, as for a delivery.
    pub async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Fetched, AttemptError> {
        let mut ready = self.ready(url, headers).await?;
        let mut answer = self.client.send(ready.request.clone()).await?;
        while self.renew(&mut ready, answer.status).await {
            answer = self.client.send(ready.request.clone()).await?;
        }
        let body = std::mem::take(&mut answer.body);
        let truncated = answer.truncated;
        let head = self.cleaned(answer, &ready);
        Ok(Fetched { retry_after: retry_after(&head), head, body, truncated })
    }

    /// Gets the configured URL as a stream that may be silent for `idle_timeout`.
    pub async fn open(&self, headers: HeaderMap, idle_timeout: Duration) -> Result<Opened, AttemptError> {
        let mut ready = self.ready(&self.url, headers).await?;
        let mut stream = self.client.open(ready.request.clone(), idle_timeout).await?;
        while self.renew(&mut ready, stream.status).await {
            stream = self.client.open(ready.request.clone(), idle_timeout).await?;
        }
        let (status, headers) = (stream.status, std::mem::take(&mut stream.headers));
        let answer = siemaphore_http::Answer { status, headers, body: Bytes::new(), truncated: false };
        let head = self.cleaned(answer, &ready);
        Ok(Opened { retry_after: retry_after(&head), head, stream })
    }

    async fn ready(&self, url: &Url, headers: HeaderMap) -> Result<Ready, AttemptError> {
        if url.origin() != self.url.origin() {
            let reason = "what should be asked next is on another host, port or scheme".to_owned();
            return Err(AttemptError::request(reason, "credentials are sent to the configured host only"));
        }
        let bare = Request { method: Method::GET, url: url.clone(), headers, body: Bytes::new() };
        let mut ready = Ready { request: bare.clone(), bare, credential: None, secrets: Vec::new() };
        if let Some(credential) = self.authenticator.credential().await? {
            self.authenticate(&mut ready, credential)?;
        }
        Ok(ready)
    }

    /// Whether another credential was had after a refusal. That ends: each secret is tried twice at most.
    async fn renew(&self, ready: &mut Ready, status: u16) -> bool {
        if let Some(credential) = ready.credential.as_ref().filter(|_| matches!(status, 200..=299)) {
            self.authenticator.taken(credential, &self.name);
        }
        let may_be_refused = self.authenticator.authentication().may_be_refused_with(status);
        let Some(refused) = ready.credential.as_ref().filter(|_| may_be_refused) else { return false };
        let renewed = match self.authenticator.renewed(refused, status).await {
            Ok(Some(renewed)) => self.authenticate(ready, renewed),
            Ok(None) => return false,
            Err(error) => Err(error),
        };
        match renewed {
            Ok(()) => tracing::debug!(source = self.name, status, "credential renewed after a refusal"),
            // The refusal itself is what counts when no other credential can be had.
            Err(error) => {
                tracing::warn!(source = self.name, %error, hint = error.hint, "no other credential");
                return false;
            }
        }
        true
    }

    fn authenticate(&self, ready: &mut Ready, credential: Credential) -> Result<(), AttemptError> {
        let mut request = ready.bare.clone();
        let message = Message { id: None, now: SystemTime::now() };
        // Whoever is asked may still hold the credential before this one.
        ready.secrets.extend(self.authenticator.apply(&credential, &mut request, &message)?);
        ready.request = request;
        ready.credential = Some(credential);
        Ok(())
    }

    fn cleaned(&self, answer: siemaphore_http::Answer, ready: &Ready) -> Answer {
        self.cleaner.cleaner(&ready.secrets).answer(answer)
    }
}

/// A request with its credential.
struct Ready {
    request: Request,
    bare: Request,
    credential: Option<Credential>,
    /// What the answer has to be cleaned of.
    secrets: Vec<Secret>,
}
