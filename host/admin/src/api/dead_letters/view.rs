//! A dead letter as the API shows it.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use siemaphore_store::{AttemptRecord, DeadLetter, FullDeadLetter};

use crate::api::event_line::EventLine;

#[derive(Debug, Serialize)]
pub(crate) struct DeadLetterView {
    id: i64,
    destination: String,
    event_key: String,
    event_type: String,
    cause: String,
    hint: String,
    /// How often it was sent in all.
    attempts: u64,
    created_ms: u64,
    /// When it was last given up.
    updated_ms: u64,
    /// It is on its way again, and stays a dead letter until it has arrived.
    replay_requested: bool,
    size_bytes: u64,
}

impl DeadLetterView {
    pub(crate) fn of(letter: &DeadLetter) -> DeadLetterView {
        DeadLetterView {
            id: letter.id,
            destination: letter.destination.clone(),
            event_key: letter.key.to_string(),
            event_type: letter.event_type.clone(),
            cause: letter.cause.clone(),
            hint: letter.hint.clone(),
            attempts: letter.attempts,
            created_ms: letter.created_ms,
            updated_ms: letter.updated_ms,
            replay_requested: letter.replay_requested,
            size_bytes: letter.bytes,
        }
    }
}

/// A dead letter with everything that is kept of it, ready to be written: its event borrows from the letter.
pub(crate) struct FullView(FullDeadLetter);

impl FullView {
    pub(crate) fn of(letter: FullDeadLetter) -> FullView {
        FullView(letter)
    }

    /// As one line without its end.
    pub(crate) fn line(&self) -> impl Serialize {
        let FullView(full) = self;
        Line {
            event: full.event.iter().next().map(|event| EventLine::of(&event)),
            dead_letter: Details {
                letter: DeadLetterView::of(&full.letter),
                plugin: &full.plugin,
                plugin_version: &full.plugin_version,
                plugin_digest: &full.plugin_digest,
                latest_attempts: full.attempts.iter().map(AttemptView::of).collect(),
            },
        }
    }
}

impl IntoResponse for FullView {
    fn into_response(self) -> Response {
        // Texts and numbers always have a JSON form.
        let body = serde_json::to_vec(&self.line()).unwrap_or_default();
        ([(CONTENT_TYPE, "application/json")], body).into_response()
    }
}

/// `siemaphore` and `event` come first, as in every exported line.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    event: Option<EventLine<'a>>,
    dead_letter: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(flatten)]
    letter: DeadLetterView,
    plugin: &'a str,
    plugin_version: &'a str,
    plugin_digest: &'a str,
    latest_attempts: Vec<AttemptView<'a>>,
}

#[derive(Serialize)]
struct AttemptView<'a> {
    at_ms: u64,
    /// None when there was no answer.
    status: Option<u16>,
    reason: &'a str,
    /// The beginning, without secrets.
    answer: &'a str,
}

impl<'a> AttemptView<'a> {
    fn of(attempt: &'a AttemptRecord) -> AttemptView<'a> {
        let AttemptRecord { at_ms, status, answer, reason } = attempt;
        AttemptView { at_ms: *at_ms, status: *status, reason, answer }
    }
}
