//! Short ways to read an answer and to say what it means.

use std::borrow::Cow;

use crate::{Fate, Note, Partial, Refusal, Response, Retry, Run, Verdict};

impl Response {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The value of a header by its lowercase name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, with U+FFFD for what is not UTF-8.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

impl Verdict {
    pub fn hold(reason: impl Into<String>, hint: impl Into<String>) -> Verdict {
        Verdict::Hold(Refusal { reason: reason.into(), hint: hint.into() })
    }

    pub fn rejected(reason: impl Into<String>, hint: impl Into<String>) -> Verdict {
        Verdict::Rejected(Refusal { reason: reason.into(), hint: hint.into() })
    }

    /// Again, after the host's own backoff.
    pub fn retry(reason: impl Into<String>) -> Verdict {
        Verdict::Retry(Retry { after_ms: None, reason: reason.into() })
    }

    /// Delivered, with something that the operator should know.
    pub fn delivered_but(
        reason: impl Into<String>,
        hint: impl Into<String>,
        pause_ms: Option<u64>,
    ) -> Verdict {
        Verdict::Delivered(Some(Note { reason: reason.into(), hint: hint.into(), pause_ms }))
    }

    /// The SIEM stored the records before `index`, will never take that one and has not seen those after it.
    pub fn stopped_at(index: u32, reason: impl Into<String>) -> Verdict {
        let mut runs = Vec::with_capacity(2);
        if index > 0 {
            runs.push(Run { first: 0, count: index, fate: Fate::Delivered });
        }
        runs.push(Run { first: index, count: 1, fate: Fate::Rejected(reason.into()) });
        Verdict::Partial(Partial { runs, rest: Fate::Retry, note: None })
    }
}
