//! Google's token endpoint, for the grant that service accounts use: a claim, signed with the account's key, for a
//! token (RFC 7523).
//!
//! It knows one account, by its public key. What is checked is what Google checks: the signature, who claims, for whom,
//! for how long, and for which scope.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ALLOW, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, StatusCode};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::access_tokens::AccessTokens;
use crate::answer::Answer;
use crate::request::Request;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The scopes that open the Chronicle API.
const SCOPES: &[&str] =
    &["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/chronicle"];
const MAX_LIFETIME_SECONDS: u64 = 60 * 60;
/// How far the clock of a claim may be off.
const CLOCK_SKEW_SECONDS: u64 = 5 * 60;

/// A service account as Google knows it: without its private key.
#[derive(Clone, Debug)]
pub struct GoogleAccount {
    email: String,
    key_id: String,
    public_key: Vec<u8>,
}

impl GoogleAccount {
    /// The account that a key file is for; `None` if it is no key file.
    pub fn of_key_file(text: &str) -> Option<GoogleAccount> {
        let file: Value = serde_json::from_str(text).ok()?;
        let text_of = |name: &str| file.get(name).and_then(Value::as_str);
        let key = PrivatePkcs8KeyDer::from_pem_slice(text_of("private_key")?.as_bytes()).ok()?;
        let key = ring::rsa::KeyPair::from_pkcs8(key.secret_pkcs8_der()).ok()?;
        Some(GoogleAccount {
            email: text_of("client_email")?.to_owned(),
            key_id: text_of("private_key_id")?.to_owned(),
            public_key: key.public().as_ref().to_vec(),
        })
    }
}

pub(crate) struct GoogleTokens {
    pub(crate) account: GoogleAccount,
    pub(crate) tokens: Arc<AccessTokens>,
}

struct Refusal {
    error: &'static str,
    description: &'static str,
}

type Checked<T = ()> = Result<T, Refusal>;

impl GoogleTokens {
    pub(crate) const PATH: &str = "/token";

    pub(crate) fn answer(&self, request: &Request) -> Answer {
        if request.method != Method::POST {
            let mut answer = Answer::empty(StatusCode::METHOD_NOT_ALLOWED).refused("method is not POST");
            answer.header(ALLOW, HeaderValue::from_static("POST"));
            return answer;
        }
        match self.grant(request) {
            Ok(()) => {
                let seconds = self.tokens.lifetime.as_secs();
                let body = json!({
                    "access_token": self.tokens.issue(), "expires_in": seconds, "token_type": "Bearer",
                });
                Answer::json(StatusCode::OK, &body)
            }
            Err(Refusal { error, description }) => {
                let body = json!({ "error": error, "error_description": description });
                Answer::json(StatusCode::BAD_REQUEST, &body).refused(description)
            }
        }
    }

    fn grant(&self, request: &Request) -> Checked {
        let form = form(request)?;
        let field = |name: &str| form.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        if field("grant_type") != Some(GRANT_TYPE) {
            return Err(refuse("unsupported_grant_type", "Invalid grant_type: it is not jwt-bearer"));
        }
        let assertion = field("assertion").ok_or_else(|| refuse("invalid_request", "Bad Request"))?;
        let claims = self.verified(assertion)?;
        let host = request.header(HOST).unwrap_or_default();
        self.check_claims(&claims, &format!("https://{host}{}", Self::PATH))
    }

    /// The claims of an assertion that this account has signed.
    fn verified(&self, assertion: &str) -> Checked<Value> {
        let unreadable = || invalid("Invalid JWT: it is not three parts of JSON, JSON and signature");
        let (signed, signature) = assertion.rsplit_once('.').ok_or_else(unreadable)?;
        let (header, claims) = signed.split_once('.').ok_or_else(unreadable)?;
        let json = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        };
        let header = json(header).ok_or_else(unreadable)?;
        if header.get("alg") != Some(&json!("RS256")) || header.get("typ") != Some(&json!("JWT")) {
            return Err(invalid("Invalid JWT: it is not signed with RS256"));
        }
        if header.get("kid") != Some(&json!(self.account.key_id)) {
            return Err(invalid("Invalid JWT: the key is not one of this account"));
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| unreadable())?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.account.public_key)
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| invalid("Invalid JWT Signature."))?;
        json(claims).ok_or_else(unreadable)
    }

    fn check_claims(&self, claims: &Value, audience: &str) -> Checked {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(&self.account.email) {
            return Err(invalid("Invalid grant: account not found"));
        }
        if text("aud") != Some(audience) {
            return Err(invalid("Invalid JWT: Failed audience check."));
        }
        let seconds = |name: &str| claims.get(name).and_then(Value::as_u64).unwrap_or_default();
        let (issued, expires) = (seconds("iat"), seconds("exp"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let is_short = expires > issued && expires - issued <= MAX_LIFETIME_SECONDS;
        if !is_short || issued.abs_diff(now) > CLOCK_SKEW_SECONDS {
            return Err(invalid(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
                 Check your iat and exp values in the JWT claim.",
            ));
        }
        if !text("scope").is_some_and(|scope| SCOPES.contains(&scope)) {
            return Err(refuse("invalid_scope", "Invalid OAuth scope or ID token audience provided."));
        }
        Ok(())
    }
}

fn form(request: &Request) -> Checked<Vec<(String, String)>> {
    let kind = request.header(CONTENT_TYPE).unwrap_or_default();
    match &request.body {
        Ok(body) if kind.starts_with("application/x-www-form-urlencoded") => {
            Ok(url::form_urlencoded::parse(body).into_owned().collect())
        }
        _ => Err(refuse("invalid_request", "the request body is no form")),
    }
}

fn invalid(description: &'static str) -> Refusal {
    refuse("invalid_grant", description)
}

fn refuse(error: &'static str, description: &'static str) -> Refusal {
    Refusal { error, description }
}
