//! One synthetic event through every step but the log: what "Save & test" means everywhere.

use std::sync::Arc;

use serde::Serialize;
use siemaphore_delivery::{Answer, AttemptError, Cookies, Decision};
use siemaphore_model::EventBuffer;
use siemaphore_model::formatter::{Fate, Pending, Run};
use siemaphore_model::normalise::{Context, Normaliser, Scratch};

use crate::batch::Batch;
use crate::chunk::{Chunk, Lane};
use crate::confirming::{Patience, Question, Unconfirmed, confirm};
use crate::formatting::format;
use crate::sending::{Decided, decide, excerpt, now_ms, words};
use crate::suspects::Trial;
use crate::version::Version;
use crate::{PipelineConfig, Stages};

/// The type of the event that a test sends, to be searched for in the SIEM.
const EVENT_TYPE: &str = "siemaphore.test";

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestReport {
    /// The SIEM has taken the event.
    pub ok: bool,
    /// The request line.
    pub request: Option<String>,
    pub status: Option<u16>,
    /// The beginning of the answer, without secrets.
    pub answer: String,
    pub reason: String,
    pub hint: String,
    /// The key of the event that was sent.
    pub event_key: Option<String>,
}

impl TestReport {
    pub(crate) fn failed(reason: impl Into<String>, hint: impl Into<String>) -> TestReport {
        TestReport {
            ok: false,
            request: None,
            status: None,
            answer: String::new(),
            reason: reason.into(),
            hint: hint.into(),
            event_key: None,
        }
    }
}

pub(crate) async fn run(
    stages: &Stages,
    config: &PipelineConfig,
    version: Option<Arc<Version>>,
) -> TestReport {
    let Some(version) = version else {
        let reason = format!("formatter `{}` cannot be used by this destination", stages.plugin.name());
        return TestReport::failed(reason, "`siemaphore destination list` shows why");
    };
    let chunk = match synthetic(config) {
        Ok(chunk) => chunk,
        Err(reason) => return TestReport::failed(reason, "this is a fault of Siemaphore: please report it"),
    };
    let key = chunk.iter().next().map(|event| event.key().to_string());
    let request = Some(version.profile.summary().to_owned());
    let report = send_once(stages, version, chunk).await;
    TestReport { request, event_key: key, ..report }
}

async fn send_once(stages: &Stages, version: Arc<Version>, chunk: Chunk) -> TestReport {
    let formatted = format(&stages.sandbox, &version, chunk, Trial::First).await;
    let Ok(formatted) = formatted else { return TestReport::failed("the host is stopping", "") };
    let Some(batch) = formatted.batches.into_iter().next() else {
        let suspect = formatted.suspects.into_iter().chain(formatted.given_up).next();
        let (reason, hint) = suspect.map(|suspect| (suspect.reason, suspect.hint)).unwrap_or_default();
        return TestReport::failed(reason, hint);
    };
    let message_id = stages.target.names_messages().then(|| batch.message_id());
    let attempt = stages.target.attempt(&version.profile, &batch.group, &batch.body, message_id.as_ref());
    let answer = attempt.await;
    let Decided { decision, .. } = decide(stages, &version, &batch, &answer).await;
    let (status, text) = match &answer {
        Ok(answer) => (Some(answer.status), excerpt(answer)),
        Err(_) => (None, String::new()),
    };
    let decision = match decision {
        Decision::Pending(pending) => confirmed(stages, batch, pending, &answer).await,
        decision => decision,
    };
    let (reason, hint) = match &decision {
        Decision::Partial { fates, .. } => (fate_of_one(fates), ""),
        decision => words(decision),
    };
    TestReport {
        ok: matches!(decision, Decision::Delivered { .. }),
        request: None,
        status,
        answer: text,
        reason: reason.to_owned(),
        hint: hint.to_owned(),
        event_key: None,
    }
}

/// Waits for a SIEM that confirms after it has answered.
async fn confirmed(
    stages: &Stages,
    batch: Batch,
    pending: Pending,
    answer: &Result<Answer, AttemptError>,
) -> Decision {
    let mut cookies = Cookies::default();
    if let Ok(answer) = answer {
        cookies.keep(answer);
    }
    let question = Question::new(&batch, &pending, &cookies);
    let unconfirmed = Unconfirmed { batch, pending, cookies, question };
    confirm(stages, unconfirmed, Patience::OF_A_TEST).await.decision
}

/// What an answer that goes record by record says of the only one.
fn fate_of_one(fates: &[Run]) -> &str {
    match fates.first().map(|run| &run.fate) {
        Some(Fate::Rejected(reason)) => reason,
        Some(Fate::Retry) => "the SIEM wants the event to be sent again",
        Some(Fate::Delivered | Fate::Duplicate) | None => "the SIEM has had the event before",
    }
}

/// An event that says what it is.
fn synthetic(config: &PipelineConfig) -> Result<Chunk, String> {
    let now_ms = now_ms();
    let raw = serde_json::json!({
        "event_type": EVENT_TYPE,
        "event_id": format!("test-{now_ms}"),
        "timestamp": now_ms,
        "severity": "informational",
        "source": "siemaphore",
        "message": "A test of this destination by Siemaphore. Nothing has happened.",
        "destination": config.destination,
    });
    let redaction = siemaphore_model::redaction::Redaction::default();
    let normaliser = Normaliser::new("generic", &redaction).map_err(|error| error.to_string())?;
    let context = Context {
        organization: &config.organization,
        source: "siemaphore",
        received_ns: now_ms.saturating_mul(1_000_000),
    };
    let mut events = EventBuffer::new();
    normaliser
        .normalise(&raw.to_string(), &context, &mut Scratch::default(), &mut events)
        .map_err(|refusal| refusal.to_string())?;
    Ok(Chunk::of_events(events, vec![0], Lane::Log))
}
