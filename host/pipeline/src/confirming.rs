//! Asking a SIEM that has taken a batch what became of it, as a `pending` verdict wants it.
//!
//! A batch that waits holds no attempt slot, so that a slow indexer does not slow down delivery; how many may wait is
//! bounded by the task. Asking ends with a verdict, or with [`Patience`]: then the batch is sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use siemaphore_delivery::{
    Answer, AttemptError, Cookies, Decision, Schedule, classify, follow_up_response_for_guest,
};
use siemaphore_model::formatter::{Pending, Verdict};

use crate::Stages;
use crate::batch::Batch;
use crate::sending::{Answered, Reading, interpret, record, saturating};

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

/// Between questions that brought no answer a formatter could read: slow enough that the questions last as long as the
/// time, so that patience does not end in seconds.
const REPEATS: Schedule =
    Schedule::Backoff { shortest: Duration::from_secs(1), longest: Duration::from_secs(30) };

const AMBIGUOUS: &str =
    "the SIEM has given a later batch the same confirmation: it may have restarted and lost this one";

const UNCONFIRMED_HINT: &str =
    "see whether the SIEM's indexers keep up; the events are sent again under the same keys";

/// A batch that a SIEM has taken, and what its formatter wants to know.
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    pub(crate) batch: Batch,
    pub(crate) pending: Pending,
    pub(crate) cookies: Cookies,
    pub(crate) question: Question,
}

/// What is asked about a batch. An indexer that restarts counts its confirmations from the beginning: as soon as a later
/// batch is to be asked about in the very same words, no answer tells any more which of the two it is about, and the
/// earlier one counts as not confirmed.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    words: Arc<Words>,
    ambiguous: Arc<AtomicBool>,
}

#[derive(Debug, PartialEq, Eq)]
struct Words {
    query: Vec<(String, String)>,
    body: Vec<u8>,
    /// Of a sticky profile: they say which indexer is asked.
    cookies: Option<Cookies>,
}

impl Question {
    pub(crate) fn new(batch: &Batch, pending: &Pending, cookies: &Cookies) -> Question {
        let sticky = batch.formatted.version.profile.profile().sticky;
        let cookies = sticky.then(|| cookies.clone());
        let words = Words { query: pending.query.clone(), body: pending.body.clone(), cookies };
        Question { words: Arc::new(words), ambiguous: Arc::default() }
    }

    pub(crate) fn is_same(&self, other: &Question) -> bool {
        Arc::ptr_eq(&self.words, &other.words)
    }

    /// A later batch has come: whether it takes the answer to this question away.
    pub(crate) fn yield_to(&self, later: &Question) {
        if self.words == later.words {
            self.ambiguous.store(true, Ordering::SeqCst);
        }
    }

    fn is_ambiguous(&self) -> bool {
        self.ambiguous.load(Ordering::SeqCst)
    }
}

/// What one question brought.
enum Reply {
    /// The formatter broke on the answer, and perhaps another version of it does not.
    Broke(String),
    Decided(Decision),
    /// Ask what the formatter wants to know next.
    Next(Pending),
    /// Ask the same again, after the wait that was asked for or longer.
    Repeat(Option<Duration>),
}

/// Asks until it is known what became of the batch, or until patience ends.
pub(crate) async fn confirm(stages: &Stages, unconfirmed: Unconfirmed, patience: Patience) -> Answered {
    let Unconfirmed { mut batch, mut pending, mut cookies, question } = unconfirmed;
    let began = Instant::now();
    let mut wait = Duration::from_millis(pending.after_ms);
    let mut repeats = 0;
    for _ in 0..patience.questions {
        let left = patience.time.saturating_sub(began.elapsed());
        tokio::time::sleep(wait.clamp(SHORTEST_WAIT, patience.time).min(left)).await;
        // The answer would be taken from the batch that it is about.
        if question.is_ambiguous() {
            return not_confirmed(batch, AMBIGUOUS.to_owned());
        }
        let profile = &batch.formatted.version.profile;
        let answer = stages.target.follow_up(profile, &batch.group, &pending, &cookies).await;
        if let Ok(answer) = &answer {
            cookies.keep(answer);
        }
        let reply = read(stages, &batch, &pending, &answer).await;
        if question.is_ambiguous() {
            return not_confirmed(batch, AMBIGUOUS.to_owned());
        }
        match reply {
            Reply::Broke(reason) => {
                return Answered { broke: Some(reason.clone()), ..not_confirmed(batch, reason) };
            }
            Reply::Decided(decision) => {
                if !matches!(decision, Decision::Delivered { .. }) {
                    batch.remember(record(&answer, &decision));
                }
                return Answered::of_follow_up(batch, decision);
            }
            Reply::Next(next) => {
                pending = next;
                wait = Duration::from_millis(pending.after_ms);
                repeats = 0;
            }
            Reply::Repeat(asked) => {
                repeats += 1;
                wait = asked.unwrap_or_default().max(REPEATS.wait(repeats, 1.0));
            }
        }
        if began.elapsed() >= patience.time {
            break;
        }
    }
    let seconds = began.elapsed().as_secs();
    not_confirmed(batch, format!("the SIEM took the events and did not confirm them within {seconds} s"))
}

fn not_confirmed(batch: Batch, reason: String) -> Answered {
    let hint = UNCONFIRMED_HINT.to_owned();
    Answered::of_follow_up(batch, Decision::Retry { after: None, reason, hint })
}

async fn read(
    stages: &Stages,
    batch: &Batch,
    pending: &Pending,
    answer: &Result<Answer, AttemptError>,
) -> Reply {
    let answer = match answer {
        Ok(answer) => answer,
        // The batch may have arrived: asking again is better than sending again.
        Err(error) if !error.needs_operator => return Reply::Repeat(error.retry_after),
        Err(error) => return Reply::Decided(error.decision()),
    };
    let records = saturating(batch.members.len());
    let body_bytes = saturating(batch.body.uncompressed_bytes);
    let response = follow_up_response_for_guest(answer, pending.state.clone(), records, body_bytes);
    let Reading { verdict, broke } = interpret(stages, Arc::clone(&batch.formatted.version), response).await;
    if let Some(reason) = broke
        && stages.plugin.is_on_trial(&batch.formatted.version.active)
    {
        return Reply::Broke(reason);
    }
    if verdict == Verdict::Standard {
        return by_status(classify(answer, Verdict::Standard, records));
    }
    match classify(answer, verdict, records) {
        Decision::Pending(next) => Reply::Next(next),
        decision => Reply::Decided(decision),
    }
}

/// What an answer means that the formatter has nothing to say of, or broke on. Its status is that of a question about
/// the records: success confirms nothing, and no refusal is one of the records.
fn by_status(decision: Decision) -> Reply {
    match decision {
        Decision::Delivered { .. } => Reply::Repeat(None),
        Decision::Retry { after, .. } => Reply::Repeat(after),
        Decision::Rejected { reason, hint } | Decision::Split { reason, hint } => {
            Reply::Decided(Decision::Hold { reason, hint })
        }
        decision => Reply::Decided(decision),
    }
}
