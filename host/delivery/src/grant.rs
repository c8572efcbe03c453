//! What a formatter asks for, checked: the request that a destination makes.
//!
//! A profile comes out of a guest, so it may claim anything. [`GrantedProfile::check`] is the only way to a
//! [`GrantedProfile`], and nothing is sent without one.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use siemaphore_model::formatter::{self, Compression, Framing, Pending, Probe, RequestProfile};
use thiserror::Error;
use url::Url;

use crate::auth::{Authentication, granted_with_field};
use crate::endpoint::{self, EndpointError};
use crate::framing;
use crate::group::{Group, Grouping, pieces};
use crate::path::{self, PathError};

const MAX_HEADERS: usize = 32;
const MAX_QUERY_PAIRS: usize = 64;
/// The longest name or value of a header or a query pair.
const MAX_TEXT_BYTES: usize = 4096;
/// The longest body of a probe.
const MAX_PROBE_BYTES: usize = 64 * 1024;

/// Headers that belong to the host: they say where a request goes, who sends it, and how its body is read. Gateways
/// and frameworks know a few more by which a request becomes another one than the request line says.
const REFUSED_HEADERS: [&str; 25] = [
    "host",
    "authorization",
    "cookie",
    "set-cookie",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "expect",
    "content-length",
    "content-encoding",
    "content-type",
    "accept-encoding",
    "forwarded",
    "user-agent",
    "x-original-url",
    "x-rewrite-url",
    "x-original-host",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];
const REFUSED_PREFIXES: [&str; 2] = ["proxy-", "x-forwarded-"];

/// What is percent-encoded in a header value: all that is not visible ASCII or a space.
const HEADER_VALUE: &AsciiSet = CONTROLS;

/// A request profile that passed all rules, for one endpoint and one way to authenticate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedProfile {
    profile: RequestProfile,
    grouping: Grouping,
    summary: String,
    probe_summary: Option<String>,
}

/// A profile that asks for something it cannot have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GrantError {
    #[error("the method {0} is not POST or PUT")]
    Method(&'static str),
    #[error(transparent)]
    Path(#[from] PathError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("the header `{0}` belongs to the host")]
    RefusedHeader(String),
    #[error("the header `{0}` is where this destination's secret goes")]
    CredentialHeader(String),
    #[error("the header `{0}` is not a valid name or value")]
    BadHeader(String),
    #[error("the header `{0}` is there twice")]
    RepeatedHeader(String),
    #[error("the header `{header}` holds `{{{name}}}`, which is not a placeholder")]
    HeaderPlaceholder { header: String, name: String },
    #[error("the content type `{0}` is not a valid header value")]
    ContentType(String),
    #[error("the limit `{0}` is 0")]
    ZeroLimit(&'static str),
    #[error("the framing leaves no room for a record within {0} bytes of body")]
    NoRoom(u32),
    #[error("there are more than {limit} {what}")]
    TooMany { what: &'static str, limit: usize },
    #[error("a name or value of the {0} is longer than {MAX_TEXT_BYTES} bytes")]
    TooLong(&'static str),
    #[error("this destination's secret goes into the body, and the formatter {0}")]
    BodyField(&'static str),
    #[error("the body of the probe is longer than {MAX_PROBE_BYTES} bytes")]
    ProbeBody,
}

impl GrantError {
    /// What to do, for the operator or the formatter's author.
    pub fn hint(&self) -> &'static str {
        match self {
            GrantError::Endpoint(error) => error.hint(),
            GrantError::CredentialHeader(_) => {
                "change the formatter's settings so that it leaves this header out, or authenticate in another way"
            }
            GrantError::BodyField(_) => {
                "authenticate in another way, or use a formatter that sends one plain JSON object per request"
            }
            GrantError::RefusedHeader(_) => {
                "leave the header out of the formatter's profile: the host sets it"
            }
            _ => {
                "check the formatter's settings; if they are right, its author has to correct the request it asks for"
            }
        }
    }
}

/// Method, URL and headers of a request, without credentials and without a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
}

impl GrantedProfile {
    /// Checks everything that `profile` asks for.
    pub fn check(
        profile: &RequestProfile,
        authentication: &Authentication,
        endpoint: &Url,
    ) -> Result<Self, GrantError> {
        endpoint::check(endpoint, authentication)?;
        if profile.method == formatter::Method::Get {
            return Err(GrantError::Method(profile.method.as_str()));
        }
        path::check(&profile.path)?;
        profile.follow_up_path.as_deref().map_or(Ok(()), path::check)?;
        check_query(&profile.query)?;
        check_headers(profile, authentication)?;
        check_limits(profile)?;
        profile.probe.as_ref().map_or(Ok(()), check_probe)?;
        let granted = match authentication {
            Authentication::BodyField { .. } => granted_with_field(profile.clone())?,
            _ => profile.clone(),
        };
        Ok(GrantedProfile {
            profile: granted,
            grouping: Grouping::of(profile),
            summary: summary(profile, endpoint),
            probe_summary: profile.probe.as_ref().map(|probe| probe_summary(profile, probe, endpoint)),
        })
    }

    /// What was granted.
    pub fn profile(&self) -> &RequestProfile {
        &self.profile
    }

    /// The whole request line, placeholders as they are: `POST https://splunk.example.com:8088/services/collector/event`.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The request line of the probe in the same form, if the profile has one.
    pub fn probe_summary(&self) -> Option<&str> {
        self.probe_summary.as_deref()
    }

    /// What events are grouped by before they are framed.
    pub fn grouping(&self) -> Grouping {
        self.grouping
    }

    /// How bodies are compressed: the first way in the formatter's list that the host has.
    pub fn compression(&self) -> Option<Compression> {
        self.profile.compression.iter().copied().find(|compression| *compression == Compression::Gzip)
    }

    /// The head of the request for the events of `group`.
    pub fn head(&self, endpoint: &Url, group: &Group) -> RequestHead {
        let profile = &self.profile;
        RequestHead {
            method: method(profile.method),
            url: endpoint::join(endpoint, &profile.path, &profile.path, &profile.query, group),
            headers: self.headers(group),
        }
    }

    /// The head of the probe, if the profile has one.
    pub(crate) fn probe_head(&self, endpoint: &Url, group: &Group) -> Option<RequestHead> {
        let probe = self.profile.probe.as_ref()?;
        Some(RequestHead {
            method: if probe.get { Method::GET } else { method(self.profile.method) },
            url: endpoint::join(endpoint, &self.profile.path, &probe.path, &probe.query, group),
            headers: self.headers(group),
        })
    }

    /// The head of a follow-up, if the profile has a path for it.
    pub(crate) fn follow_up_head(
        &self,
        endpoint: &Url,
        group: &Group,
        pending: &Pending,
    ) -> Option<RequestHead> {
        let path = self.profile.follow_up_path.as_deref()?;
        Some(RequestHead {
            method: if pending.body.is_empty() { Method::GET } else { Method::POST },
            url: endpoint::join(endpoint, &self.profile.path, path, &pending.query, group),
            headers: self.headers(group),
        })
    }

    fn headers(&self, group: &Group) -> HeaderMap {
        let own = self.profile.headers.iter().map(|(name, value)| (name.as_str(), group.fill(value)));
        let content_type = [("content-type", self.profile.content_type.as_str().into())];
        own.chain(content_type)
            .filter_map(|(name, value)| Some((name.parse().ok()?, header_value(&value)?)))
            .collect()
    }
}

/// Query pairs of a `pending` verdict come from a guest at run time and obey the same limits.
pub(crate) fn check_query(query: &[(String, String)]) -> Result<(), GrantError> {
    if query.len() > MAX_QUERY_PAIRS {
        return Err(GrantError::TooMany { what: "query pairs", limit: MAX_QUERY_PAIRS });
    }
    check_lengths("query", query)
}

fn check_lengths(what: &'static str, pairs: &[(String, String)]) -> Result<(), GrantError> {
    let too_long = |text: &String| text.len() > MAX_TEXT_BYTES;
    if pairs.iter().any(|(name, value)| too_long(name) || too_long(value)) {
        return Err(GrantError::TooLong(what));
    }
    Ok(())
}

fn check_headers(profile: &RequestProfile, authentication: &Authentication) -> Result<(), GrantError> {
    if profile.headers.len() > MAX_HEADERS {
        return Err(GrantError::TooMany { what: "headers", limit: MAX_HEADERS });
    }
    check_lengths("headers", &profile.headers)?;
    if profile.content_type.is_empty() || HeaderValue::from_str(&profile.content_type).is_err() {
        return Err(GrantError::ContentType(profile.content_type.escape_debug().to_string()));
    }
    let credential_headers = authentication.headers();
    let mut seen: Vec<HeaderName> = Vec::new();
    for (name, value) in &profile.headers {
        let shown = || name.escape_debug().to_string();
        let header: HeaderName = name.parse().map_err(|_| GrantError::BadHeader(shown()))?;
        // The credential's own header first: its error says more than that of a refused one.
        let reads_as = header.as_str().replace('_', "-");
        if credential_headers.iter().any(|own| own.as_str().replace('_', "-") == reads_as) {
            return Err(GrantError::CredentialHeader(shown()));
        }
        if is_the_hosts(header.as_str()) {
            return Err(GrantError::RefusedHeader(shown()));
        }
        pieces(value)
            .map_err(|name| GrantError::HeaderPlaceholder { header: shown(), name: name.to_owned() })?;
        header_value(value).ok_or_else(|| GrantError::BadHeader(shown()))?;
        if seen.contains(&header) {
            return Err(GrantError::RepeatedHeader(shown()));
        }
        seen.push(header);
    }
    Ok(())
}

/// Servers for CGI, and some proxies, read an underscore as a hyphen.
fn is_the_hosts(header: &str) -> bool {
    let header = header.replace('_', "-");
    REFUSED_HEADERS.contains(&header.as_str())
        || REFUSED_PREFIXES.iter().any(|prefix| header.starts_with(prefix))
}

fn check_limits(profile: &RequestProfile) -> Result<(), GrantError> {
    let limits = profile.limits;
    for (name, limit) in [
        ("records", limits.records),
        ("body-bytes", limits.body_bytes),
        ("record-bytes", limits.record_bytes),
    ] {
        if limit == 0 {
            return Err(GrantError::ZeroLimit(name));
        }
    }
    if framing::overhead_of_one(&profile.framing) >= limits.body_bytes as usize {
        return Err(GrantError::NoRoom(limits.body_bytes));
    }
    match &profile.framing {
        Framing::Enclosed { prefix, separator, suffix }
            if prefix.len().max(separator.len()).max(suffix.len()) > MAX_TEXT_BYTES =>
        {
            Err(GrantError::TooLong("framing"))
        }
        _ => Ok(()),
    }
}

fn check_probe(probe: &Probe) -> Result<(), GrantError> {
    path::check(&probe.path)?;
    check_query(&probe.query)?;
    if probe.body.len() > MAX_PROBE_BYTES { Err(GrantError::ProbeBody) } else { Ok(()) }
}

fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&utf8_percent_encode(text, HEADER_VALUE).to_string()).ok()
}

fn method(method: formatter::Method) -> Method {
    match method {
        formatter::Method::Get => Method::GET,
        formatter::Method::Post => Method::POST,
        formatter::Method::Put => Method::PUT,
    }
}

/// As [`GrantedProfile::head`] builds it, but with the placeholders' names for their values.
fn summary(profile: &RequestProfile, endpoint: &Url) -> String {
    request_line(profile.method.as_str(), profile, (&profile.path, &profile.query), endpoint)
}

/// As [`GrantedProfile::probe_head`] builds it.
fn probe_summary(profile: &RequestProfile, probe: &Probe, endpoint: &Url) -> String {
    let method = if probe.get { "GET" } else { profile.method.as_str() };
    request_line(method, profile, (&probe.path, &probe.query), endpoint)
}

fn request_line(
    method: &str,
    profile: &RequestProfile,
    (path, query): (&str, &[(String, String)]),
    endpoint: &Url,
) -> String {
    let names = Group {
        organization: "{organization}".to_owned(),
        project: Some("{project}".to_owned()),
        producer: "{producer}".to_owned(),
    };
    let url = endpoint::join(endpoint, &profile.path, path, query, &names);
    let (path, query) = url.as_str().split_at(url.as_str().find('?').unwrap_or(url.as_str().len()));
    // An encoded brace in a path can come from nothing but a name.
    let path = path.replace("%7B", "{").replace("%7D", "}");
    format!("{method} {path}{query}")
}

#[cfg(test)]
pub(crate) mod tests_support {
    //! A profile for the tests of the modules that need one.

    use siemaphore_model::formatter::Limits;

    use super::*;

    pub(crate) fn profile() -> RequestProfile {
        RequestProfile {
            method: formatter::Method::Post,
            path: "/services/collector/event".into(),
            query: Vec::new(),
            content_type: "application/json".into(),
            headers: Vec::new(),
            follow_up_path: None,
            sticky: false,
            framing: Framing::Concatenated,
            limits: Limits { records: 100, body_bytes: 1000, record_bytes: 500 },
            compression: vec![Compression::Zstd, Compression::Gzip],
            probe: None,
            replay_window: None,
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
