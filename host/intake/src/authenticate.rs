//! Who sends a request.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::answer::RequestError;
use crate::metrics::IntakeMetrics;
use crate::signature::{Claim, SignatureFault};
use crate::source::{ActiveSource, Sources};

/// The source of a request, if it may send now.
pub(crate) fn authenticate(
    headers: &HeaderMap,
    sources: &Sources,
    metrics: &IntakeMetrics,
) -> Result<Arc<ActiveSource>, RequestError> {
    let refuse = |reason| {
        metrics.count_unauthorized();
        RequestError::Unauthorized(reason)
    };
    let token = bearer_token(headers).ok_or_else(|| refuse("a bearer token is missing"))?;
    let source = sources.of_token(token).ok_or_else(|| refuse("the token is of no known source"))?;
    source.check_rate(Instant::now())?;
    Ok(source)
}

/// The source of a signed request, and what its head says about the signature, if it may send now.
pub(crate) fn claim(
    name: &str,
    headers: &HeaderMap,
    sources: &Sources,
    metrics: &IntakeMetrics,
) -> Result<(Arc<ActiveSource>, Claim), RequestError> {
    let refuse = |fault| {
        metrics.count_unauthorized();
        RequestError::Unsigned(fault)
    };
    let source = sources.signing(name).ok_or_else(|| refuse(SignatureFault::NoSource))?;
    let signature = source.source.signature.as_ref().ok_or_else(|| refuse(SignatureFault::NoSource))?;
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let claim = signature.claim(headers, since_1970.as_secs()).map_err(|fault| {
        source.counters.signature_failures.add(1);
        refuse(fault)
    })?;
    source.check_rate(Instant::now())?;
    Ok((source, claim))
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
