//! One attempt: a framed body to one SIEM and its answer back, both only as this crate lets them through.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, COOKIE};
use siemaphore_http::{Client, ClientConfig, ClientError, MetadataClient, Request, UrlError};
use siemaphore_model::formatter::{Compression, Pending, RequestProfile};
use siemaphore_secrets::{Secret, Secrets};
use thiserror::Error;
use url::Url;

use crate::attempt_error::AttemptError;
use crate::auth::{Authentication, Authenticator, Credential, Message, TokenSource};
use crate::clean::{Answer, LastCleaner};
use crate::cookies::Cookies;
use crate::endpoint::{self, EndpointError};
use crate::framing::FramedBody;
use crate::grant::{GrantError, GrantedProfile, RequestHead, check_query};
use crate::group::Group;
use crate::message_id::MessageId;

/// Where a destination is and how it is authenticated.
#[derive(Debug, Clone)]
pub struct TargetConfig {
    /// The destination's name, for log lines.
    pub destination: String,
    pub endpoint: Url,
    pub authentication: Authentication,
    /// Also used for the token endpoint, if there is one.
    pub client: ClientConfig,
}

/// A target that cannot be used, found before anything is sent.
#[derive(Debug, Error)]
pub enum TargetError {
    #[error("the endpoint cannot be used: {0}")]
    Endpoint(#[from] EndpointError),
    #[error("the token URL cannot be used: {0}")]
    TokenUrl(UrlError),
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl TargetError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            TargetError::Endpoint(error) => error.hint(),
            TargetError::TokenUrl(error) => error.hint(),
            TargetError::Client(error) => error.hint(),
        }
    }
}

/// One SIEM, ready for attempts. Any number of them may run at once.
pub struct Target {
    destination: String,
    endpoint: Url,
    client: Client,
    authenticator: Authenticator,
    cleaner: LastCleaner,
}

impl Target {
    pub fn new(config: TargetConfig, secrets: Arc<Secrets>) -> Result<Self, TargetError> {
        let client = Client::new(&config.client)?;
        client.check(&config.endpoint).map_err(EndpointError::Url)?;
        endpoint::check(&config.endpoint, &config.authentication)?;
        if let Some(token_url) = config.authentication.token_url() {
            client.check(token_url).map_err(TargetError::TokenUrl)?;
        }
        let tokens = TokenSource::new(&client, MetadataClient::new(&config.client)?);
        let authenticator = Authenticator::new(config.authentication, secrets, tokens);
        Ok(Target {
            destination: config.destination,
            endpoint: config.endpoint,
            client,
            authenticator,
            cleaner: LastCleaner::default(),
        })
    }

    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// Grants the request that a formatter asks for, or says what cannot be granted.
    pub fn grant(&self, asked: &RequestProfile) -> Result<GrantedProfile, GrantError> {
        GrantedProfile::check(asked, self.authenticator.authentication(), &self.endpoint)
    }

    /// Whether the authentication scheme names what is sent, so that [`Target::attempt`] wants a [`MessageId`].
    pub fn names_messages(&self) -> bool {
        matches!(self.authenticator.authentication(), Authentication::StandardWebhooks { .. })
    }

    /// Sends one body. A credential that is refused is renewed once, and the body sent again with the new one.
    pub async fn attempt(
        &self,
        profile: &GrantedProfile,
        group: &Group,
        body: &FramedBody,
        message_id: Option<&MessageId>,
    ) -> Result<Answer, AttemptError> {
        let mut head = profile.head(&self.endpoint, group);
        if let Some(encoding) = body.encoding {
            head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding(encoding)));
        }
        self.exchange(head, body.bytes.clone(), message_id).await
    }

    /// Asks again about a batch, as a `pending` verdict wants it. `cookies` are sent if the profile is sticky.
    pub async fn follow_up(
        &self,
        profile: &GrantedProfile,
        group: &Group,
        pending: &Pending,
        cookies: &Cookies,
    ) -> Result<Answer, AttemptError> {
        check_query(&pending.query)?;
        let mut head = profile
            .follow_up_head(&self.endpoint, group, pending)
            .ok_or_else(|| AttemptError::missing_path("follow-up"))?;
        if let Some(cookies) = cookies.header().filter(|_| profile.profile().sticky) {
            head.headers.insert(COOKIE, cookies);
        }
        self.exchange(head, Bytes::copy_from_slice(&pending.body), None).await
    }

    /// Makes the profile's probe, which stores nothing.
    pub async fn probe(&self, profile: &GrantedProfile, group: &Group) -> Result<Answer, AttemptError> {
        let missing = || AttemptError::missing_path("probe");
        let head = profile.probe_head(&self.endpoint, group).ok_or_else(missing)?;
        let body = profile.profile().probe.as_ref().map(|probe| probe.body.clone()).unwrap_or_default();
        self.exchange(head, body.into(), None).await
    }

    async fn exchange(
        &self,
        head: RequestHead,
        body: Bytes,
        message_id: Option<&MessageId>,
    ) -> Result<Answer, AttemptError> {
        let RequestHead { method, url, headers } = head;
        let request = Request { method, url, headers, body };
        let Some(credential) = self.authenticator.credential().await? else {
            return self.send(request, &[]).await;
        };
        let (authenticated, mut secrets) = self.authenticated(&request, &credential, message_id)?;
        let answer = self.send(authenticated, &secrets).await?;
        if !matches!(answer.status, 401 | 403) {
            return Ok(answer);
        }
        // The refusal itself is what counts when no other credential can be had.
        let renewed = self.authenticator.renewed(&credential, answer.status).await;
        match renewed {
            Ok(Some(renewed)) => {
                tracing::info!(destination = %self.destination, status = answer.status, "credential renewed after a refusal");
                let (authenticated, more) = self.authenticated(&request, &renewed, message_id)?;
                // The SIEM, or something before it, may still hold the first.
                secrets.extend(more);
                self.send(authenticated, &secrets).await
            }
            Ok(None) => Ok(answer),
            Err(error) => {
                tracing::warn!(destination = %self.destination, %error, hint = error.hint, "no other credential");
                Ok(answer)
            }
        }
    }

    /// The final request, and the secrets that its answer has to be cleaned of.
    fn authenticated(
        &self,
        request: &Request,
        credential: &Credential,
        message_id: Option<&MessageId>,
    ) -> Result<(Request, Vec<Secret>), AttemptError> {
        let mut request = request.clone();
        let message = Message { id: message_id, now: SystemTime::now() };
        let secrets = self.authenticator.apply(credential, &mut request, &message)?;
        Ok((request, secrets))
    }

    /// Sends once and cleans the answer. No other path leads from the client to a caller.
    async fn send(&self, request: Request, secrets: &[Secret]) -> Result<Answer, AttemptError> {
        let answer = self.client.send(request).await?;
        Ok(self.cleaner.cleaner(secrets).answer(answer))
    }
}

fn coding(compression: Compression) -> &'static str {
    match compression {
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
        Compression::Deflate => "deflate",
    }
}
