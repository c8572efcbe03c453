//! One attempt: a framed body to one SIEM and its answer back, both only as this crate lets them through.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, COOKIE};
use siemaphore_http::{Client, ClientConfig, ClientError, MetadataClient, Request, UrlError};
use siemaphore_model::formatter::{Compression, Pending, RequestProfile};
use siemaphore_secrets::{Secret, SecretReference, Secrets};
use thiserror::Error;
use url::Url;

use crate::attempt_error::{AttemptError, AttemptErrorKind};
use crate::auth::{Authentication, Authenticator, Credential, Message, TokenSource};
use crate::clean::{Answer, LastCleaner};
use crate::connection::{ClientCertificate, Connection, Connector};
use crate::cookies::Cookies;
use crate::endpoint::{self, EndpointError};
use crate::framing::FramedBody;
use crate::grant::{GrantError, GrantedProfile, RequestHead, check_query};
use crate::group::Group;
use crate::message_id::MessageId;
use crate::nginx::refused_certificate;

/// Where a destination is and how it is authenticated.
#[derive(Debug, Clone)]
pub struct TargetConfig {
    /// The destination's name, for log lines.
    pub destination: String,
    pub endpoint: Url,
    pub authentication: Authentication,
    /// Also used for the token endpoint, if there is one, without the pins.
    pub client: ClientConfig,
    /// Shown to the endpoint, and to no token endpoint.
    pub client_certificate: Option<ClientCertificate>,
    /// Secrets that may be in force in place of the scheme's own, while one is replaced by another. Standard Webhooks
    /// signs with all of them; for other schemes they are tried in turn when the SIEM refuses one.
    pub further_secrets: Vec<SecretReference>,
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
    connector: Connector,
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
        // Pins are those of the SIEM; a token endpoint is another server.
        let for_tokens = match config.client.pins.is_empty() {
            true => client.clone(),
            false => Client::new(&ClientConfig { pins: Vec::new(), ..config.client.clone() })?,
        };
        let tokens = TokenSource::new(&for_tokens, MetadataClient::new(&config.client)?);
        let connector =
            Connector::new(&config.destination, client, config.client_certificate, Arc::clone(&secrets));
        let authenticator =
            Authenticator::new(config.authentication, secrets, tokens).with_further(config.further_secrets);
        Ok(Target {
            destination: config.destination,
            endpoint: config.endpoint,
            connector,
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
        let mut credential = self.authenticator.credential().await?;
        let mut connection = self.connector.connection().await?;
        let mut may_reconnect = true;
        let mut secrets = Vec::new();
        let mut usual_refusal = None;
        // Ends with the destination's secrets: each is tried twice at most.
        loop {
            let what = Try { request: &request, message_id, credential: credential.as_ref() };
            let result = self.tried(&what, &connection, &mut secrets).await;
            let refusal = self.refusal(&result);
            let reconnected = match refusal {
                Some(_) if may_reconnect => self.other_connection(&connection).await,
                _ => None,
            };
            let renewed = match (refusal, &credential) {
                (Some(Refusal::Credential(status)), Some(refused)) => {
                    self.other_credential(refused, status).await
                }
                _ => None,
            };
            if renewed.is_none() && reconnected.is_none() {
                if let (Ok(answer), Some(credential)) = (&result, &credential)
                    && matches!(answer.status, 200..=299)
                {
                    self.authenticator.taken(credential, &self.destination);
                }
                // A refusal is what counts when nothing else can be had, and of several the one of the secret that was
                // taken last: that of another may say nothing about the request.
                return usual_refusal.filter(|_| refusal.is_some()).unwrap_or(result);
            }
            if renewed.as_ref().is_some_and(Credential::is_alternative) {
                usual_refusal.get_or_insert(result);
            }
            tracing::debug!(destination = %self.destination, "credential renewed after a refusal");
            may_reconnect &= reconnected.is_none();
            connection = reconnected.unwrap_or(connection);
            credential = renewed.or(credential);
        }
    }

    fn refusal(&self, result: &Result<Answer, AttemptError>) -> Option<Refusal> {
        let authentication = self.authenticator.authentication();
        match result {
            Ok(answer) => authentication
                .may_be_refused_with(answer.status)
                .then_some(Refusal::Credential(answer.status)),
            Err(error) => (error.kind == AttemptErrorKind::Tls).then_some(Refusal::Handshake),
        }
    }

    async fn other_credential(&self, refused: &Credential, status: u16) -> Option<Credential> {
        let renewed = self.authenticator.renewed(refused, status).await;
        renewed.inspect_err(|error| self.note_none(error)).ok().flatten()
    }

    async fn other_connection(&self, refused: &Connection) -> Option<Connection> {
        let renewed = self.connector.renewed(refused).await;
        renewed.inspect_err(|error| self.note_none(error)).ok().flatten()
    }

    fn note_none(&self, error: &AttemptError) {
        tracing::warn!(destination = %self.destination, %error, hint = error.hint, "no other credential");
    }

    /// Authenticates and sends once. `secrets` are those of earlier tries, which the SIEM, or something before it, may
    /// still hold; those of this one are added.
    async fn tried(
        &self,
        what: &Try<'_>,
        connection: &Connection,
        secrets: &mut Vec<Secret>,
    ) -> Result<Answer, AttemptError> {
        let request = match what.credential {
            None => what.request.clone(),
            Some(credential) => {
                let (request, used) = self.authenticated(what.request, credential, what.message_id)?;
                secrets.extend(used);
                request
            }
        };
        self.send(&connection.client, request, secrets).await
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
    async fn send(
        &self,
        client: &Client,
        request: Request,
        secrets: &[Secret],
    ) -> Result<Answer, AttemptError> {
        let answer = client.send(request).await?;
        let answer = self.cleaner.cleaner(secrets).answer(answer);
        refused_certificate(&answer).map_or(Ok(answer), Err)
    }
}

/// Why something else is worth a try.
#[derive(Clone, Copy)]
enum Refusal {
    /// With this status.
    Credential(u16),
    Handshake,
}

/// What is sent, however often.
#[derive(Clone, Copy)]
struct Try<'a> {
    request: &'a Request,
    message_id: Option<&'a MessageId>,
    credential: Option<&'a Credential>,
}

fn coding(compression: Compression) -> &'static str {
    match compression {
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
        Compression::Deflate => "deflate",
    }
}
