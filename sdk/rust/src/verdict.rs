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

    /// Whether the body is a page for people. Of a SIEM without a form of its own for answers, this is what tells a
    /// proxy's login page from a success.
    pub fn is_web_page(&self) -> bool {
        let body = self.body.trim_ascii_start();
        ["<!doctype html", "<html"].iter().any(|beginning| {
            body.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning.as_bytes()))
        })
    }

    /// The status and the beginning of the body's words, on one line: `status 403: forbidden`.
    pub fn reason(&self) -> String {
        const MOST_CHARACTERS: usize = 200;
        let text = self.text();
        let words: String = text.trim().chars().take(MOST_CHARACTERS).collect();
        if words.is_empty() || self.is_web_page() {
            return format!("status {}", self.status);
        }
        format!("status {}: {}", self.status, words.replace(char::is_control, " "))
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

    /// What an answer of any HTTP collector means. Nothing is known of its bodies, so only a page for people is not
    /// believed. `media` is what to do about status 415: which setting says what the body is.
    pub fn of_any_collector(response: &Response, media: &str) -> Verdict {
        let hint = match response.status {
            200..300 if response.is_web_page() => {
                return Verdict::hold(
                    format!("status {} with a web page", response.status),
                    "something else answers at this endpoint, such as a proxy's login page: correct the endpoint",
                );
            }
            200..300 => return Verdict::Delivered(None),
            401 | 403 => "give this destination the collector's token and its way of authentication",
            404 => "correct the endpoint or the setting `path`: the collector does not know the URL",
            405 => "correct the endpoint or the setting `path`: the collector takes no POST there",
            415 => media,
            _ => return Verdict::Standard,
        };
        Verdict::hold(response.reason(), hint)
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

#[cfg(test)]
mod tests {
    use crate::testkit::answer;

    #[test]
    fn a_web_page_is_known_by_its_beginning() {
        for body in ["<!DOCTYPE html><title>Sign in</title>", "\r\n <HTML lang=en>"] {
            assert!(answer(200, body).is_web_page(), "{body:?}");
        }
        for body in ["", "<ok/>", "{\"html\":\"<html>\"}", "<htm"] {
            assert!(!answer(200, body).is_web_page(), "{body:?}");
        }
    }

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(answer(403, " no\nway \n").reason(), "status 403: no way");
        assert_eq!(answer(500, "").reason(), "status 500");
        assert_eq!(answer(502, "<html>Bad gateway</html>").reason(), "status 502");
        assert_eq!(answer(400, &"é".repeat(1_000)).reason().chars().count(), "status 400: ".len() + 200);
    }
}
