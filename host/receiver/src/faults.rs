//! Faults on request: what a SIEM, or the network before it, does on a bad day.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::answer::Answer;
use crate::request::Request;

/// What happens to one request instead of an answer by the rules.
///
/// The request is read to its end and logged in every case. Its records are taken only where it says so.
#[derive(Clone, Debug)]
pub enum Fault {
    /// An empty answer with this status.
    Status(u16),
    /// A whole answer.
    StatusWith { status: u16, headers: Vec<(String, String)>, body: String },
    /// 429 with `Retry-After` in whole seconds, rounded up.
    RetryAfter(Duration),
    /// The connection closes before any answer.
    Close,
    /// The records are taken, then the connection closes before any answer: only a retry can tell, and it doubles.
    LoseAnswer,
    /// The answer starts as a success, and the connection closes in the middle of its body.
    CloseMidBody,
    /// No answer for as long as the client holds the connection.
    Hang,
    /// An answer by the rules, this much later. A client that gives up first leaves no trace: use `Hang` for that.
    HangFor(Duration),
    /// 307 to this place.
    RedirectTo(String),
    /// 400 with the request line, all headers and the body in the answer, as chatty gateways do.
    EchoEverything,
}

/// The faults to come, for ordinary requests and for those that ask for an access token.
#[derive(Default)]
pub(crate) struct Faults {
    ingest: Mutex<Script>,
    token: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    next: VecDeque<Fault>,
    always: Option<Fault>,
}

impl Faults {
    pub(crate) fn script(&self, faults: Vec<Fault>) {
        lock(&self.ingest).next.extend(faults);
    }

    pub(crate) fn script_token(&self, faults: Vec<Fault>) {
        lock(&self.token).next.extend(faults);
    }

    pub(crate) fn fail_always(&self, fault: Option<Fault>) {
        lock(&self.ingest).always = fault;
    }

    /// Takes the next scripted fault; after the script, the lasting one.
    pub(crate) fn next(&self, for_token: bool) -> Option<Fault> {
        let mut script = lock(if for_token { &self.token } else { &self.ingest });
        script.next.pop_front().or_else(|| script.always.clone())
    }
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer with a status, headers and a body of the test's choice. A status that HTTP does not know becomes 500.
pub(crate) fn scripted(status: u16, headers: &[(String, String)], body: &str) -> Answer {
    let mut answer = Answer::empty(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    answer.body = body.to_owned();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            answer.header(name, value);
        }
    }
    answer.refused("scripted fault")
}

pub(crate) fn retry_after(delay: Duration) -> Answer {
    let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    let mut answer = scripted(429, &[], "");
    answer.header(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

pub(crate) fn echo(request: &Request) -> Answer {
    let mut text = format!("{} {}?{}\n", request.method, request.path, request.query);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    if let Ok(body) = &request.body {
        text.push('\n');
        text.push_str(&String::from_utf8_lossy(body));
    }
    Answer::text(StatusCode::BAD_REQUEST, text).refused("scripted fault")
}
