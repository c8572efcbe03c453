//! How a destination authenticates: one file for each scheme, all of the same shape.
//!
//! A scheme makes a [`Credential`]: one header, and every secret value that went into it, so that the answer can be
//! cleaned of them. When a SIEM refuses a credential, [`Authenticator::renewed`] makes another one, if there is
//! another.

mod basic;
mod bearer;
mod header;
mod oauth2;

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use siemaphore_http::Client;
use siemaphore_secrets::{Secret, SecretReference, Secrets};
use url::Url;

use crate::attempt_error::AttemptError;
pub(crate) use oauth2::MAX_TOKEN_ANSWER_BYTES;
pub(crate) use oauth2::TokenError;
use oauth2::TokenSource;

/// What the operator configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// `header: <prefix><secret>`, as in `Authorization: Splunk …` or `DD-API-KEY: …`. A prefix that is already part
    /// of the secret is not doubled.
    Header {
        header: HeaderName,
        prefix: String,
        secret: SecretReference,
    },
    /// `Authorization: Bearer <secret>`.
    Bearer {
        secret: SecretReference,
    },
    Basic {
        username: String,
        secret: SecretReference,
    },
    /// A token from `token_url`, asked for with the client's id and secret, kept until shortly before it expires.
    OAuth2ClientCredentials {
        token_url: Url,
        client_id: String,
        secret: SecretReference,
        scope: String,
    },
    None,
}

impl Authentication {
    /// The header that carries the credential.
    pub fn header(&self) -> Option<HeaderName> {
        match self {
            Authentication::Header { header, .. } => Some(header.clone()),
            Authentication::Bearer { .. }
            | Authentication::Basic { .. }
            | Authentication::OAuth2ClientCredentials { .. } => Some(AUTHORIZATION),
            Authentication::None => None,
        }
    }

    /// The secret that it needs.
    pub fn secret(&self) -> Option<&SecretReference> {
        match self {
            Authentication::Header { secret, .. }
            | Authentication::Bearer { secret }
            | Authentication::Basic { secret, .. }
            | Authentication::OAuth2ClientCredentials { secret, .. } => Some(secret),
            Authentication::None => None,
        }
    }
}

/// What authenticates one request.
pub(crate) struct Credential {
    pub(crate) header: HeaderName,
    /// Marked sensitive, so that it is not printed.
    pub(crate) value: HeaderValue,
    /// Every value that must not come back in an answer. Their encoded forms are found from these.
    pub(crate) secrets: Vec<Secret>,
}

impl Credential {
    /// The error is for a value with characters that no header can hold.
    fn new(header: HeaderName, value: &str, secrets: Vec<Secret>) -> Result<Self, AttemptError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| AttemptError::unusable_secret())?;
        value.set_sensitive(true);
        Ok(Credential { header, value, secrets })
    }
}

/// Makes the credentials of one destination.
pub(crate) struct Authenticator {
    authentication: Authentication,
    secrets: Arc<Secrets>,
    tokens: TokenSource,
}

impl Authenticator {
    /// `client` is for the token endpoint.
    pub(crate) fn new(authentication: Authentication, secrets: Arc<Secrets>, client: Client) -> Self {
        Authenticator { authentication, secrets, tokens: TokenSource::new(client) }
    }

    pub(crate) fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    /// The credential for the next request; none for [`Authentication::None`].
    pub(crate) async fn credential(&self) -> Result<Option<Credential>, AttemptError> {
        let Some(reference) = self.authentication.secret() else { return Ok(None) };
        let secret = self.secrets.resolve(reference).await?;
        self.made_from(secret).await.map(Some)
    }

    /// Another credential after `refused` was answered with `status`, if there is one: a secret that was rotated
    /// since, or a new token.
    pub(crate) async fn renewed(
        &self,
        refused: &Credential,
        status: u16,
    ) -> Result<Option<Credential>, AttemptError> {
        let Some(reference) = self.authentication.secret() else { return Ok(None) };
        let secret = self.secrets.refresh(reference).await?;
        if matches!(self.authentication, Authentication::OAuth2ClientCredentials { .. }) {
            // 403 is about rights, which a new token has no more of.
            if status != 401 {
                return Ok(None);
            }
            self.tokens.discard(&refused.value).await;
        }
        let credential = self.made_from(secret).await?;
        Ok((credential.value != refused.value).then_some(credential))
    }

    async fn made_from(&self, secret: Secret) -> Result<Credential, AttemptError> {
        match &self.authentication {
            Authentication::Header { header, prefix, .. } => header::credential(header, prefix, secret),
            Authentication::Bearer { .. } => bearer::credential(secret),
            Authentication::Basic { username, .. } => basic::credential(username, secret),
            Authentication::OAuth2ClientCredentials { token_url, client_id, scope, secret: reference } => {
                let request = oauth2::TokenRequest { token_url, client_id, scope, secret };
                match self.tokens.token(&request).await {
                    // The client's secret may have been rotated within the time that it is remembered.
                    Err(error) if error.is_refused_client() => {
                        let secret = self.secrets.refresh(reference).await?;
                        if secret.same_value(&request.secret) {
                            return Err(error.into());
                        }
                        let request = oauth2::TokenRequest { secret, ..request };
                        oauth2::credential(&self.tokens.token(&request).await?, request.secret)
                    }
                    token => oauth2::credential(&token?, request.secret),
                }
            }
            Authentication::None => Err(AttemptError::unusable_secret()),
        }
    }
}
