//! Sources: what comes in by each, what is refused and why.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use siemaphore_intake::SourceSnapshot;
use siemaphore_sources::SourceStatus;

use crate::{Handles, Source};

pub(crate) fn router() -> Router<Handles> {
    Router::new().route("/sources", get(list))
}

/// A source as the API shows it. Figures are since the start of the host.
#[derive(Debug, Serialize)]
struct SourceView {
    organization: String,
    name: String,
    kind: String,
    profile: String,
    has_schema: bool,
    state: &'static str,
    /// Why it does not go on just now; of sources that fetch.
    problem: Option<String>,
    /// What the operator can do about the problem.
    hint: Option<String>,
    accepted: u64,
    last_accepted_ms: Option<u64>,
    refused: u64,
    /// Reasons that there were.
    refused_by: BTreeMap<&'static str, u64>,
    last_refusal: Option<RefusalView>,
    /// Accepted events of versions that their profile does not know.
    unknown_versions: BTreeMap<String, u64>,
    redacted: u64,
    repeated: u64,
    rate_limited: u64,
    requests: BTreeMap<&'static str, u64>,
    refused_requests: BTreeMap<&'static str, u64>,
    signature_failures: u64,
}

#[derive(Debug, Serialize)]
struct RefusalView {
    at_ms: u64,
    reason: &'static str,
    text: String,
}

async fn list(State(handles): State<Handles>) -> Json<Vec<SourceView>> {
    let (counted, fetching) = (handles.intake.snapshot(), handles.fetching.snapshot());
    let view = |source: &Source| {
        let counted = counted.iter().find(|counted| counted.source == source.name).cloned();
        let fetching = fetching.iter().find(|status| status.source == source.name);
        view(source, counted.unwrap_or_default(), fetching)
    };
    Json(handles.sources.iter().map(view).collect())
}

fn view(source: &Source, counted: SourceSnapshot, fetching: Option<&SourceStatus>) -> SourceView {
    let problem = fetching.and_then(|status| status.problem.clone());
    let state = match (fetching, &problem) {
        (None, _) => "listening",
        (Some(_), None) => "fetching",
        (Some(_), Some(_)) => "waiting",
    };
    SourceView {
        organization: source.organization.clone(),
        name: source.name.clone(),
        kind: source.kind.clone(),
        profile: source.profile.clone(),
        has_schema: source.has_schema,
        state,
        problem,
        hint: fetching.and_then(|status| status.hint.clone()),
        accepted: counted.accepted,
        last_accepted_ms: Some(counted.last_accepted_ms).filter(|then| *then > 0),
        refused: counted.refused,
        refused_by: that_were(counted.refused_by),
        last_refusal: counted.last_refusal.map(|last| RefusalView {
            at_ms: last.at_ms,
            reason: last.reason,
            text: last.text,
        }),
        unknown_versions: counted.unknown_versions.into_iter().collect(),
        redacted: counted.redacted,
        repeated: counted.repeated,
        rate_limited: counted.rate_limited,
        requests: that_were(counted.requests),
        refused_requests: that_were(counted.refused_requests),
        signature_failures: counted.signature_failures,
    }
}

fn that_were(counts: Vec<(&'static str, u64)>) -> BTreeMap<&'static str, u64> {
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}
