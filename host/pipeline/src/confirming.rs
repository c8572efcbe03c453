//! Asking a SIEM that has taken a batch what became of it, as a `pending` verdict wants it.
//!
//! A batch that waits holds no attempt slot, so that a slow indexer does not slow down delivery; how many may wait is
//! bounded by the task. Asking ends with a verdict, or with [`Patience`]: then the batch is sent again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use siemaphore_delivery::{
    Answer, AttemptError, Cookies, Decision, Schedule, classify, follow_up_response_for_guest,
};
use siemaphore_model::formatter::{Pending, Verdict};

use crate::Stages;
use crate::batch::Batch;
use crate::sending::{Answered, interpret, record, saturating};

/// How long to go on asking about one batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) questions: u32,
    pub(crate) time: Duration,
}

impl Patience {
    /// What the contract promises a formatter.
    pub(crate) const OF_THE_CONTRACT: Patience = Patience { questions: 60, time: Duration::from_secs(600) };
    /// Somebody waits for the result of a test.
    pub(crate) const OF_A_TEST: Patience = Patience { questions: 60, time: Duration::from_secs(60) };
}

/// A formatter that wants no wait still does not ask faster than this.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

const UNCONFIRMED_HINT: &str =
    "see whether the SIEM's indexers keep up; the events are sent again under the same keys";

/// A batch that a SIEM has taken, and what its formatter wants to know.
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    pub(crate) batch: Batch,
    pub(crate) pending: Pending,
    pub(crate) cookies: Cookies,
}

/// What one question brought.
enum Reply {
    Decided(Decision),
    /// Ask the same or something else, after a wait.
    Again(Option<Pending>, Duration),
}

/// Asks until it is known what became of the batch, or until patience ends.
pub(crate) async fn confirm(stages: &Stages, unconfirmed: Unconfirmed, patience: Patience) -> Answered {
    let Unconfirmed { mut batch, mut pending, mut cookies } = unconfirmed;
    let began = Instant::now();
    let mut wait = Duration::from_millis(pending.after_ms);
    for question in 1..=patience.questions {
        let left = patience.time.saturating_sub(began.elapsed());
        tokio::time::sleep(wait.clamp(SHORTEST_WAIT, patience.time).min(left)).await;
        let profile = &batch.formatted.version.profile;
        let answer = stages.target.follow_up(profile, &batch.group, &pending, &cookies).await;
        if let Ok(answer) = &answer {
            cookies.keep(answer);
        }
        match read(stages, &batch, &pending, &answer, question).await {
            Reply::Decided(decision) => {
                if !matches!(decision, Decision::Delivered { .. }) {
                    batch.remember(record(&answer, &decision));
                }
                return Answered::of_follow_up(batch, decision);
            }
            Reply::Again(next, after) => {
                pending = next.unwrap_or(pending);
                wait = after;
            }
        }
        if began.elapsed() >= patience.time {
            break;
        }
    }
    let reason =
        format!("the SIEM took the events and did not confirm them within {} s", began.elapsed().as_secs());
    Answered::of_follow_up(batch, Decision::Retry { after: None, reason, hint: UNCONFIRMED_HINT.to_owned() })
}

async fn read(
    stages: &Stages,
    batch: &Batch,
    pending: &Pending,
    answer: &Result<Answer, AttemptError>,
    question: u32,
) -> Reply {
    let own_pace = || Schedule::default().wait(question, fastrand::f64());
    let answer = match answer {
        Ok(answer) => answer,
        // The batch may have arrived: asking again is better than sending again.
        Err(error) if !error.needs_operator => {
            return Reply::Again(None, error.retry_after.unwrap_or_else(own_pace));
        }
        Err(error) => return Reply::Decided(error.decision()),
    };
    let records = saturating(batch.members.len());
    let body_bytes = saturating(batch.body.uncompressed_bytes);
    let response = follow_up_response_for_guest(answer, pending.state.clone(), records, body_bytes);
    let verdict = interpret(stages, Arc::clone(&batch.formatted.version), response).await;
    if verdict == Verdict::Standard {
        return by_status(classify(answer, Verdict::Standard, records), own_pace);
    }
    match classify(answer, verdict, records) {
        Decision::Pending(next) => {
            let after = Duration::from_millis(next.after_ms);
            Reply::Again(Some(next), after)
        }
        decision => Reply::Decided(decision),
    }
}

/// What an answer means that the formatter has nothing to say of, or broke on. Its status is that of a question about
/// the records: success confirms nothing, and no refusal is one of the records.
fn by_status(decision: Decision, own_pace: impl FnOnce() -> Duration) -> Reply {
    match decision {
        Decision::Delivered { .. } => Reply::Again(None, own_pace()),
        Decision::Retry { after, .. } => Reply::Again(None, after.unwrap_or_else(own_pace)),
        Decision::Rejected { reason, hint } | Decision::Split { reason, hint } => {
            Reply::Decided(Decision::Hold { reason, hint })
        }
        decision => Reply::Decided(decision),
    }
}
