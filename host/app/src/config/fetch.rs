//! Sources that fetch: from where.

use std::path::Path;

use siemaphore_sources::Kind;
use siemaphore_sources::file::{FileConfig, From, Pattern, PatternError};

use crate::config::problem::at;
use crate::config::{Problems, file, nearest};

/// How the events of a source come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Http,
    File,
}

const WAYS: [(&str, Way); 2] = [("http", Way::Http), ("file", Way::File)];

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
        ("token", Way::Http, source.token.is_some()),
        ("signature", Way::Http, source.signature.is_some()),
        ("path", Way::File, source.path.is_some()),
        ("from", Way::File, source.from.is_some()),
    ];
    for (key, of, is_written) in written {
        if is_written && of != way {
            let name = WAYS.iter().find(|(_, one)| *one == of).map_or("", |(name, _)| name);
            problems.add(
                at!["source", index, key],
                format!("`{key}` is for sources of the kind `{name}`"),
                format!("take it out, or write `kind = \"{name}\"`"),
            );
        }
    }
}

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
