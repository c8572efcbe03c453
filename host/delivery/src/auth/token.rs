//! Access tokens that are got for a secret.
//!
//! A token is asked for by one request at a time, kept until [`EARLY`] before it expires, and replaced once when a
//! SIEM answers 401 to it. How it is asked for is the scheme's.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use siemaphore_http::{Answer, Client, MetadataClient, Request};
use siemaphore_secrets::Secret;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use crate::attempt_error::AttemptError;

mod refusal;

pub(crate) use refusal::TokenError;

/// How long before its end a token is replaced.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// What a token endpoint that does not say how long its token lives is taken to mean.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(10 * 60);
/// The longest that a token is kept, whatever its endpoint says.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest token taken: beyond it, servers refuse the header.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// How much of a token endpoint's answer is read.
const MAX_TOKEN_ANSWER_BYTES: usize = 256 * 1024;

/// What is asked of a token endpoint.
pub(super) struct TokenRequest {
    question: Question,
    /// What must not be seen, neither in the endpoint's answer nor in one of the SIEM.
    secrets: Vec<Secret>,
}

enum Question {
    Http(Request),
    Metadata { resource: String, client_id: Option<String> },
}

impl TokenRequest {
    pub(super) fn new(request: Request, secrets: Vec<Secret>) -> Self {
        TokenRequest { question: Question::Http(request), secrets }
    }

    /// Of Azure's metadata service.
    pub(super) fn of_metadata(resource: &str, client_id: Option<&str>) -> Self {
        let (resource, client_id) = (resource.to_owned(), client_id.map(str::to_owned));
        TokenRequest { question: Question::Metadata { resource, client_id }, secrets: Vec::new() }
    }

    pub(super) fn of_form(token_url: &Url, pairs: &[(&str, &str)], secrets: Vec<Secret>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let body = Serializer::new(String::new()).extend_pairs(pairs).finish();
        let request =
            Request { method: Method::POST, url: token_url.clone(), headers, body: Bytes::from(body) };
        Self::new(request, secrets)
    }
}

/// The token of one destination.
pub(crate) struct TokenSource {
    client: Client,
    metadata: MetadataClient,
    /// Held while a token is fetched, so that the others wait for that one.
    token: Mutex<Option<Token>>,
}

struct Token {
    value: Secret,
    origins: Vec<Secret>,
    use_until: Instant,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    /// Seconds: a number by the standard, a string from some endpoints of Microsoft.
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
}

impl TokenSource {
    pub(crate) fn new(client: &Client, metadata: MetadataClient) -> Self {
        let client = client.with_answer_bytes(MAX_TOKEN_ANSWER_BYTES);
        TokenSource { client, metadata, token: Mutex::new(None) }
    }

    /// The token in use, or a new one, and the secrets that it was got with.
    pub(super) async fn token(
        &self,
        request: impl FnOnce() -> Result<TokenRequest, AttemptError>,
    ) -> Result<(Secret, Vec<Secret>), TokenError> {
        let mut token = self.token.lock().await;
        if let Some(token) = token.as_ref().filter(|token| Instant::now() < token.use_until) {
            return Ok((token.value.clone(), token.origins.clone()));
        }
        let TokenRequest { question, secrets } = request()?;
        let answer = match question {
            Question::Http(request) => self.client.send(request).await?,
            Question::Metadata { resource, client_id } => {
                self.metadata.identity_token(&resource, client_id.as_deref()).await?
            }
        };
        if answer.status != 200 {
            return Err(TokenError::refused(&answer, &secrets));
        }
        let (value, use_until) = parse(&answer)?;
        *token = Some(Token { value: value.clone(), origins: secrets.clone(), use_until });
        Ok((value, secrets))
    }

    /// Forgets the token that was refused, unless another one has taken its place.
    pub(super) async fn discard(&self, refused: &Secret) {
        self.token.lock().await.take_if(|token| token.value.same_value(refused));
    }
}

/// The token, and until when it is used.
fn parse(answer: &Answer) -> Result<(Secret, Instant), TokenError> {
    let parsed: TokenAnswer = serde_json::from_slice(&answer.body)
        .map_err(|_| TokenError::Unreadable("it is not the JSON of a token"))?;
    let access_token = Zeroizing::new(parsed.access_token);
    if access_token.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::Unreadable("the token is longer than 16 KiB"));
    }
    if access_token.is_empty() || !access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TokenError::Unreadable("the token is empty or has characters that no header can hold"));
    }
    let lifetime = lifetime(parsed.expires_in.as_ref());
    // Half of a short life, so that a token of five minutes is not asked for with every request.
    let kept = lifetime.saturating_sub(EARLY).max(lifetime / 2);
    Ok((Secret::new(&access_token), Instant::now() + kept))
}

fn lifetime(expires_in: Option<&serde_json::Value>) -> Duration {
    let seconds = match expires_in {
        Some(serde_json::Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_u64(),
        None => None,
    };
    seconds.map_or(DEFAULT_LIFETIME, Duration::from_secs).min(MAX_LIFETIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(body: &str) -> Result<(Secret, Instant), TokenError> {
        let body = Bytes::copy_from_slice(body.as_bytes());
        parse(&Answer { status: 200, headers: HeaderMap::new(), body, truncated: false })
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_used_until_five_minutes_before_its_end() {
        for (expires_in, kept) in [
            ("3599", 3299),
            ("\"3599\"", 3299),
            ("400", 200),
            ("0", 0),
            ("null", 300),
            ("-1", 300),
            ("\"soon\"", 300),
            ("99999999999", 86_100),
        ] {
            let body = format!(r#"{{"token_type":"Bearer","access_token":"abc","expires_in":{expires_in}}}"#);
            let (_, use_until) = token(&body).expect("a token");
            assert_eq!(use_until - Instant::now(), Duration::from_secs(kept), "{expires_in}");
        }
    }

    #[test]
    fn an_answer_without_a_usable_token_is_refused() {
        let long = format!(r#"{{"access_token":"{}"}}"#, "a".repeat(MAX_TOKEN_BYTES + 1));
        for body in ["", "<html>", "{}", r#"{"access_token":""}"#, r#"{"access_token":"a\nb"}"#, &long] {
            assert!(matches!(token(body), Err(TokenError::Unreadable(_))), "{body}");
        }
    }
}
