//! Sources that fetch: from where.

mod export;
mod remote;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use siemaphore_http::EgressPolicy;
use siemaphore_sources::file::{FileConfig, From, Pattern, PatternError};
use siemaphore_sources::{Kind, SseConfig};

pub(crate) use self::export::export;
use crate::config::problem::at;
use crate::config::{Problems, file, nearest};

/// How the events of a source come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Http,
    File,
    Sse,
    Pull,
}

const WAYS: [(&str, Way); 4] =
    [("http", Way::Http), ("file", Way::File), ("sse", Way::Sse), ("pull", Way::Pull)];
/// Those that ask a server.
const REMOTE: &[Way] = &[Way::Sse, Way::Pull];

pub(crate) fn way(problems: &mut Problems<'_>, index: usize, source: &file::Source) -> Option<Way> {
    let written = source.kind.as_deref().unwrap_or("http");
    let found = WAYS.iter().find(|(name, _)| *name == written).map(|(_, way)| *way);
    let Some(way) = found else {
        let known = WAYS.map(|(name, _)| name);
        let hint = match nearest(written, &known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write one of: {}; or leave it out for http", known.join(", ")),
        };
        problems.add(at!["source", index, "kind"], format!("`{written}` is no kind of source"), hint);
        return None;
    };
    refuse_others(problems, index, source, way);
    Some(way)
}

/// A key that means nothing for this kind is a misunderstanding.
fn refuse_others(problems: &mut Problems<'_>, index: usize, source: &file::Source, way: Way) {
    let written = [
        ("token", &[Way::Http][..], source.token.is_some()),
        ("signature", &[Way::Http], source.signature.is_some()),
        ("path", &[Way::File], source.path.is_some()),
        ("from", &[Way::File, Way::Pull], source.from.is_some()),
        ("url", REMOTE, source.url.is_some()),
        ("secret", REMOTE, source.secret.is_some()),
        ("authentication", REMOTE, source.authentication.is_some()),
        ("ca_file", REMOTE, source.ca_file.is_some()),
        ("allow_plaintext", REMOTE, source.allow_plaintext.is_some()),
        ("events", &[Way::Sse], source.events.is_some()),
        ("idle_timeout", &[Way::Sse], source.idle_timeout.is_some()),
        ("every", &[Way::Pull], source.every.is_some()),
        ("items", &[Way::Pull], source.items.is_some()),
        ("cursor", &[Way::Pull], source.cursor.is_some()),
        ("pages", &[Way::Pull], source.pages.is_some()),
        ("body_limit", &[Way::Pull], source.body_limit.is_some()),
    ];
    for (key, of, is_written) in written {
        if is_written && !of.contains(&way) {
            let names = WAYS.iter().filter(|(_, one)| of.contains(one));
            let names: Vec<String> = names.map(|(name, _)| format!("`{name}`")).collect();
            let kinds = names.join(" and ");
            let first = WAYS.iter().find(|(_, one)| of.contains(one)).map_or("", |(name, _)| name);
            problems.add(
                at!["source", index, key],
                format!("`{key}` is for sources of the kind {kinds}"),
                format!("take it out, or write `kind = \"{first}\"`"),
            );
        }
    }
}

/// Relative paths start at `folder`.
pub(crate) fn stream(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
    egress: &Arc<EgressPolicy>,
    folder: &Path,
) -> Option<Kind> {
    let fetch = remote::fetch(problems, index, source, egress, folder);
    let idle_timeout = match source.idle_timeout.as_deref() {
        None => IDLE_TIMEOUT,
        Some(text) => {
            let path = at!["source", index, "idle_timeout"];
            remote::duration(problems, path, text, SHORTEST_IDLE_TIMEOUT..=LONGEST_IDLE_TIMEOUT)?
        }
    };
    let event_types = source.events.clone().unwrap_or_default();
    if source.events.as_ref().is_some_and(Vec::is_empty) {
        problems.add(
            at!["source", index, "events"],
            "no type: this source would take nothing",
            "write the types to take, such as [\"audit\"], or leave `events` out for all",
        );
    }
    Some(Kind::Sse(Box::new(SseConfig { fetch: fetch?, event_types, idle_timeout })))
}

/// Servers of streams are advised to send a comment every 15 seconds.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// Below it a network that hesitates would count as a silent server.
const SHORTEST_IDLE_TIMEOUT: Duration = Duration::from_secs(1);
/// A connection that is dead and does not show it is noticed within this.
const LONGEST_IDLE_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Relative paths start at `folder`.
pub(crate) fn files(
    problems: &mut Problems<'_>,
    index: usize,
    source: &file::Source,
    folder: &Path,
) -> Option<Kind> {
    const EXAMPLE: &str =
        "write a path, such as \"/var/log/app/*.jsonl\"; `*` and `?` may be in the last part";
    let Some(path) = source.path.as_deref() else {
        let reason = format!("source `{}` follows files, and names none", source.name);
        problems.add(at!["source", index], reason, format!("{EXAMPLE}, as `path`"));
        return None;
    };
    let pattern = Pattern::new(&folder.join(path))
        .map_err(|error: PatternError| (error.to_string(), EXAMPLE.to_owned()));
    let pattern = problems.check(at!["source", index, "path"], pattern);
    let from = match source.from.as_deref() {
        None | Some("beginning") => Some(From::Beginning),
        Some("end") => Some(From::End),
        Some(other) => {
            let reason = format!("`{other}` is no place to begin");
            problems.add(at!["source", index, "from"], reason, "write \"beginning\" or \"end\"");
            None
        }
    };
    Some(Kind::File(FileConfig { pattern: pattern?, from: from? }))
}
