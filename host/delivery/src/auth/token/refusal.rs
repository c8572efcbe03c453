//! Why there is no token, and what the error codes of Entra ID mean.

use std::sync::Arc;

use serde::Deserialize;
use siemaphore_http::{Answer, SendError};
use siemaphore_secrets::Secret;
use thiserror::Error;

use crate::attempt_error::AttemptError;
use crate::clean::Cleaner;
use crate::retry;
use crate::standard::{Standing, standard};

/// How much of a token endpoint's own words is shown.
const MAX_DESCRIPTION_CHARS: usize = 300;

#[derive(Debug, Error)]
pub(crate) enum TokenError {
    /// There is nothing to ask with.
    #[error(transparent)]
    Unusable(#[from] AttemptError),
    #[error("no token: {0}")]
    Send(#[from] SendError),
    #[error("the token endpoint answered {status}: {description}")]
    Refused { status: u16, error: String, description: String, retry_after: Option<std::time::Duration> },
    #[error("the answer of the token endpoint cannot be used: {0}")]
    Unreadable(&'static str),
}

/// RFC 6749 section 5.2.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorAnswer {
    error: String,
    error_description: String,
}

/// The codes that people meet, and what to do about each.
const ENTRA_HINTS: [(&str, &str); 8] = [
    (
        "Identity not found",
        "give the machine a managed identity, or write the client_id of the one that it has",
    ),
    (
        "AADSTS7000215",
        "the client secret is wrong: copy the secret's Value, not its Secret ID, from the app registration",
    ),
    ("AADSTS7000222", "the client secret has expired: make a new one in the app registration and store it"),
    (
        "AADSTS7000229",
        "the application has no service principal in this tenant: grant it admin consent there",
    ),
    (
        "AADSTS700016",
        "the client id is not known in this tenant: check both, and use the Application (client) ID",
    ),
    (
        "AADSTS90002",
        "the tenant does not exist: check the tenant id in the token URL, and the cloud (public, US Government, China)",
    ),
    ("AADSTS900023", "the tenant id in the token URL is neither a GUID nor a domain name"),
    ("AADSTS1002012", "the scope must end in /.default, as in https://monitor.azure.com/.default"),
];

impl TokenError {
    /// From an answer other than 200, without the secrets of the request should they be echoed.
    pub(super) fn refused(answer: &Answer, secrets: &[Secret]) -> Self {
        let cleaned = Arc::new(Cleaner::new(secrets)).answer(answer.clone());
        let parsed: ErrorAnswer = serde_json::from_slice(&cleaned.body).unwrap_or_default();
        // Entra ID adds trace ids on further lines.
        let words = parsed.error_description.lines().next().unwrap_or_default();
        let description = match (words, parsed.error.as_str()) {
            ("", "") => "no reason given",
            ("", error) => error,
            (words, _) => words,
        };
        TokenError::Refused {
            status: cleaned.status,
            description: description
                .chars()
                .filter(|c| !c.is_control())
                .take(MAX_DESCRIPTION_CHARS)
                .collect(),
            retry_after: retry::retry_after(&cleaned),
            error: parsed.error,
        }
    }

    /// Whether the endpoint knows the client but not its secret, or does not take its signature.
    pub(crate) fn is_refused_client(&self) -> bool {
        let of_client = |error: &str| matches!(error, "invalid_client" | "invalid_grant");
        matches!(self, TokenError::Refused { error, .. } if of_client(error))
    }

    /// Whether nothing changes until somebody changes something.
    pub(crate) fn needs_operator(&self) -> bool {
        match self {
            TokenError::Send(error) => error.needs_operator(),
            TokenError::Refused { status, .. } => standard(*status) != Standing::Retry,
            TokenError::Unusable(error) => error.needs_operator,
            TokenError::Unreadable(_) => true,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            TokenError::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn hint(&self) -> &str {
        match self {
            TokenError::Unusable(error) => &error.hint,
            TokenError::Send(error) => error.hint(),
            TokenError::Unreadable(_) => "check the token URL: it should be the OAuth2 token endpoint itself",
            TokenError::Refused { status, error, description, .. } => ENTRA_HINTS
                .iter()
                .find(|(code, _)| names_code(description, code))
                .map_or_else(|| hint_of(*status, error), |(_, hint)| hint),
        }
    }
}

fn hint_of(status: u16, error: &str) -> &'static str {
    match (error, status) {
        ("invalid_grant", _) => {
            "check that the key has not been deleted, the account not disabled, and this machine's clock"
        }
        ("invalid_client", _) => "check the client id and the client secret",
        ("invalid_scope", _) => "check the scope that is configured for the destination",
        ("unauthorized_client", _) => "allow the client credentials grant for this application",
        (_, 404 | 405) => "check the token URL",
        (_, 429 | 500..=599) => "the token endpoint is busy or down; it is asked again",
        _ => "check the token URL, the client id, the client secret and the scope",
    }
}

/// `AADSTS700021` is no occurrence of `AADSTS70002`.
fn names_code(text: &str, code: &str) -> bool {
    text.match_indices(code).any(|(at, _)| {
        let behind = text.get(at + code.len()..).and_then(|rest| rest.chars().next());
        !behind.is_some_and(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    fn refused(status: u16, body: &str) -> TokenError {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let answer = Answer { status, headers: HeaderMap::new(), body, truncated: false };
        TokenError::refused(&answer, &[Secret::new("canary-secret-1")])
    }

    #[test]
    fn the_codes_of_entra_id_have_hints() {
        for (code, words) in
            [("AADSTS7000215", "Value"), ("AADSTS7000222", "expired"), ("AADSTS700016", "client id")]
        {
            let body = format!(
                r#"{{"error":"invalid_client","error_description":"{code}: Sorry.\r\nTrace ID: 1"}}"#
            );
            let error = refused(401, &body);
            assert!(error.hint().contains(words), "{code}: {}", error.hint());
            assert!(error.needs_operator() && error.is_refused_client());
            assert_eq!(error.to_string(), format!("the token endpoint answered 401: {code}: Sorry."));
        }
    }

    #[test]
    fn a_code_is_not_found_in_a_longer_one() {
        assert!(names_code("AADSTS70002: x", "AADSTS70002"));
        assert!(!names_code("AADSTS700021: x", "AADSTS70002"));
    }

    #[test]
    fn an_echoed_secret_is_not_repeated() {
        let error =
            refused(400, r#"{"error":"invalid_request","error_description":"bad canary-secret-1 given"}"#);
        assert_eq!(error.to_string(), "the token endpoint answered 400: bad [secret] given");
        assert!(!format!("{error:?}").contains("canary"));
    }

    #[test]
    fn a_busy_token_endpoint_is_asked_again_and_a_refusing_one_waits_for_the_operator() {
        for (status, operator) in
            [(429, false), (503, false), (500, false), (400, true), (401, true), (404, true), (302, true)]
        {
            assert_eq!(refused(status, "<html>").needs_operator(), operator, "{status}");
        }
    }
}
