//! The document: the producer's text with the patches of the walk applied.

use sha2::{Digest, Sha256};

use crate::normalise::text;
use crate::normalise::walk::{Change, Patch};
use crate::redaction::Action;

const DROPPED: &str = "\"[redacted]\"";

/// How much of a masked text stays, and how long it must be for that: with less, what stays would be too much of it.
const MASK_KEEPS: usize = 4;
const MASK_FROM: usize = 12;

/// Without patches this is the raw text itself, and nothing is copied.
pub(super) fn build<'a>(
    raw: &'a str,
    (start, end): (usize, usize),
    patches: &[Patch],
    scratch: &'a mut String,
) -> &'a str {
    if patches.is_empty() {
        return raw.get(start..end).unwrap_or_default();
    }
    scratch.clear();
    let mut at = start;
    for patch in patches {
        scratch.push_str(raw.get(at..patch.start).unwrap_or_default());
        match patch.change {
            Change::Remove => {}
            Change::LoneSurrogate => scratch.push_str("\\ufffd"),
            Change::Redact(action) => {
                replace(action, raw.get(patch.start..patch.end).unwrap_or_default(), scratch);
            }
        }
        at = patch.end;
    }
    scratch.push_str(raw.get(at..end).unwrap_or_default());
    scratch
}

fn replace(action: Action, value: &str, into: &mut String) {
    let inside = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let content = inside.map(|inside| text::unescape(inside.as_bytes()));
    match (action, content) {
        (Action::Mask, content) => {
            let length = content.as_ref().map_or(0, |content| content.chars().count());
            let skipped = if length < MASK_FROM { length } else { length - MASK_KEEPS };
            let kept: String = content.unwrap_or_default().chars().skip(skipped).collect();
            text::write_string(&format!("****{kept}"), into);
        }
        (Action::Hash, content) => {
            let digest = Sha256::digest(content.as_deref().unwrap_or(value));
            into.push_str("\"sha256:");
            for byte in digest {
                into.push_str(&format!("{byte:02x}"));
            }
            into.push('"');
        }
        (Action::Truncate(characters), Some(content)) => {
            let cut: String = content.chars().take(characters).collect();
            let mark = if cut.len() < content.len() { "…" } else { "" };
            text::write_string(&format!("{cut}{mark}"), into);
        }
        (Action::Drop | Action::Keep | Action::Truncate(_), _) => into.push_str(DROPPED),
    }
}
