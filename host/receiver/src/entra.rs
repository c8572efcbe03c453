//! Microsoft Entra's token endpoint, for the client credentials grant only.
//!
//! It knows one tenant, one application and one resource.

use std::sync::Arc;

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;

use crate::access_tokens::AccessTokens;
use crate::answer::Answer;
use crate::request::Request;

/// The resource of the public cloud; Microsoft's own sample has two slashes.
const SCOPES: &[&str] = &["https://monitor.azure.com/.default", "https://monitor.azure.com//.default"];

pub(crate) struct TokenEndpoint {
    tenant: String,
    client_id: String,
    client_secret: String,
    tokens: Arc<AccessTokens>,
}

struct Refusal {
    status: StatusCode,
    error: &'static str,
    code: u32,
    detail: String,
}

impl TokenEndpoint {
    pub(crate) const PATH_END: &str = "/oauth2/v2.0/token";

    pub(crate) fn new(
        tenant: String,
        client_id: String,
        client_secret: String,
        tokens: Arc<AccessTokens>,
    ) -> Self {
        Self { tenant, client_id, client_secret, tokens }
    }

    pub(crate) fn path(&self) -> String {
        format!("/{}{}", self.tenant, Self::PATH_END)
    }

    pub(crate) fn answer(&self, request: &Request) -> Answer {
        if request.method != Method::POST {
            let mut answer = Answer::empty(StatusCode::METHOD_NOT_ALLOWED).refused("method is not POST");
            answer.header(ALLOW, HeaderValue::from_static("POST"));
            return answer;
        }
        match self.grant(request) {
            Ok(()) => self.issue(),
            Err(refusal) => refusal.answer(),
        }
    }

    fn grant(&self, request: &Request) -> Result<(), Refusal> {
        let bad = StatusCode::BAD_REQUEST;
        if request.path != self.path() {
            return Err(refuse(bad, "invalid_request", 90002, "the tenant is not known"));
        }
        let form = Form::read(request)?;
        if form.required("grant_type")? != "client_credentials" {
            return Err(refuse(bad, "unsupported_grant_type", 70003, "the grant type is not served"));
        }
        if form.required("client_id")? != self.client_id {
            return Err(refuse(bad, "unauthorized_client", 700016, "the application is not in the tenant"));
        }
        if form.required("client_secret")? != self.client_secret {
            let detail = "the client secret is wrong; send its value, not its id";
            return Err(refuse(StatusCode::UNAUTHORIZED, "invalid_client", 7000215, detail));
        }
        let scope = form.required("scope")?;
        if !scope.ends_with("/.default") {
            let detail = "the scope of a client credentials grant ends with /.default";
            return Err(refuse(bad, "invalid_scope", 1002012, detail));
        }
        if !SCOPES.contains(&scope) {
            return Err(refuse(bad, "invalid_resource", 500011, "the resource is not in the tenant"));
        }
        Ok(())
    }

    fn issue(&self) -> Answer {
        let seconds = self.tokens.lifetime.as_secs();
        let body = json!({
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": self.tokens.issue(),
        });
        Answer::json(StatusCode::OK, &body)
    }
}

/// The parameters of a token request.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(request: &Request) -> Result<Self, Refusal> {
        let is_form = request
            .header(CONTENT_TYPE)
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        match &request.body {
            Ok(body) if is_form => Ok(Self(url::form_urlencoded::parse(body).into_owned().collect())),
            _ => {
                let detail = "the request body is no form";
                Err(refuse(StatusCode::BAD_REQUEST, "invalid_request", 900144, detail))
            }
        }
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).ok_or_else(|| {
            let detail = format!("the request body has no '{name}'");
            refuse(StatusCode::BAD_REQUEST, "invalid_request", 900144, detail)
        })
    }
}

fn refuse(status: StatusCode, error: &'static str, code: u32, detail: impl Into<String>) -> Refusal {
    Refusal { status, error, code, detail: detail.into() }
}

impl Refusal {
    fn answer(self) -> Answer {
        let description = format!("AADSTS{}: {}", self.code, self.detail);
        let body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
        });
        Answer::json(self.status, &body).refused(description)
    }
}
