//! Faults on request: what a SIEM, or the network before it, does on a bad day.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::answer::{Answer, RequestKind};
use crate::request::Request;
use crate::wire::Endless;

/// What happens to one request instead of an answer by the rules.
///
/// The request is read to its end and logged, and its records are not taken, but where it says otherwise.
#[derive(Clone, Debug)]
pub enum Fault {
    /// An empty answer with this status.
    Status(u16),
    /// A whole answer.
    StatusWith { status: u16, headers: Vec<(String, String)>, body: String },
    /// 429 with `Retry-After` in whole seconds, rounded up.
    RetryAfter(Duration),
    /// 429 with `Retry-After` as an HTTP-date so far from now, rounded up to a second.
    RetryAfterDate(Duration),
    /// The records before this one are taken, and the answer says that it cannot be read, as Splunk does: 400, code 6
    /// and `invalid-event-number`. A request with fewer records is answered by the rules.
    StopAt(usize),
    /// The connection closes before any answer.
    Close,
    /// The connection closes while the body is still being sent. The request is not logged.
    CloseMidRequest,
    /// The records are taken, then the connection closes before any answer: only a retry can tell, and it doubles.
    LoseAnswer,
    /// The answer starts as a success, and the connection closes in the middle of its body.
    CloseMidBody,
    /// No answer for as long as the client holds the connection.
    Hang,
    /// An answer by the rules, this much later. A client that gives up first leaves no trace: use `Hang` for that.
    HangFor(Duration),
    /// An answer that never ends, for as long as the client reads it.
    Endless(Endless),
    /// 307 to this place.
    RedirectTo(String),
    /// [`Fault::EchoWith`] and status 400.
    EchoEverything,
    /// An answer with this status that shows the request line, all headers and the body, as chatty gateways do: in
    /// its body, and once more in headers that begin with `x-echo-`.
    EchoWith(u16),
}

impl Fault {
    /// An answer with this status and body, and no headers of its own.
    pub fn answer(status: u16, body: &str) -> Fault {
        Fault::StatusWith { status, headers: Vec::new(), body: body.to_owned() }
    }
}

/// The faults to come, by kind of request.
#[derive(Default)]
pub(crate) struct Faults {
    ingest: Mutex<Script>,
    poll: Mutex<Script>,
    token: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    next: VecDeque<Fault>,
    always: Option<Fault>,
}

impl Faults {
    pub(crate) fn script(&self, kind: RequestKind, faults: Vec<Fault>) {
        self.of(kind).next.extend(faults);
    }

    pub(crate) fn fail_always(&self, fault: Option<Fault>) {
        self.of(RequestKind::Ingest).always.clone_from(&fault);
        self.of(RequestKind::Poll).always = fault;
    }

    /// Takes the next scripted fault when it is one that strikes before the body is read; after the script, the
    /// lasting one.
    pub(crate) fn next_before_body(&self, kind: RequestKind) -> Option<Fault> {
        let mut script = self.of(kind);
        let due = script.next.front().or(script.always.as_ref())?;
        if matches!(due, Fault::CloseMidRequest) { script.take() } else { None }
    }

    /// Takes the next scripted fault; after the script, the lasting one.
    pub(crate) fn next(&self, kind: RequestKind) -> Option<Fault> {
        self.of(kind).take()
    }

    fn of(&self, kind: RequestKind) -> MutexGuard<'_, Script> {
        let script = match kind {
            RequestKind::Ingest => &self.ingest,
            RequestKind::Poll => &self.poll,
            RequestKind::Token => &self.token,
        };
        script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Script {
    fn take(&mut self) -> Option<Fault> {
        self.next.pop_front().or_else(|| self.always.clone())
    }
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
    let mut answer = scripted(429, &[], "");
    answer.header(header::RETRY_AFTER, HeaderValue::from(whole_seconds(delay)));
    answer
}

pub(crate) fn retry_after_date(delay: Duration) -> Answer {
    let mut answer = scripted(429, &[], "");
    // The date counts whole seconds, so part of the current one is lost: one more makes it no less than asked for.
    let at = SystemTime::now() + Duration::from_secs(whole_seconds(delay) + 1);
    if let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(at)) {
        answer.header(header::RETRY_AFTER, date);
    }
    answer
}

fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs() + u64::from(delay.subsec_nanos() > 0)
}

/// What Splunk answers when it cannot read one of the records, whose place this is; those before it are taken.
pub(crate) fn stopped_at(mut answer: Answer, index: usize) -> Answer {
    if index >= answer.records.len() {
        return answer;
    }
    let body = json!({ "text": "Invalid data format", "code": 6, "invalid-event-number": index });
    let mut stopped = Answer::json(StatusCode::BAD_REQUEST, &body);
    answer.records.truncate(index);
    answer.violations.retain(|(place, _)| *place < index);
    stopped.records = answer.records;
    stopped.violations = answer.violations;
    stopped.refused(format!("scripted fault: event {index}"))
}

/// The most of a body that is echoed in a header; clients refuse much larger heads.
const ECHOED_BODY_BYTES: usize = 2048;

pub(crate) fn echo(request: &Request, status: u16) -> Answer {
    let line = format!("{} {}?{}", request.method, request.path, request.query);
    let mut text = format!("{line}\n");
    let mut headers = vec![("x-echo-request".to_owned(), line)];
    for (name, value) in &request.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        text.push_str(&format!("{name}: {value}\n"));
        headers.push((format!("x-echo-{name}"), value));
    }
    if let Ok(body) = &request.body {
        let body = String::from_utf8_lossy(body);
        text.push('\n');
        text.push_str(&body);
        let printable = body.chars().filter(char::is_ascii_graphic).take(ECHOED_BODY_BYTES);
        headers.push(("x-echo-body".to_owned(), printable.collect()));
    }
    let mut answer = scripted(status, &headers, &text);
    answer.header(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
