//! Exports that are asked for at intervals.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use siemaphore_http::EgressPolicy;
use siemaphore_sources::{Begin, Cursor, CursorOf, Kind, Next, PullConfig};

use super::remote;
use crate::config::problem::{Path as Place, at};
use crate::config::{Problems, file, quantity};

const EVERY: Duration = Duration::from_secs(5 * 60);
/// An export is a query of a database somewhere.
const SHORTEST_EVERY: Duration = Duration::from_secs(10);
const LONGEST_EVERY: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const LONGEST_OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// Of an answer, which is held in memory as a whole.
const BODY_BYTES: u64 = 16 * 1024 * 1024;
const SMALLEST_BODY_BYTES: u64 = 64 * 1024;
const LARGEST_BODY_BYTES: u64 = 64 * 1024 * 1024;

/// Relative paths start at `folder`.
pub(crate) fn export(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
    egress: &Arc<EgressPolicy>,
    folder: &Path,
) -> Option<Kind> {
    let fetch = remote::fetch(problems, index, source, egress, folder);
    let every = match source.every.as_deref() {
        None => Some(EVERY),
        Some(text) => {
            remote::duration(problems, at!["source", index, "every"], text, SHORTEST_EVERY..=LONGEST_EVERY)
        }
    };
    let body_limit = body_limit(problems, index, source);
    let items = match source.items.as_deref() {
        None => Some(String::new()),
        Some(items) => pointer(problems, at!["source", index, "items"], items),
    };
    let cursor = match &source.cursor {
        None => Some(None),
        Some(written) => cursor(problems, index, written).map(Some),
    };
    let pages = match &source.pages {
        None => Some(None),
        Some(written) => pages(problems, index, written).map(Some),
    };
    refuse_contradictions(problems, index, source);
    let from = source.from.as_deref().map(|from| match from {
        "now" => Begin::Now,
        value => Begin::At(value.to_owned()),
    });
    let mut fetch = fetch?;
    fetch.client.answer_bytes = body_limit?;
    let config = PullConfig { fetch, every: every?, items: items?, cursor: cursor?, pages: pages?, from };
    Some(Kind::Pull(Box::new(config)))
}

fn body_limit(problems: &mut Problems<'_>, index: usize, source: &file::Source) -> Option<usize> {
    let path = at!["source", index, "body_limit"];
    let bytes = match source.body_limit.as_deref() {
        None => BODY_BYTES,
        Some(text) => problems.check(path.clone(), quantity::bytes(text))?,
    };
    if !(SMALLEST_BODY_BYTES..=LARGEST_BODY_BYTES).contains(&bytes) {
        let reason = format!("{} is not possible for an answer", bytesize::ByteSize(bytes));
        problems.add(path, reason, "write a size from \"64 KiB\" to \"64 MiB\"");
        return None;
    }
    usize::try_from(bytes).ok()
}

fn pointer(problems: &mut Problems<'_>, path: Place, written: &str) -> Option<String> {
    if !written.starts_with('/') {
        let hint = "write a JSON Pointer: a `/` before the name of each member, such as \"/data\"";
        problems.add(path, format!("`{written}` is no place in an answer"), hint);
        return None;
    }
    Some(written.to_owned())
}

fn cursor(problems: &mut Problems<'_>, index: usize, written: &file::Cursor) -> Option<Cursor> {
    let path = |key: &str| at!["source", index, "cursor", key];
    let of = match (&written.item, &written.answer) {
        (Some(item), None) => {
            let overlap = match written.overlap.as_deref() {
                None => Duration::ZERO,
                Some(text) => {
                    remote::duration(problems, path("overlap"), text, Duration::ZERO..=LONGEST_OVERLAP)?
                }
            };
            CursorOf::Item { pointer: pointer(problems, path("item"), item)?, overlap }
        }
        (None, Some(answer)) => {
            if written.overlap.is_some() {
                let reason = "only a cursor that is taken from the events can overlap";
                problems.add(path("overlap"), reason, "take it out: the server knows what its cursor means");
            }
            CursorOf::Answer { pointer: pointer(problems, path("answer"), answer)? }
        }
        _ => {
            problems.add(
                at!["source", index, "cursor"],
                "a cursor is taken from one place",
                "write `item = \"/created_at\"` for a place in each event, or `answer = \"/next_cursor\"` for one in \
                 the answer",
            );
            return None;
        }
    };
    let parameter = parameter(problems, path("parameter"), &written.parameter)?;
    Some(Cursor { parameter, of })
}

fn pages(problems: &mut Problems<'_>, index: usize, written: &file::Pages) -> Option<Next> {
    let path = |key: &str| at!["source", index, "pages", key];
    if written.next == "link" {
        if written.parameter.is_some() {
            let hint = "take it out: the header names a whole URL";
            problems.add(path("parameter"), "the header `Link` needs no parameter", hint);
        }
        return Some(Next::Link);
    }
    let pointer = pointer(problems, path("next"), &written.next)?;
    let Some(name) = &written.parameter else { return Some(Next::Url { pointer }) };
    let parameter = parameter(problems, path("parameter"), name)?;
    Some(Next::Token { pointer, parameter })
}

fn parameter(problems: &mut Problems<'_>, path: Place, written: &str) -> Option<String> {
    if written.is_empty() {
        let hint = "write the name of a query parameter, such as \"since\"";
        problems.add(path, "the parameter has no name", hint);
        return None;
    }
    Some(written.to_owned())
}

fn refuse_contradictions(problems: &mut Problems<'_>, index: usize, source: &file::Source) {
    let leads_on = source.cursor.as_ref().is_some_and(|cursor| cursor.answer.is_some());
    if leads_on && source.pages.is_some() {
        problems.add(
            at!["source", index, "pages"],
            "a cursor of the answer leads from page to page by itself",
            "keep [source.cursor] or [source.pages]",
        );
    }
    let is_object = leads_on || source.pages.as_ref().is_some_and(|pages| pages.next != "link");
    if is_object && source.items.is_none() {
        problems.add(
            at!["source", index],
            "where the events are in the answer is not said",
            "write `items`, a JSON Pointer to the array of events, such as \"/data\"",
        );
    }
    if source.from.is_some() && source.cursor.is_none() {
        problems.add(
            at!["source", index, "from"],
            "`from` is the first value of a cursor, and there is none",
            "write [source.cursor], or put the parameter into `url`",
        );
    }
}
