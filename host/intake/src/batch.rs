//! From the bytes of a body to events and refusals.

use serde::Serialize;
use siemaphore_model::EventBuffer;
use siemaphore_model::normalise::{Normalised, Scratch};

use crate::door::{Door, Unusable};
use crate::items::{Format, Items};
use crate::reason::{Reason, Tally};
use crate::unknown_versions::UnknownVersions;

/// How many refusals an answer tells apart; the rest are only counted.
const REFUSALS_LISTED: usize = 100;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What became of the raw events of one body.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) events: EventBuffer,
    /// The first of them; the tally has all.
    pub(crate) refused: Vec<Refused>,
    pub(crate) tally: Tally,
    pub(crate) redacted: usize,
    /// Of accepted events.
    pub(crate) unknown_versions: UnknownVersions,
    /// Not one event could be told apart: the body is something else.
    pub(crate) unreadable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Refused {
    /// The place of the event in the request, from 0.
    pub(crate) index: usize,
    pub(crate) reason: String,
    #[serde(skip)]
    pub(crate) why: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request has more than {limit} events")]
pub(crate) struct TooManyEvents {
    limit: usize,
}

impl Batch {
    /// A body with more than `limit` events is refused as a whole: the producer must send the rest anew in any case,
    /// and is spared counting which.
    pub(crate) fn decode(
        body: &[u8],
        format: Option<Format>,
        door: &Door<'_>,
        limit: usize,
    ) -> Result<Batch, TooManyEvents> {
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        let mut items = Items::new(body, format.unwrap_or_else(|| Format::of_body(body)));
        let independent = items.are_independent();
        let mut batch = Batch { events: EventBuffer::with_capacity(body.len()), ..Batch::default() };
        let mut scratch = Scratch::default();
        let mut index = 0;
        while let Some(item) = items.next() {
            if index == limit {
                return Err(TooManyEvents { limit });
            }
            let refusal = match item {
                Ok(raw) => batch.take(raw, door, &mut scratch),
                Err(broken) => {
                    Err(Unusable { reason: Reason::NotJson, text: broken.to_string(), is_syntax: true })
                }
            };
            if let Err(Unusable { reason, mut text, is_syntax }) = refusal {
                let is_last = independent || !is_syntax || items.next().is_none();
                if !is_last {
                    text.push_str("; what follows in the array could not be read");
                }
                batch.refuse(index, reason, text);
                if is_syntax && !independent {
                    batch.unreadable = index == 0;
                    break;
                }
            }
            index += 1;
        }
        Ok(batch)
    }

    /// One event that is text already.
    pub(crate) fn add(&mut self, index: usize, text: &str, door: &Door<'_>, scratch: &mut Scratch) {
        match door.text(text, scratch, &mut self.events) {
            Ok(normalised) => self.accepted(normalised),
            Err(Unusable { reason, text, .. }) => self.refuse(index, reason, text),
        }
    }

    /// The same for events that are set apart already; how many there are is the caller's to limit.
    pub(crate) fn of_each<'a>(raw: impl Iterator<Item = &'a [u8]>, door: &Door<'_>) -> Batch {
        let mut batch = Batch::default();
        let mut scratch = Scratch::default();
        for (index, raw) in raw.enumerate() {
            if let Err(Unusable { reason, text, .. }) = batch.take(raw, door, &mut scratch) {
                batch.refuse(index, reason, text);
            }
        }
        batch
    }

    fn take(&mut self, raw: &[u8], door: &Door<'_>, scratch: &mut Scratch) -> Result<(), Unusable> {
        let normalised = door.bytes(raw, scratch, &mut self.events)?;
        self.accepted(normalised);
        Ok(())
    }

    fn accepted(&mut self, Normalised { redacted, unknown_version }: Normalised) {
        self.redacted += redacted;
        if let Some(unknown) = unknown_version {
            self.unknown_versions.add(&unknown, 1);
        }
    }

    pub(crate) fn refuse(&mut self, index: usize, why: Reason, reason: String) {
        self.tally.add(why);
        if self.refused.len() < REFUSALS_LISTED {
            self.refused.push(Refused { index, reason, why });
        }
    }

    pub(crate) fn refused_count(&self) -> usize {
        self.tally.total()
    }
}

#[cfg(test)]
mod tests {
    use siemaphore_model::Redaction;
    use siemaphore_model::normalise::{Context, Normaliser};

    use super::*;

    fn decode(body: &[u8], limit: usize) -> Result<Batch, TooManyEvents> {
        let normaliser = Normaliser::new("auto", &Redaction::default()).unwrap();
        let context = Context { organization: "acme", source: "gateway", received_ns: 1 };
        let door = Door { normaliser: &normaliser, schema: None, context };
        Batch::decode(body, None, &door, limit)
    }

    /// Ids of the accepted events; index and a part of the reason of each refusal.
    fn check(body: &[u8], accepted: &[&str], refused: &[(usize, &str)]) {
        let batch = decode(body, 10_000).unwrap();
        let shown: String = String::from_utf8_lossy(body).chars().take(200).collect();
        assert_eq!(batch.events.iter().map(|event| event.id()).collect::<Vec<_>>(), accepted, "{shown}");
        assert_eq!(batch.refused.len(), refused.len(), "{shown}: {:?}", batch.refused);
        for (actual, (index, reason)) in batch.refused.iter().zip(refused) {
            assert_eq!(actual.index, *index, "{shown}");
            assert!(actual.reason.contains(reason), "{shown}: {}", actual.reason);
        }
    }

    #[test]
    fn a_bad_line_harms_only_itself() {
        let body = b"{\"id\":1}\n{\"id\":\n\xff\n{\"id\":\"\xc3\x28\"}\n[]\n{\"id\":5}";
        check(
            body,
            &["1", "5"],
            &[
                (1, "the text ends too early"),
                (2, "not valid UTF-8 at byte 0"),
                (3, "not valid UTF-8 at byte 7"),
                (4, "an array; a JSON object is expected"),
            ],
        );
    }

    #[test]
    fn a_well_formed_but_invalid_element_harms_only_itself() {
        let deep = format!(r#"{{"id":"deep","a":{}{}}}"#, "[".repeat(64), "]".repeat(64));
        let large = format!(r#"{{"id":"large","a":"{}"}}"#, "x".repeat(1 << 20));
        let body = format!(r#"[{{"id":0}},7,{deep},"text",{large},null,{{"event_type":{{}}}},{{"id":7}}]"#);
        check(
            body.as_bytes(),
            &["0", "7"],
            &[
                (1, "a number; a JSON object is expected"),
                (2, "nested more than 64 levels"),
                (3, "text; a JSON object is expected"),
                (4, "has 1048597 bytes; the limit is 262144"),
                (5, "null; a JSON object is expected"),
                (6, "/event_type holds an object; text or a number is expected"),
            ],
        );
    }

    #[test]
    fn invalid_utf_8_in_an_element_harms_only_it() {
        check(b"[{\"id\":1},{\"id\":\"\xff\"},{\"id\":3}]", &["1", "3"], &[(1, "not valid UTF-8 at byte 7")]);
    }

    #[test]
    fn a_broken_element_ends_the_array_and_keeps_what_came_before() {
        check(
            br#"[{"id":1},{"id":2},{"id":tru},{"id":4}]"#,
            &["1", "2"],
            &[(
                2,
                "a value is expected at byte 6 (line 1, column 7); what follows in the array could not be read",
            )],
        );
        check(br#"[{"id":1},{"id":"#, &["1"], &[(1, "the event has no end at byte 10")]);
        check(br#"[{"id":1}"#, &["1"], &[(1, "the array has no end")]);
    }

    #[test]
    fn one_event_over_the_limit_refuses_the_batch() {
        assert_eq!(decode(b"{}\n{}\n{}", 3).unwrap().events.len(), 3);
        assert_eq!(decode(b"{}\n{}\n{}\n{}", 3).unwrap_err(), TooManyEvents { limit: 3 });
        assert_eq!(decode(b"[1,1,1,1]", 3).unwrap_err(), TooManyEvents { limit: 3 });
    }

    #[test]
    fn refusals_beyond_the_hundredth_are_only_counted() {
        let batch = decode("1\n".repeat(250).as_bytes(), 10_000).unwrap();
        assert_eq!((batch.refused.len(), batch.refused_count()), (100, 250));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_event() {
        check(b"\xef\xbb\xbf{\"id\":1}", &["1"], &[]);
    }
}
