//! How a destination authenticates: one file for each scheme, all of the same shape.
//!
//! It takes two steps. A [`Credential`] is got once and used for many requests: the secret itself, or a token. It is
//! then applied to the final request of each attempt, header, URL and body, because signatures cover all of them and
//! the time. Applying returns every secret value that went into the request or was made for it, so that the answer
//! can be cleaned of them. When a SIEM refuses a credential, [`Authenticator::renewed`] gets another one, if there is
//! another: the same secret as it was replaced in its place, or the next of several. The one that was taken last is
//! the first to be used again, so that a SIEM sees a refusable credential once and not with every request.

mod aws_sigv4;
mod azure_managed_identity;
mod azure_shared_key;
mod basic;
mod bearer;
mod body_field;
mod google_service_account;
mod header;
mod hmac;
mod oauth2;
mod scheme;
mod standard_webhooks;
mod token;
mod url_path;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::SystemTime;

use http::{HeaderName, HeaderValue};
use siemaphore_http::Request;
use siemaphore_secrets::{Secret, SecretReference, Secrets};

use crate::age::Age;
use crate::attempt_error::AttemptError;
use crate::message_id::MessageId;
pub(crate) use body_field::granted as granted_with_field;
pub use scheme::Authentication;
pub(crate) use token::TokenError;
use token::TokenRequest;
pub(crate) use token::TokenSource;
pub(crate) use url_path::PLACEHOLDER as SECRET_PLACEHOLDER;
pub(crate) use url_path::occurrences as secret_occurrences;

/// What requests are authenticated with.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    /// The secret, or the token that was got for it.
    value: Secret,
    /// Which of the destination's secrets it is.
    place: usize,
    /// How many others were refused before it.
    others_refused: usize,
    /// Whether it was read again, or got again, after a refusal.
    is_renewed: bool,
    /// The other secrets, where all of them sign.
    beside: Vec<Secret>,
    /// What a token was got with; of a secret, nothing. Not in the request, and all the same not to be seen in an
    /// answer.
    origins: Option<Vec<Secret>>,
    /// Sent beside the signature.
    session_token: Option<Secret>,
}

impl Credential {
    /// Whether it is of another secret than the one that was taken last.
    pub(crate) fn is_alternative(&self) -> bool {
        self.others_refused > 0
    }

    fn is_same(&self, other: &Credential) -> bool {
        let values = |credential: &Credential| {
            let all = std::iter::once(&credential.value).chain(&credential.beside);
            all.cloned().collect::<Vec<Secret>>()
        };
        values(self).iter().zip(values(other)).all(|(one, other)| one.same_value(&other))
    }
}

/// What a signature covers beside the request.
pub(crate) struct Message<'a> {
    /// Of the events in the request; none for one without events, such as a probe.
    pub(crate) id: Option<&'a MessageId>,
    /// The time of this attempt.
    pub(crate) now: SystemTime,
}

/// Makes the credentials of one destination.
pub(crate) struct Authenticator {
    authentication: Authentication,
    /// After the scheme's own.
    further: Vec<SecretReference>,
    /// The secret that is used first.
    first: AtomicUsize,
    /// A bit for each secret that was told to be in use: a server that changes its mind must not fill the log.
    told: AtomicU64,
    secrets: Arc<Secrets>,
    tokens: TokenSource,
}

impl Authenticator {
    pub(crate) fn new(authentication: Authentication, secrets: Arc<Secrets>, tokens: TokenSource) -> Self {
        Authenticator {
            authentication,
            further: Vec::new(),
            first: AtomicUsize::new(0),
            told: AtomicU64::new(0),
            secrets,
            tokens,
        }
    }

    /// With other secrets that may be in force in place of the scheme's own.
    pub(crate) fn with_further(self, further: Vec<SecretReference>) -> Self {
        Authenticator { further, ..self }
    }

    pub(crate) fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    /// The credential for the next request; none for [`Authentication::None`].
    pub(crate) async fn credential(&self) -> Result<Option<Credential>, AttemptError> {
        let place = self.first.load(Ordering::Relaxed);
        self.got(place, Age::Usual).await
    }

    /// Notes that a credential was taken; `name` is that of the destination or source, for the log.
    pub(crate) fn taken(&self, credential: &Credential, name: &str) {
        if self.first.swap(credential.place, Ordering::Relaxed) != credential.place
            && let Some(reference) = self.reference(credential.place)
            && self.is_untold(credential.place)
        {
            tracing::info!(name, %reference, "this secret was taken and is used from here on");
        }
    }

    fn is_untold(&self, place: usize) -> bool {
        let bit = 1_u64.checked_shl(u32::try_from(place).unwrap_or(u32::MAX)).unwrap_or_default();
        self.told.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// Another credential after `refused` was answered with `status`, if there is one: a secret that was rotated
    /// since, a new token, or another of several secrets. Each secret is tried once, and once more when it was rotated.
    pub(crate) async fn renewed(
        &self,
        refused: &Credential,
        status: u16,
    ) -> Result<Option<Credential>, AttemptError> {
        if refused.origins.is_some() {
            // 403 is about rights, which a new token has no more of.
            if status != 401 {
                return Ok(None);
            }
            self.tokens.discard(&refused.value).await;
        }
        if !refused.is_renewed
            && let Some(fresh) = self.got(refused.place, Age::Fresh).await?
            && !fresh.is_same(refused)
        {
            let others_refused = refused.others_refused;
            return Ok(Some(Credential { others_refused, is_renewed: true, ..fresh }));
        }
        let others_refused = refused.others_refused.saturating_add(1);
        if refused.origins.is_some() || self.all_sign() || others_refused > self.further.len() {
            return Ok(None);
        }
        let other = self.got(self.place_after(refused.place), Age::Usual).await?;
        Ok(other.map(|other| Credential { others_refused, ..other }))
    }

    /// Authenticates one request. The result is every secret value that is in it or was used for it; their encoded
    /// forms are found from these.
    pub(crate) fn apply(
        &self,
        credential: &Credential,
        request: &mut Request,
        message: &Message<'_>,
    ) -> Result<Vec<Secret>, AttemptError> {
        let secret = &credential.value;
        let mut secrets = match &self.authentication {
            Authentication::Header { header, prefix, .. } => header::apply(header, prefix, secret, request)?,
            Authentication::Bearer { .. }
            | Authentication::OAuth2ClientCredentials { .. }
            | Authentication::GoogleServiceAccount { .. }
            | Authentication::AzureManagedIdentity { .. } => bearer::apply(secret, request)?,
            Authentication::Basic { username, .. } => basic::apply(username, secret, request)?,
            Authentication::UrlPath { .. } => url_path::apply(secret, request)?,
            Authentication::BodyField { field, .. } => body_field::apply(field, secret, request)?,
            Authentication::Hmac { header, prefix, .. } => hmac::apply(header, prefix, secret, request)?,
            Authentication::StandardWebhooks { .. } => {
                let signing = std::iter::once(secret).chain(&credential.beside);
                standard_webhooks::apply(signing, message, request)?
            }
            Authentication::AzureSharedKey { workspace_id, .. } => {
                azure_shared_key::apply(workspace_id, secret, message, request)?
            }
            Authentication::AwsSigV4 { region, service, access_key_id, .. } => {
                let session_token = credential.session_token.as_ref();
                let signer = aws_sigv4::Signer { region, service, access_key_id, secret, session_token };
                aws_sigv4::apply(&signer, message, request)?
            }
            Authentication::None => Vec::new(),
        };
        secrets.push(secret.clone());
        secrets.extend(credential.beside.iter().cloned());
        secrets.extend(credential.origins.iter().flatten().cloned());
        Ok(secrets)
    }

    async fn got(&self, place: usize, age: Age) -> Result<Option<Credential>, AttemptError> {
        if self.authentication.is_by_token() {
            return self.token(place).await.map(Some);
        }
        let Some(reference) = self.reference(place) else { return Ok(None) };
        let value = self.read(reference, age).await?;
        let mut beside = Vec::new();
        if self.all_sign() {
            for reference in &self.further {
                beside.push(self.read(reference, age).await?);
            }
        }
        let session_token = match self.authentication.session_token() {
            Some(reference) => Some(self.read(reference, age).await?),
            None => None,
        };
        Ok(Some(Credential {
            value,
            place,
            others_refused: 0,
            is_renewed: false,
            beside,
            origins: None,
            session_token,
        }))
    }

    fn reference(&self, place: usize) -> Option<&SecretReference> {
        match place.checked_sub(1) {
            None => self.authentication.secret(),
            Some(further) => self.further.get(further),
        }
    }

    fn place_after(&self, place: usize) -> usize {
        if place < self.further.len() { place.saturating_add(1) } else { 0 }
    }

    /// Whether a request carries what was made with every secret, so that none has to be tried after another.
    fn all_sign(&self) -> bool {
        matches!(self.authentication, Authentication::StandardWebhooks { .. })
    }

    async fn read(&self, reference: &SecretReference, age: Age) -> Result<Secret, AttemptError> {
        Ok(age.read(&self.secrets, reference).await?)
    }

    /// The token in use, or one for the secret at this place; where its endpoint refuses that one, for the next.
    async fn token(&self, first: usize) -> Result<Credential, AttemptError> {
        let mut place = first;
        let mut refusal = None;
        loop {
            match self.token_of(place).await {
                Err(error) if error.is_refused_client() => {
                    refusal.get_or_insert(error);
                }
                got => return Ok(got?),
            }
            place = self.place_after(place);
            if place == first {
                return Err(refusal.map_or_else(AttemptError::unusable_secret, AttemptError::from));
            }
        }
    }

    async fn token_of(&self, place: usize) -> Result<Credential, TokenError> {
        let reference = self.reference(place);
        let secret = match reference {
            Some(reference) => Some(self.read(reference, Age::Usual).await?),
            None => None,
        };
        let (value, origins) =
            match (self.tokens.token(|| self.token_request(secret.as_ref())).await, reference) {
                // The secret may have been rotated within the time that it is remembered.
                (Err(error), Some(reference)) if error.is_refused_client() => {
                    let fresh = self.read(reference, Age::Fresh).await?;
                    if secret.is_some_and(|secret| fresh.same_value(&secret)) {
                        return Err(error);
                    }
                    self.tokens.token(|| self.token_request(Some(&fresh))).await?
                }
                (token, _) => token?,
            };
        let origins = Some(origins);
        Ok(Credential {
            value,
            place,
            others_refused: 0,
            is_renewed: false,
            beside: Vec::new(),
            origins,
            session_token: None,
        })
    }

    fn token_request(&self, secret: Option<&Secret>) -> Result<TokenRequest, AttemptError> {
        match (&self.authentication, secret) {
            (Authentication::OAuth2ClientCredentials { token_url, client_id, scope, .. }, Some(secret)) => {
                Ok(oauth2::token_request(token_url, client_id, scope, secret))
            }
            (Authentication::GoogleServiceAccount { token_url, scope, .. }, Some(secret)) => {
                google_service_account::token_request(token_url.as_ref(), scope, secret, SystemTime::now())
            }
            (Authentication::AzureManagedIdentity { resource, client_id, token_url }, _) => {
                Ok(azure_managed_identity::token_request(resource, client_id.as_deref(), token_url.as_ref()))
            }
            _ => Err(AttemptError::unusable_secret()),
        }
    }
}

/// Sets a header to a value that is not printed. The credential comes last, so that no header of the profile can stand
/// in for it. The error is for a value with characters that no header can hold.
fn set_header(request: &mut Request, header: &HeaderName, value: &str) -> Result<(), AttemptError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| AttemptError::unusable_secret())?;
    value.set_sensitive(true);
    request.headers.insert(header.clone(), value);
    Ok(())
}

#[cfg(test)]
mod tests_support {
    //! A request for the tests of the schemes.

    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::*;

    pub(super) fn request(url: &str, body: &'static str) -> Request {
        let url = url::Url::parse(url).expect("a URL");
        Request {
            method: Method::POST,
            url,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    pub(super) fn header<'a>(request: &'a Request, name: &str) -> &'a str {
        request.headers.get(name).expect(name).to_str().expect("text")
    }
}
