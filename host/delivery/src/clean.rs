//! Taking secrets out of answers.
//!
//! A SIEM, or something on the way to it, may send back what it was sent: an error page with the request's headers, a
//! proxy's debug output. Before an answer reaches a guest, a log or an operator, every secret in use and every form
//! that software is known to give it (base64 in all alignments, URL-encoded, escaped, hexadecimal) becomes `[secret]`.
//!
//! - A form is recognised by its first [`HEAD_BYTES`] bytes and removed as far as it continues, so that a secret that
//!   was cut short is found, too.
//! - Letter case is ignored: servers normalise tokens and header names.
//! - A form shorter than [`MIN_REPLACED_BYTES`] would riddle an answer with replacements that spell it out. Where one
//!   occurs, the whole body or header value is withheld instead; the status is then all there is to judge by.
//! - No list of forms is complete: any character of a secret may be escaped, in several ways, and a guest that reads
//!   JSON sees the secret behind it. So a text is searched a second time as it reads without its escapes. What only
//!   then shows a secret is withheld as a whole.
//! - Mail and dump formats break what is long into lines and groups. So a text is searched as it reads without white
//!   space, too, and withheld when that shows a secret.
//! - What a guest says about an answer is cleaned like the answer: it may have decoded what nobody here knows of.
//!
//! Not found: a secret that is encrypted, compressed, or mixed with other characters than white space.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use bytes::Bytes;
use siemaphore_secrets::Secret;
use zeroize::Zeroizing;

mod escapes;
mod forms;

const REPLACEMENT: &str = "[secret]";
/// Enough to be no accident, few enough to find what was cut short.
const HEAD_BYTES: usize = 24;
const MIN_REPLACED_BYTES: usize = 6;
/// How many layers of escapes are read: a JSON string within a JSON string is not rare.
const LAYERS: usize = 2;
/// As much as can be left of a head that a cut went through, each of its bytes being escaped: `&amp;#x2B;`.
const CUT_HEAD_BYTES: usize = HEAD_BYTES * 10;

/// What a SIEM answered, without the secrets of the request. Only this crate can make one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    pub status: u16,
    /// Names in lowercase, in the order received.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// There was more of the body.
    pub truncated: bool,
    pub received_at: SystemTime,
    /// For what others make of it.
    pub(crate) cleaner: Arc<Cleaner>,
}

impl Answer {
    /// More of the same answer, or what was made of it, without the secrets of its request.
    pub fn cleaned<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        self.cleaner.cleaned(text)
    }

    /// Whether there is none of these secrets in it.
    pub fn is_clean(&self, text: &[u8]) -> bool {
        self.cleaner.is_clean(text)
    }

    /// The first header of that name, which is in lowercase.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Remembers the cleaner of the last answer: from answer to answer the secrets are mostly the same, and making all
/// forms of an access token costs half a millisecond.
#[derive(Default)]
pub(crate) struct LastCleaner(Mutex<Option<(Vec<Secret>, Arc<Cleaner>)>>);

impl LastCleaner {
    pub(crate) fn cleaner(&self, secrets: &[Secret]) -> Arc<Cleaner> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, cleaner)) = last.as_ref()
            && known.len() == secrets.len()
            && known.iter().zip(secrets).all(|(one, other)| one.same_value(other))
        {
            return Arc::clone(cleaner);
        }
        let cleaner = Arc::new(Cleaner::new(secrets));
        *last = Some((secrets.to_vec(), Arc::clone(&cleaner)));
        cleaner
    }
}

/// Finds the forms of some secrets.
pub(crate) struct Cleaner {
    /// The heads of `forms`, by index. None when there is nothing to find, or when no automaton could be built.
    heads: Option<AhoCorasick>,
    forms: Vec<Zeroizing<Vec<u8>>>,
}

impl Cleaner {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut forms: Vec<Zeroizing<Vec<u8>>> = Vec::new();
        for secret in secrets {
            forms::forms_of(secret.expose(), &mut forms);
        }
        forms.retain(|form| !form.is_empty());
        forms.sort_unstable_by(|one, other| one.as_slice().cmp(other.as_slice()));
        forms.dedup();
        let heads = forms.iter().map(|form| form.get(..HEAD_BYTES).unwrap_or(form));
        let heads = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            // Answers are short: the time to build counts more than the time to search.
            .kind(Some(AhoCorasickKind::NoncontiguousNFA))
            .build(heads)
            .ok();
        Cleaner { heads, forms }
    }

    /// The answer without secrets.
    pub(crate) fn answer(self: &Arc<Self>, answer: siemaphore_http::Answer) -> Answer {
        let mut headers = Vec::with_capacity(answer.headers.len());
        for (name, value) in &answer.headers {
            if !self.is_clean(name.as_str().as_bytes()) {
                continue;
            }
            let value = self.cleaned(value.as_bytes());
            headers.push((name.as_str().to_owned(), String::from_utf8_lossy(&value).into_owned()));
        }
        let mut body = match self.cleaned(&answer.body) {
            Cow::Borrowed(_) => answer.body.clone(),
            Cow::Owned(cleaned) => Bytes::from(cleaned),
        };
        if answer.truncated {
            body.truncate(body.len().saturating_sub(CUT_HEAD_BYTES));
        }
        Answer {
            status: answer.status,
            headers,
            body,
            truncated: answer.truncated,
            received_at: SystemTime::now(),
            cleaner: Arc::clone(self),
        }
    }

    /// A text about the answer, without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.cleaned(text.as_bytes())).into_owned()
    }

    fn is_clean(&self, text: &[u8]) -> bool {
        matches!(self.cleaned(text), Cow::Borrowed(_))
    }

    fn cleaned<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let cleaned = self.replaced(text);
        if self.is_hidden_in(text, &cleaned) || self.is_spread_over(text, &cleaned) {
            withheld()
        } else {
            cleaned
        }
    }

    /// Whether `text` shows more of a secret than was taken out of `cleaned` once its white space is gone.
    fn is_spread_over(&self, text: &[u8], cleaned: &[u8]) -> bool {
        if self.forms.is_empty() || !text.iter().any(u8::is_ascii_whitespace) {
            return false;
        }
        // Two secrets with a space between have become neighbours, and so one.
        merged(&self.replaced(&joined(text))) != merged(&joined(cleaned))
    }

    /// Whether reading the escapes of `text` shows more of a secret than was taken out of `cleaned`: reading and
    /// taking out must come to the same in either order.
    fn is_hidden_in(&self, text: &[u8], cleaned: &[u8]) -> bool {
        if self.forms.is_empty() {
            return false;
        }
        let (mut text, mut cleaned) = (Cow::Borrowed(text), Cow::Borrowed(cleaned));
        for _ in 0..LAYERS {
            let Some(read) = escapes::read(&text) else { return false };
            text = Cow::Owned(read);
            if let Some(read) = escapes::read(&cleaned) {
                cleaned = Cow::Owned(read);
            }
            if self.replaced(&text) != cleaned {
                return true;
            }
        }
        false
    }

    /// The text without the forms that stand in it as they are.
    fn replaced<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        if self.forms.is_empty() || text.is_empty() {
            return Cow::Borrowed(text);
        }
        // Without an automaton nothing can be called clean.
        let Some(heads) = &self.heads else { return withheld() };
        let mut found: Vec<Range<usize>> = Vec::new();
        for head in heads.find_overlapping_iter(text) {
            let Some(form) = self.forms.get(head.pattern().as_usize()) else { return withheld() };
            if form.len() < MIN_REPLACED_BYTES {
                return withheld();
            }
            merge(&mut found, head.start()..head.start() + agreement(text, head.start(), form));
        }
        if found.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(without(text, &found)) }
    }
}

impl fmt::Debug for Cleaner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cleaner")
    }
}

/// Without white space.
fn joined(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

/// With one replacement where there are several in a row.
fn merged(text: &[u8]) -> Vec<u8> {
    let mut merged = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        match rest.strip_prefix(REPLACEMENT.as_bytes()) {
            Some(behind) if behind.starts_with(REPLACEMENT.as_bytes()) => rest = behind,
            _ => {
                merged.push(first);
                rest = after;
            }
        }
    }
    merged
}

fn withheld() -> Cow<'static, [u8]> {
    Cow::Owned(REPLACEMENT.as_bytes().to_vec())
}

/// Adds a range to ranges that are in order and apart. Heads are found by their ends, so a new range can swallow
/// several of the last ones.
fn merge(found: &mut Vec<Range<usize>>, mut new: Range<usize>) {
    while let Some(last) = found.pop_if(|last| last.end >= new.start && last.start <= new.end) {
        new = last.start.min(new.start)..last.end.max(new.end);
    }
    let place = found.partition_point(|range| range.start < new.start);
    found.insert(place, new);
}

/// How many bytes of `form` stand in `text` from `start`.
fn agreement(text: &[u8], start: usize, form: &[u8]) -> usize {
    let here = text.get(start..).unwrap_or_default();
    here.iter().zip(form).take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count()
}

fn without(text: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let mut cleaned = Vec::with_capacity(text.len());
    let mut kept_until = 0;
    for range in ranges {
        cleaned.extend_from_slice(text.get(kept_until..range.start).unwrap_or_default());
        cleaned.extend_from_slice(REPLACEMENT.as_bytes());
        kept_until = range.end.max(kept_until);
    }
    cleaned.extend_from_slice(text.get(kept_until..).unwrap_or_default());
    cleaned
}

#[cfg(test)]
pub(crate) mod tests_support {
    //! Answers for the tests of the modules that read them.

    use super::*;

    pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        answer_to(&[], status, headers, body)
    }

    /// An answer to a request with secrets.
    pub(crate) fn answer_to(secrets: &[Secret], status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        Answer {
            status,
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            truncated: false,
            received_at: SystemTime::UNIX_EPOCH,
            cleaner: Arc::new(Cleaner::new(secrets)),
        }
    }
}

#[cfg(test)]
mod tests;
