//! Why an attempt has no answer of the SIEM.

use std::time::Duration;

use siemaphore_http::SendError;
use siemaphore_secrets::SecretError;
use thiserror::Error;

use crate::auth::TokenError;
use crate::classify::Decision;
use crate::connection::ClientCertificateError;
use crate::grant::GrantError;

/// No answer: what failed, in words without secrets, and what the operator can do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct AttemptError {
    pub kind: AttemptErrorKind,
    pub reason: String,
    pub hint: String,
    /// How long somebody asked us to wait.
    pub retry_after: Option<Duration>,
    /// Whether trying again helps only after somebody changed something.
    pub needs_operator: bool,
}

/// Where an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptErrorKind {
    /// The secret could not be read or cannot be used.
    Secret,
    /// The token endpoint gave no token.
    Token,
    /// The request could not be made from what was granted.
    Request,
    /// The address or URL may not be used.
    Refused,
    Dns,
    Connect,
    Tls,
    Timeout,
    /// The connection ended before or within the answer.
    Reset,
}

impl AttemptError {
    pub(crate) fn unusable_secret() -> Self {
        Self::secret(
            "the secret has characters that no header can hold",
            "store the secret on one line, in plain ASCII, and without anything around it",
        )
    }

    /// A secret that its scheme can do nothing with.
    pub(crate) fn secret(reason: &str, hint: &str) -> Self {
        AttemptError { kind: AttemptErrorKind::Secret, ..Self::request(reason.to_owned(), hint) }
    }

    /// A connection that cannot be made, until somebody changes something.
    pub(crate) fn tls(reason: String, hint: &str) -> Self {
        AttemptError { kind: AttemptErrorKind::Tls, ..Self::request(reason, hint) }
    }

    pub(crate) fn missing_path(what: &str) -> Self {
        let reason = format!("the formatter asked for a {what}, which its profile does not have");
        Self::request(reason, "report this to the formatter's author")
    }

    /// A request that cannot be made, until somebody changes something.
    pub(crate) fn request(reason: String, hint: &str) -> Self {
        AttemptError {
            kind: AttemptErrorKind::Request,
            reason,
            hint: hint.to_owned(),
            retry_after: None,
            needs_operator: true,
        }
    }

    /// What this means for the records of the request: they stay.
    pub fn decision(&self) -> Decision {
        let (reason, hint) = (self.reason.clone(), self.hint.clone());
        if self.needs_operator {
            Decision::Hold { reason, hint }
        } else {
            Decision::Retry { after: self.retry_after, reason, hint }
        }
    }
}

impl From<SendError> for AttemptError {
    fn from(error: SendError) -> Self {
        let kind = match &error {
            SendError::Url(_) | SendError::Refused { .. } => AttemptErrorKind::Refused,
            SendError::Dns { .. } => AttemptErrorKind::Dns,
            SendError::Connect { .. } => AttemptErrorKind::Connect,
            SendError::Tls { .. } => AttemptErrorKind::Tls,
            SendError::ConnectTimeout { .. } | SendError::Timeout { .. } | SendError::Silent { .. } => {
                AttemptErrorKind::Timeout
            }
            SendError::Reset { .. } | SendError::Body { .. } => AttemptErrorKind::Reset,
            SendError::Request { .. } => AttemptErrorKind::Request,
        };
        AttemptError {
            kind,
            reason: error.to_string(),
            hint: error.hint().to_owned(),
            retry_after: None,
            needs_operator: error.needs_operator(),
        }
    }
}

impl From<SecretError> for AttemptError {
    fn from(error: SecretError) -> Self {
        AttemptError {
            kind: AttemptErrorKind::Secret,
            reason: error.to_string(),
            hint: error.hint().to_owned(),
            retry_after: None,
            needs_operator: true,
        }
    }
}

impl From<ClientCertificateError> for AttemptError {
    fn from(error: ClientCertificateError) -> Self {
        match error {
            ClientCertificateError::Certificate(error) | ClientCertificateError::Key(error) => error.into(),
            ClientCertificateError::Identity(error) => Self::tls(error.to_string(), error.hint()),
        }
    }
}

impl From<TokenError> for AttemptError {
    fn from(error: TokenError) -> Self {
        if let TokenError::Unusable(error) = error {
            return error;
        }
        AttemptError {
            kind: AttemptErrorKind::Token,
            reason: error.to_string(),
            hint: error.hint().to_owned(),
            retry_after: error.retry_after(),
            needs_operator: error.needs_operator(),
        }
    }
}

impl From<GrantError> for AttemptError {
    fn from(error: GrantError) -> Self {
        AttemptError {
            kind: AttemptErrorKind::Request,
            reason: error.to_string(),
            hint: error.hint().to_owned(),
            retry_after: None,
            needs_operator: true,
        }
    }
}
