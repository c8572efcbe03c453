//! Who sends a request.

use std::sync::Arc;
use std::time::Instant;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::answer::RequestError;
use crate::metrics::IntakeMetrics;
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

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
