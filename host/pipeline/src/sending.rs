//! One request and what its answer means.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use siemaphore_delivery::{Answer, AttemptError, Cookies, Decision, classify, response_for_guest};
use siemaphore_model::formatter::{Response, Verdict};
use siemaphore_sandbox::FormatError;
use siemaphore_store::AttemptRecord;

use crate::Stages;
use crate::batch::Batch;
use crate::version::Version;

/// A batch that has been attempted.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) batch: Batch,
    pub(crate) decision: Decision,
    /// Of the answer. None when there is none, or when nothing new was sent.
    pub(crate) status: Option<u16>,
    /// Why the formatter could not read the answer: the decision is by the status alone.
    pub(crate) broke: Option<String>,
    pub(crate) sent_bytes: usize,
    /// What the answer set, for follow-ups.
    pub(crate) cookies: Cookies,
}

impl Answered {
    /// Nothing new was sent, only asked.
    pub(crate) fn of_follow_up(batch: Batch, decision: Decision) -> Answered {
        Answered { batch, decision, status: None, broke: None, sent_bytes: 0, cookies: Cookies::default() }
    }

    /// How many of its events the SIEM may have kept, going by the status alone.
    pub(crate) fn may_be_kept(&self) -> usize {
        let success = self.status.is_some_and(|status| (200..300).contains(&status));
        if success { self.batch.members.len() } else { 0 }
    }
}

/// Sends a batch once and lets its formatter read the answer.
pub(crate) async fn send(stages: &Stages, mut batch: Batch) -> Answered {
    let version = Arc::clone(&batch.formatted.version);
    let sent_bytes = batch.body.bytes.len();
    let message_id = stages.target.names_messages().then(|| batch.message_id());
    let attempt = stages.target.attempt(&version.profile, &batch.group, &batch.body, message_id.as_ref());
    let answer = attempt.await;
    let Decided { decision, broke } = decide(stages, &version, &batch, &answer).await;
    if !matches!(decision, Decision::Delivered { .. } | Decision::Pending(_)) {
        batch.remember(record(&answer, &decision));
    }
    let mut cookies = Cookies::default();
    if let Ok(answer) = &answer {
        cookies.keep(answer);
    }
    let status = answer.as_ref().ok().map(|answer| answer.status);
    Answered { batch, decision, status, broke, sent_bytes, cookies }
}

/// What an answer means.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) decision: Decision,
    /// As in [`Answered`].
    pub(crate) broke: Option<String>,
}

pub(crate) async fn decide(
    stages: &Stages,
    version: &Arc<Version>,
    batch: &Batch,
    answer: &Result<Answer, AttemptError>,
) -> Decided {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Decided { decision: error.decision(), broke: None },
    };
    let records = saturating(batch.members.len());
    let response = response_for_guest(answer, records, saturating(batch.body.uncompressed_bytes));
    let Reading { verdict, broke } = interpret(stages, Arc::clone(version), response).await;
    Decided { decision: classify(answer, verdict, records), broke }
}

/// What the formatter says of an answer.
#[derive(Debug)]
pub(crate) struct Reading {
    /// `standard` when it broke: that leaves the judgement to the status.
    pub(crate) verdict: Verdict,
    /// Why it broke: its own doing, whatever else the machine had to do.
    pub(crate) broke: Option<String>,
}

pub(crate) async fn interpret(stages: &Stages, version: Arc<Version>, response: Response) -> Reading {
    let plugin = version.active.formatter.plugin().to_owned();
    let interpreted = stages
        .sandbox
        .run_for(&plugin, move || version.active.formatter.interpret(&version.configuration, &response))
        .await;
    match interpreted {
        Ok(Ok(verdict)) => Reading { verdict, broke: None },
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "the formatter broke on an answer; judging by the status alone");
            let is_its_doing = !matches!(error, FormatError::Host(_)) && !error.is_wall_limit();
            Reading { verdict: Verdict::Standard, broke: is_its_doing.then(|| error.to_string()) }
        }
        Err(_) => Reading { verdict: Verdict::Standard, broke: None },
    }
}

pub(crate) fn record(answer: &Result<Answer, AttemptError>, decision: &Decision) -> AttemptRecord {
    let (status, text) = match answer {
        Ok(answer) => (Some(answer.status), excerpt(answer)),
        Err(_) => (None, String::new()),
    };
    AttemptRecord { at_ms: now_ms(), status, answer: text, reason: words(decision).0.to_owned() }
}

/// So much of an answer is kept with an attempt.
const EXCERPT_BYTES: usize = 2 * 1024;

/// The beginning of an answer, which has been cleaned of secrets.
pub(crate) fn excerpt(answer: &Answer) -> String {
    let beginning = answer.body.get(..EXCERPT_BYTES).unwrap_or(&answer.body);
    String::from_utf8_lossy(beginning).chars().filter(|character| !character.is_control()).collect()
}

/// The reason and the hint of a decision; nothing for a plain success.
pub(crate) fn words(decision: &Decision) -> (&str, &str) {
    match decision {
        Decision::Delivered { note } | Decision::Partial { note, .. } => {
            note.as_ref().map_or(("", ""), |note| (&note.reason, &note.hint))
        }
        Decision::Retry { reason, hint, .. }
        | Decision::Split { reason, hint }
        | Decision::Hold { reason, hint }
        | Decision::Rejected { reason, hint } => (reason, hint),
        Decision::Uncertain { reason, .. } => (reason, ""),
        Decision::Pending(_) => ("the SIEM confirms later", ""),
    }
}

pub(crate) fn saturating(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub(crate) fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
