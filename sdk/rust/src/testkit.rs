//! Runs a formatter natively, in `cargo test`, as the host would run its component.
//!
//! ```
//! # use siemaphore_sdk::{testkit, Severity, Event};
//! let event = Event { severity: Severity::High, ..testkit::event(r#"{"event_type":"dlp.pii_blocked"}"#) };
//! assert_eq!(event.timestamp, "2026-06-08T20:15:30Z");
//! ```

mod content;

use std::sync::OnceLock;

use crate::bindings::exports::siemaphore::formatter::formatter::{Description, Records};
use crate::{
    Event, Formatter, Pending, Phase, RequestProfile, Response, SettingProblem, Severity, Verdict, export,
};

/// An event with this document, and an envelope to change by struct update.
pub fn event(document: &str) -> Event {
    Event {
        key: "00112233445566778899aabbccddeeff".to_owned(),
        id: "evt_1".to_owned(),
        event_type: "dlp.pii_blocked".to_owned(),
        timestamp: "2026-06-08T20:15:30Z".to_owned(),
        timestamp_ns: 1_780_949_730_000_000_000,
        received_ns: 1_780_949_731_000_000_000,
        severity: Severity::High,
        source: "gateway".to_owned(),
        producer: "generic".to_owned(),
        organization: "acme".to_owned(),
        project: None,
        document: document.to_owned(),
    }
}

/// An answer of the SIEM to a request with ten records.
pub fn answer(status: u16, body: &str) -> Response {
    Response {
        phase: Phase::First,
        state: Vec::new(),
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
        truncated: false,
        records: 10,
        body_bytes: 10_000,
    }
}

/// The SIEM's answer to the follow-up that a `pending` verdict asks for.
pub fn follow_up(pending: &Pending, status: u16, body: &str) -> Response {
    Response { phase: Phase::FollowUp, state: pending.state.clone(), ..answer(status, body) }
}

/// What the host does for one batch at most: afterwards it sends the batch again.
const MAX_FOLLOW_UPS: usize = 60;
const MAX_FOLLOW_UP_MS: u64 = 10 * 60 * 1_000;

/// Where a chain of `pending` verdicts has led.
#[derive(Debug, Clone)]
pub struct Followed {
    /// The verdict on the last answer. Still `pending` when the host would have lost patience.
    pub verdict: Verdict,
    /// What was asked on the way, in order.
    pub follow_ups: Vec<Pending>,
}

/// A configured formatter and the request that it asks for.
#[derive(Debug)]
pub struct Configured<F> {
    pub profile: RequestProfile,
    formatter: OnceLock<F>,
}

/// Configures a formatter with settings as JSON text.
pub fn configure<F: Formatter>(settings: &str) -> Result<Configured<F>, Vec<SettingProblem>> {
    configure_for(settings, "destination-1")
}

/// [`configure`] for a destination of this opaque name.
pub fn configure_for<F: Formatter>(
    settings: &str,
    destination: &str,
) -> Result<Configured<F>, Vec<SettingProblem>> {
    let formatter = OnceLock::new();
    let profile = export::configure(&formatter, settings, destination)?;
    Ok(Configured { profile, formatter })
}

/// What the formatter tells the host about itself, with the schema of its settings.
pub fn describe<F: Formatter>() -> Description {
    export::describe::<F>()
}

impl<F: Formatter> Configured<F> {
    /// What the component would return, as it stands: for benchmarks.
    ///
    /// # Panics
    ///
    /// Never: [`configure`] gives only what is configured.
    pub fn format(&self, events: &[Event]) -> Records {
        export::format_with(self.formatter.get().expect("configure has set it"), events)
    }

    /// The record of each event as text, or why it was rejected.
    ///
    /// # Panics
    ///
    /// When the formatter breaks the form that the host insists on: UTF-8, and a record or a rejection for each event.
    pub fn records(&self, events: &[Event]) -> Vec<Result<String, String>> {
        let formatter = self.formatter.get().expect("configure has set it");
        let records = export::format_with(formatter, events);
        let mut start = 0;
        let mut texts: Vec<Result<String, String>> = Vec::new();
        for end in records.ends.iter().map(|&end| end as usize) {
            let record = records.data.get(start..end).expect("ends never decrease");
            texts.push(Ok(String::from_utf8(record.to_vec()).expect("records are UTF-8")));
            start = end;
        }
        for rejection in records.rejected {
            let text = texts.get_mut(rejection.index as usize).expect("a rejection names an event");
            assert_eq!(text.as_deref(), Ok(""), "a rejected event has no record");
            *text = Err(rejection.reason);
        }
        texts
    }

    /// The record of one event that must not be rejected.
    pub fn record(&self, event: &Event) -> String {
        self.records(std::slice::from_ref(event)).remove(0).expect("the event is not rejected")
    }

    pub fn interpret(&self, response: &Response) -> Verdict {
        export::interpret(&self.formatter, response)
    }

    /// Follows `pending` verdicts as the host does, without the waiting: `siem` answers each follow-up with a status
    /// and a body.
    ///
    /// # Panics
    ///
    /// When the formatter asks for a follow-up and its profile has no path for it.
    pub fn follow(&self, first: &Response, mut siem: impl FnMut(&Pending) -> (u16, String)) -> Followed {
        let (mut verdict, mut status) = (self.interpret(first), first.status);
        let mut follow_ups: Vec<Pending> = Vec::new();
        let mut waited_ms = 0_u64;
        loop {
            let pending = match (&verdict, follow_ups.last()) {
                (Verdict::Pending(pending), _) => pending.clone(),
                // It says nothing about the records, and the host asks the same again.
                (Verdict::Standard, Some(last)) if matches!(status, 200..300 | 408 | 429 | 500..) => {
                    last.clone()
                }
                _ => break,
            };
            assert!(self.profile.follow_up_path.is_some(), "pending, and the profile has no follow-up path");
            waited_ms = waited_ms.saturating_add(pending.after_ms);
            if follow_ups.len() == MAX_FOLLOW_UPS || waited_ms > MAX_FOLLOW_UP_MS {
                break;
            }
            let body;
            (status, body) = siem(&pending);
            let asked = Response {
                records: first.records,
                body_bytes: first.body_bytes,
                ..follow_up(&pending, status, &body)
            };
            verdict = self.interpret(&asked);
            follow_ups.push(pending);
        }
        Followed { verdict, follow_ups }
    }
}

/// Checks the laws of the contract natively, on the formatter's example settings, on none, and on these events.
///
/// # Panics
///
/// When a law is broken, naming it and the event.
pub fn check_laws<F: Formatter>(events: &[Event]) {
    let description = describe::<F>();
    let schema: serde_json::Value =
        serde_json::from_str(&description.settings_schema).expect("the schema is JSON");
    assert_eq!(schema["type"], "object", "settings are a JSON object");
    for hint in &description.authentication {
        let parameters: serde_json::Value =
            serde_json::from_str(&hint.parameters).expect("parameters are JSON");
        assert!(parameters.is_object(), "the parameters of {} are not an object", hint.scheme);
    }
    check_laws_with::<F>(&description.settings_example, events);
    if let Err(problems) = configure::<F>("{}") {
        assert!(!problems.is_empty(), "settings are refused without a problem");
    } else {
        check_laws_with::<F>("{}", events);
    }
}

/// The laws about records, on settings of one's own: for those that change the framing or the content type.
///
/// # Panics
///
/// When a law is broken, naming it and the event, and when the settings are refused.
pub fn check_laws_with<F: Formatter>(settings: &str, events: &[Event]) {
    let configured = configure::<F>(settings);
    let configured = configured.unwrap_or_else(|problems| panic!("{settings} is refused: {problems:?}"));
    let whole = configured.records(events);
    let again = configure::<F>(settings).expect("accepted a moment ago");
    assert_eq!(again.records(events), whole, "not deterministic");
    for cut in 0..=events.len() {
        let (first, second) = events.split_at(cut);
        let mut parts = again.records(first);
        parts.extend(again.records(second));
        assert_eq!(parts, whole, "cutting the batch at event {cut} changes its records");
    }
    let records: Vec<&str> = whole.iter().flatten().map(String::as_str).collect();
    content::check(&configured.profile, &records);
}
