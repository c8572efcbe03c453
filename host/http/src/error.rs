//! Why there is no answer, sorted by what to do about it.
//!
//! No variant holds a URL: only the host is named.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::UrlError;
use crate::egress::RefusedAddress;
use crate::resolver::ResolveError;
use crate::tls_fault::TlsFault;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("the name {host} does not resolve: {reason}")]
    Dns { host: String, reason: String },
    #[error("{host} may not be dialled: {refused}")]
    Refused { host: String, refused: RefusedAddress },
    #[error("cannot connect to {host}: {reason}")]
    Connect { host: String, reason: String },
    #[error("TLS with {host} failed: {fault}")]
    Tls { host: String, fault: TlsFault },
    #[error("connecting to {host} took too long")]
    ConnectTimeout { host: String },
    #[error("{host} took too long to answer")]
    Timeout { host: String },
    #[error("{host} closed the connection before it answered: {reason}")]
    Reset { host: String, reason: String },
    #[error("{host} sent nothing for {} s", after.as_secs())]
    Silent { host: String, after: Duration },
    #[error("the answer of {host} broke off: {reason}")]
    Body { host: String, reason: String },
    #[error("the request to {host} could not be built: {reason}")]
    Request { host: String, reason: String },
}

impl SendError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            SendError::Url(error) => error.hint(),
            SendError::Dns { .. } => "check the host name of the endpoint and this machine's name servers",
            SendError::Refused { refused, .. } => refused.hint(),
            SendError::Connect { .. } => "check host, port and firewall, and that the service is running",
            SendError::Tls { fault, .. } => fault.hint(),
            SendError::ConnectTimeout { .. } => "check host and port, and that no firewall drops the packets",
            SendError::Timeout { .. } => "check the load of the service; smaller batches may help",
            SendError::Silent { .. } => {
                "it is connected again; if the stream is only quiet, let the server send comments, or wait longer"
            }
            SendError::Reset { .. } | SendError::Body { .. } => {
                "it is tried again; if it stays, look for a proxy or load balancer that closes connections early"
            }
            SendError::Request { .. } => {
                "check the endpoint and the formatter's settings for characters that a URL or header cannot hold"
            }
        }
    }

    /// Whether nothing changes until somebody changes a setting, a certificate or a network rule.
    pub fn needs_operator(&self) -> bool {
        matches!(
            self,
            SendError::Url(_) | SendError::Refused { .. } | SendError::Tls { .. } | SendError::Request { .. }
        )
    }

    /// From an error before the head of an answer was there.
    pub(crate) fn from_request(error: &reqwest::Error, host: &str) -> Self {
        let host = host.to_owned();
        if let Some(resolve) = find::<ResolveError>(error) {
            return SendError::from_resolve(resolve, host);
        }
        if let Some(tls) = find::<rustls::Error>(error) {
            return SendError::Tls { host, fault: TlsFault::of(tls) };
        }
        let reason = innermost(error);
        match (error.is_timeout(), error.is_connect()) {
            (true, true) => SendError::ConnectTimeout { host },
            (true, false) => SendError::Timeout { host },
            (false, true) => SendError::Connect { host, reason },
            (false, false) if error.is_builder() => SendError::Request { host, reason },
            (false, false) => SendError::Reset { host, reason },
        }
    }

    pub(crate) fn from_resolve(error: &ResolveError, host: String) -> Self {
        match error {
            ResolveError::Refused(refused) => SendError::Refused { host, refused: *refused },
            other => SendError::Dns { host, reason: other.to_string() },
        }
    }

    /// From an error of a connection that shakes hands.
    pub(crate) fn from_handshake(error: &io::Error, host: String) -> Self {
        match find::<rustls::Error>(error) {
            Some(tls) => SendError::Tls { host, fault: TlsFault::of(tls) },
            None => SendError::Connect { host, reason: error.to_string() },
        }
    }

    /// From an error in the middle of a body.
    pub(crate) fn from_body(error: &reqwest::Error, host: &str) -> Self {
        let host = host.to_owned();
        if error.is_timeout() {
            SendError::Timeout { host }
        } else {
            SendError::Body { host, reason: innermost(error) }
        }
    }
}

/// The first error of type `T` among an error and its sources.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = inner(error);
    }
    None
}

/// The words of the last source: the outer ones only say that sending failed, and name the URL.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(error) = inner(last) {
        last = error;
    }
    // The outermost error shows the URL; when it has no source, its own words are not for others.
    if last.is::<reqwest::Error>() { "no details".to_owned() } else { last.to_string() }
}

/// The source of an error. `io::Error` hides what it carries from `source`, and TLS errors travel in one.
fn inner<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(carried) => Some(carried),
        None => error.source(),
    }
}
