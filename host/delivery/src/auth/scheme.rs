//! The schemes as an operator chooses them: parameters, and where each secret comes from.

use http::HeaderName;
use http::header::AUTHORIZATION;
use siemaphore_secrets::{Secret, SecretReference};
use url::Url;

use super::{aws_sigv4, azure_shared_key, google_service_account, standard_webhooks, url_path};
use crate::attempt_error::AttemptError;

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
    /// The endpoint's path has a segment `{secret}`, in whose place the secret is sent.
    UrlPath {
        secret: SecretReference,
    },
    /// The secret is a top-level field of the body, which is a JSON object.
    BodyField {
        field: String,
        secret: SecretReference,
    },
    /// `header: <prefix><HMAC-SHA256 of the body in hexadecimal>`, with the secret as key.
    Hmac {
        header: HeaderName,
        prefix: String,
        secret: SecretReference,
    },
    /// Id, time and signature as the Standard Webhooks specification has them; the secret is `whsec_…`.
    StandardWebhooks {
        secret: SecretReference,
    },
    /// `Authorization: SharedKey <workspace>:<signature>`; the secret is a key of the workspace, in base64.
    AzureSharedKey {
        workspace_id: String,
        secret: SecretReference,
    },
    /// A token for a Google service account; the secret is the JSON of its key file.
    GoogleServiceAccount {
        /// Instead of the key file's own.
        token_url: Option<Url>,
        scope: String,
        secret: SecretReference,
    },
    /// AWS Signature Version 4; the secret is the secret access key.
    AwsSigV4 {
        region: String,
        service: String,
        access_key_id: String,
        /// Of temporary credentials.
        session_token: Option<SecretReference>,
        secret: SecretReference,
    },
    /// A token of the identity that Azure gave to this machine, from its metadata service.
    AzureManagedIdentity {
        resource: String,
        /// Of an identity that the machine was given beside its own.
        client_id: Option<String>,
        /// An agent that speaks the same, instead of the metadata service.
        token_url: Option<Url>,
    },
    None,
}

impl Authentication {
    /// For requests that are only shown, at an endpoint that may have a place for a secret.
    pub fn shown_at(endpoint: &Url) -> Authentication {
        match url_path::occurrences(endpoint.path()) {
            (_, 0) => Authentication::None,
            _ => Authentication::UrlPath { secret: SecretReference::Env("SECRET".to_owned()) },
        }
    }

    /// The headers that carry the credential.
    pub fn headers(&self) -> Vec<HeaderName> {
        match self {
            Authentication::Header { header, .. } | Authentication::Hmac { header, .. } => {
                vec![header.clone()]
            }
            Authentication::Bearer { .. }
            | Authentication::Basic { .. }
            | Authentication::OAuth2ClientCredentials { .. }
            | Authentication::GoogleServiceAccount { .. }
            | Authentication::AzureManagedIdentity { .. } => vec![AUTHORIZATION],
            Authentication::StandardWebhooks { .. } => standard_webhooks::HEADERS.to_vec(),
            Authentication::AzureSharedKey { .. } => azure_shared_key::HEADERS.to_vec(),
            Authentication::AwsSigV4 { .. } => aws_sigv4::HEADERS.to_vec(),
            Authentication::UrlPath { .. } | Authentication::BodyField { .. } | Authentication::None => {
                Vec::new()
            }
        }
    }

    /// A second secret that belongs to the first.
    pub fn session_token(&self) -> Option<&SecretReference> {
        match self {
            Authentication::AwsSigV4 { session_token, .. } => session_token.as_ref(),
            _ => None,
        }
    }

    /// Whether requests carry a token that is got for the secret, or for being who we are.
    /// Whether a SIEM may mean the credential with this status. One that is part of the body or of the URL is to many of
    /// them a bad body, or a URL that does not exist.
    pub(crate) fn may_be_refused_with(&self, status: u16) -> bool {
        match self {
            Authentication::BodyField { .. } => matches!(status, 400 | 401 | 403 | 422),
            Authentication::UrlPath { .. } => matches!(status, 401 | 403 | 404 | 410),
            _ => matches!(status, 401 | 403),
        }
    }

    pub(super) fn is_by_token(&self) -> bool {
        matches!(
            self,
            Authentication::OAuth2ClientCredentials { .. }
                | Authentication::GoogleServiceAccount { .. }
                | Authentication::AzureManagedIdentity { .. }
        )
    }

    /// Where it gets tokens, as far as that is configured.
    pub(crate) fn token_url(&self) -> Option<&Url> {
        match self {
            Authentication::OAuth2ClientCredentials { token_url, .. } => Some(token_url),
            Authentication::GoogleServiceAccount { token_url, .. }
            | Authentication::AzureManagedIdentity { token_url, .. } => token_url.as_ref(),
            _ => None,
        }
    }

    /// Whether this value of its secret can be used at all, as far as the scheme has a form for it.
    pub fn check_secret(&self, secret: &Secret) -> Result<(), AttemptError> {
        match self {
            Authentication::StandardWebhooks { .. } => standard_webhooks::check(secret),
            Authentication::AzureSharedKey { .. } => azure_shared_key::check(secret),
            Authentication::GoogleServiceAccount { token_url, scope, .. } => {
                google_service_account::check(token_url.as_ref(), scope, secret)
            }
            _ => Ok(()),
        }
    }

    /// The secret that it needs.
    pub fn secret(&self) -> Option<&SecretReference> {
        match self {
            Authentication::Header { secret, .. }
            | Authentication::Bearer { secret }
            | Authentication::Basic { secret, .. }
            | Authentication::OAuth2ClientCredentials { secret, .. }
            | Authentication::UrlPath { secret }
            | Authentication::BodyField { secret, .. }
            | Authentication::Hmac { secret, .. }
            | Authentication::StandardWebhooks { secret }
            | Authentication::AzureSharedKey { secret, .. }
            | Authentication::GoogleServiceAccount { secret, .. }
            | Authentication::AwsSigV4 { secret, .. } => Some(secret),
            Authentication::AzureManagedIdentity { .. } | Authentication::None => None,
        }
    }
}
