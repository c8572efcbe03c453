//! One answer of an export: its events, and where to go on.

use std::io::Read;
use std::ops::Range;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use jiff::{SignedDuration, Timestamp};
use siemaphore_delivery::{Answer, Fetched};
use siemaphore_intake::Cut;
use url::Url;

use super::{Cursor, CursorOf, Next, PullConfig, cursor, pointer};
use crate::remote::{Trouble, media_type};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const GZIP: &[u8] = b"\x1f\x8b";

/// Each is remembered while the page is stored.
const MOST_EVENTS: usize = 100_000;

/// A value that is sent back stands in a URL.
const LONGEST_VALUE_BYTES: usize = 1024;

/// No clock is wrong by so much.
const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) text: Bytes,
    pub(super) places: Vec<Range<usize>>,
    /// What the configured cursor is after this page, as far as this page says.
    pub(super) cursor: Option<String>,
    /// The next page, as far as pages are configured.
    pub(super) next: Option<Url>,
    /// Whether an event has a time that the cursor cannot follow.
    pub(super) is_ahead: bool,
}

/// Reads an answer with the status 200. `url` is what was asked.
pub(super) fn read(config: &PullConfig, host: &str, url: &Url, fetched: Fetched) -> Result<Page, Trouble> {
    let Fetched { head, body, truncated, .. } = fetched;
    let limit = config.fetch.client.answer_bytes;
    if truncated {
        return Err(cut_off(host, limit));
    }
    if media_type(&head) == "text/html" {
        return Err(Trouble::held(
            format!("{host} answered with a page for people (text/html)"),
            "`url` may lead to a login page or a proxy; compare it with the producer's documentation",
        ));
    }
    let body = decompressed(body, limit).map_err(|()| cut_off(host, limit))?;
    let place = items(&body, &config.items).ok_or_else(|| {
        Trouble::held(
            format!("the answer of {host} has no `{}`", config.items),
            "correct `items`: a JSON Pointer to the array of events in the answer, such as \"/data\"",
        )
    })?;
    let text = body.slice(place);
    let Cut { places, broken } = if is_nothing(&text) { Cut::default() } else { Cut::of(&text) };
    if let Some(broken) = broken {
        return Err(Trouble::passing(
            format!("the answer of {host} cannot be read: {broken}"),
            "it is asked again by itself; if it stays, look for a proxy that cuts answers",
        ));
    }
    if places.len() > MOST_EVENTS {
        return Err(Trouble::held(
            format!("the answer of {host} has more than {MOST_EVENTS} events"),
            "ask for less at once, with a parameter in `url`, and configure [source.pages]",
        ));
    }
    let next = next(config, &head, &body, url)?;
    let mut page = Page { next, ..Page::default() };
    match config.cursor.as_ref().map(|cursor| &cursor.of) {
        None => {}
        Some(CursorOf::Answer { pointer }) => page.cursor = sent_back(&head, &body, pointer)?,
        Some(CursorOf::Item { pointer, .. }) => {
            let of_item = |place: &Range<usize>| pointer::scalar(text.get(place.clone())?, pointer);
            let values = places.iter().filter_map(of_item);
            let latest = Timestamp::now() + MOST_AHEAD;
            for value in values.filter(|value| is_short(value) && head.is_clean(value.as_bytes())) {
                if cursor::is_later_than(&value, latest) {
                    page.is_ahead = true;
                } else {
                    page.cursor = cursor::later(page.cursor.take(), Some(value));
                }
            }
        }
    }
    (page.text, page.places) = without_secrets(&head, text, places);
    Ok(page)
}

fn is_short(value: &str) -> bool {
    value.len() <= LONGEST_VALUE_BYTES
}

/// A value of the answer that the next request has.
fn sent_back(head: &Answer, body: &[u8], pointer: &str) -> Result<Option<String>, Trouble> {
    let value = pointer::scalar(body, pointer);
    let problem = match &value {
        Some(value) if !is_short(value) => format!("is longer than {LONGEST_VALUE_BYTES} bytes"),
        Some(value) if !head.is_clean(value.as_bytes()) => {
            "has the credential of this source in it".to_owned()
        }
        _ => return Ok(value),
    };
    Err(Trouble::held(
        format!("the value at `{pointer}` of the answer {problem}"),
        "compare the pointer with the producer's documentation: this value would be sent back with each request",
    ))
}

/// A server that repeats what it was sent must not have it stored or logged.
fn without_secrets(head: &Answer, text: Bytes, places: Vec<Range<usize>>) -> (Bytes, Vec<Range<usize>>) {
    if head.is_clean(&text) {
        return (text, places);
    }
    let mut cleaned = Vec::with_capacity(text.len());
    let places = places.into_iter().map(|place| {
        let start = cleaned.len();
        cleaned.extend_from_slice(&head.cleaned(text.get(place).unwrap_or_default()));
        start..cleaned.len()
    });
    let places = places.collect();
    (Bytes::from(cleaned), places)
}

fn cut_off(host: &str, limit: usize) -> Trouble {
    Trouble::held(
        format!("the answer of {host} is longer than {limit} bytes, or cannot be decompressed"),
        "ask for less at once, with a parameter in `url`, or raise `body_limit`",
    )
}

/// Exports may be gzip files, beside answers that are compressed on their way.
fn decompressed(body: Bytes, limit: usize) -> Result<Bytes, ()> {
    if !body.starts_with(GZIP) {
        return Ok(match body.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => body.slice_ref(rest),
            None => body,
        });
    }
    let mut plain = Vec::new();
    let mut decoder = MultiGzDecoder::new(body.as_ref()).take(limit as u64 + 1);
    decoder.read_to_end(&mut plain).map_err(|_| ())?;
    if plain.len() > limit { Err(()) } else { Ok(plain.into()) }
}

/// The place of the events in the answer.
fn items(body: &Bytes, pointer: &str) -> Option<Range<usize>> {
    if pointer.is_empty() {
        return Some(0..body.len());
    }
    let text = pointer::look(body, pointer)?;
    let start = text.as_ptr() as usize - body.as_ptr() as usize;
    Some(start..start + text.len())
}

fn is_nothing(text: &[u8]) -> bool {
    matches!(text.trim_ascii(), b"" | b"null")
}

fn next(config: &PullConfig, head: &Answer, body: &[u8], url: &Url) -> Result<Option<Url>, Trouble> {
    let url_of = |text: String| {
        url.join(&text).map(Some).map_err(|_| {
            Trouble::held(
                "the next page that the answer names is no URL".to_owned(),
                "if it is a value to send back, name the `parameter` under [source.pages]",
            )
        })
    };
    match &config.pages {
        None => Ok(None),
        Some(Next::Link) => linked(head).map_or(Ok(None), url_of),
        Some(Next::Url { pointer }) => pointer::scalar(body, pointer).map_or(Ok(None), url_of),
        Some(Next::Token { pointer, parameter }) => {
            Ok(sent_back(head, body, pointer)?.map(|token| with_parameter(url, parameter, &token)))
        }
    }
}

/// The target of `Link: <…>; rel="next"`, among others.
fn linked(head: &Answer) -> Option<String> {
    let links = head.headers.iter().filter(|(name, _)| name == "link");
    links.flat_map(|(_, value)| targets(value)).next()
}

fn targets(header: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((target, parameters)) = after.split_once('>') else { break };
        // A target may hold commas; the parameters of a link end where the next one begins.
        let end = parameters.find('<').unwrap_or(parameters.len());
        let (own, others) = parameters.split_at(end);
        let is_next = own.split([';', ',']).any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            let relations = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && relations.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case("next"))
        });
        if is_next {
            found.push(target.to_owned());
        }
        rest = others;
    }
    found
}

/// The URL with this parameter, in place of an earlier value.
fn with_parameter(url: &Url, name: &str, value: &str) -> Url {
    let mut changed = url.clone();
    let others = url.query_pairs().filter(|(own, _)| own != name);
    changed.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
    changed
}

impl Cursor {
    /// The URL of a request that goes on behind `value`.
    pub(super) fn applied(&self, url: &Url, value: &str) -> Url {
        with_parameter(url, &self.parameter, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        for (header, expected) in [
            (
                r#"<https://a/?page=2>; rel="next", <https://a/?page=9>; rel="last""#,
                &["https://a/?page=2"][..],
            ),
            (r#"<https://a/?b=1,2;3>; title="x"; REL=Next"#, &["https://a/?b=1,2;3"]),
            (r#"<p1>; rel="prev", <p3>; rel="last next""#, &["p3"]),
            (r#"<p1>; rel="nextish", <p2>"#, &[]),
            ("<p1; rel=next", &[]),
            ("", &[]),
        ] {
            assert_eq!(targets(header), expected, "{header}");
        }
    }

    #[test]
    fn a_parameter_takes_the_place_of_its_earlier_value_and_is_encoded() {
        let url: Url = "https://a/export?since=1&limit=5".parse().unwrap();
        let changed = with_parameter(&url, "since", "2026-01-01T00:00:00+01:00 &");
        assert_eq!(changed.as_str(), "https://a/export?limit=5&since=2026-01-01T00%3A00%3A00%2B01%3A00+%26");
        let bare: Url = "https://a/export".parse().unwrap();
        assert_eq!(with_parameter(&bare, "after", "7").as_str(), "https://a/export?after=7");
    }

    #[test]
    fn a_gzip_file_is_read_up_to_the_limit() {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&[b' '; 1000]).unwrap();
        let packed = Bytes::from(encoder.finish().unwrap());
        assert_eq!(decompressed(packed.clone(), 1000).unwrap().len(), 1000);
        decompressed(packed.clone(), 999).unwrap_err();
        decompressed(packed.slice(..packed.len() - 5), 1000).unwrap_err();
        assert_eq!(decompressed(Bytes::from_static(b"\xef\xbb\xbf[]"), 10).unwrap(), "[]");
    }
}
