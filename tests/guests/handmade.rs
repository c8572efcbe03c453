//! A customer's formatter made of nothing but the contract, which turns on some of its events when it is told to.
//!
//! Each record is `{"message":"<words>","event_key":"<key>"}`, sent in an array to the path where Datadog takes logs.

use super::{Guest, words};

const PATH: &str = "/api/v2/logs";
const CONTENT_TYPE: &str = "application/json";
/// Name, version, vendor, title, summary, schema and example of the settings, example of an endpoint, name of the secret.
const DESCRIPTION: [&str; 9] = [
    "handmade",
    "1.0.0",
    "A customer",
    "Handmade",
    "Sends the key of each event, and a word, to a log intake.",
    r#"{"type":"object","additionalProperties":false}"#,
    "{}",
    "https://logs.example.com",
    "API key",
];
/// Scheme and parameters.
const AUTHENTICATION: [&str; 2] = ["header", r#"{"header":"DD-API-KEY"}"#];

/// A text of an event, by its place in memory.
#[allow(dead_code, reason = "each test binary uses some of it")]
#[derive(Clone, Copy)]
pub(crate) enum Field {
    Key = 0,
    Id = 8,
    EventType = 16,
    Source = 52,
}

pub(crate) struct Handmade {
    words: String,
    /// Events that have a text which begins so are not formatted.
    dislikes: Option<(Field, String)>,
    /// What it does instead.
    instead: String,
    /// A text for what it does instead.
    said: String,
    /// Further fields of its module.
    extra: String,
}

#[allow(dead_code, reason = "each test binary uses some of it")]
impl Handmade {
    pub(crate) fn saying(words: &str) -> Handmade {
        Handmade {
            words: words.to_owned(),
            dislikes: None,
            instead: String::new(),
            said: String::new(),
            extra: String::new(),
        }
    }

    /// Prints its last words and traps.
    pub(crate) fn traps_on(self, field: Field, beginning: &str, last_words: &str) -> Handmade {
        let print = format!("(call $print (i32.const 900) (i32.const {}))", last_words.len());
        self.turns_on(field, beginning, &format!("{print} (unreachable)"), last_words)
    }

    /// Loops until somebody stops it.
    pub(crate) fn loops_on(self, field: Field, beginning: &str) -> Handmade {
        self.turns_on(field, beginning, "(loop $l (br $l))", "")
    }

    pub(crate) fn rejects(self, field: Field, beginning: &str, reason: &str) -> Handmade {
        let rejection = format!(
            "(i32.store (local.get $rejection) (local.get $i))
             (i32.store offset=4 (local.get $rejection) (i32.const 900))
             (i32.store offset=8 (local.get $rejection) (i32.const {}))
             (local.set $rejection (i32.add (local.get $rejection) (i32.const 12)))",
            reason.len()
        );
        self.turns_on(field, beginning, &rejection, reason)
    }

    pub(crate) fn extra(self, extra: &str) -> Handmade {
        Handmade { extra: extra.to_owned(), ..self }
    }

    fn turns_on(self, field: Field, beginning: &str, instead: &str, said: &str) -> Handmade {
        Handmade {
            dislikes: Some((field, beginning.to_owned())),
            instead: instead.to_owned(),
            said: said.to_owned(),
            ..self
        }
    }

    pub(crate) fn component(&self) -> Vec<u8> {
        let before = format!(r#"{{"message":"{}","event_key":""#, self.words);
        // One that says nothing imports nothing.
        let guest =
            if self.instead.contains("$print") { Guest::honest().printing() } else { Guest::honest() };
        guest
            .extra(&self.texts(&before))
            .extra(&self.dislike())
            .extra(&self.extra)
            .format(&format(before.len(), &self.instead))
            .component()
    }

    fn texts(&self, before: &str) -> String {
        format!(
            r#"(data (i32.const 600) "{PATH}{CONTENT_TYPE}") (data (i32.const 2060) "{path}")
               (data (i32.const 2076) "{content_type}")
               (data (i32.const 700) "{before}\"}}") (data (i32.const 900) "{said}")
               {description}"#,
            path = words(&[600, PATH.len()]),
            content_type = words(&[600 + PATH.len(), CONTENT_TYPE.len()]),
            before = quoted(before),
            said = self.said,
            description = description(),
        )
    }

    /// A function that says whether an event is one of those it turns on.
    fn dislike(&self) -> String {
        let Some((field, beginning)) = &self.dislikes else {
            return "(func $dislikes (param $event i32) (result i32) (i32.const 0))".to_owned();
        };
        let (offset, length) = (*field as usize, beginning.len());
        format!(
            r#"(data (i32.const 560) "{beginning}")
               (func $dislikes (param $event i32) (result i32) (local $i i32)
                 (if (i32.lt_u (i32.load offset={} (local.get $event)) (i32.const {length}))
                   (then (return (i32.const 0))))
                 (block $same (loop $next
                   (br_if $same (i32.eq (local.get $i) (i32.const {length})))
                   (if (i32.ne
                         (i32.load8_u (i32.add (i32.load offset={offset} (local.get $event)) (local.get $i)))
                         (i32.load8_u offset=560 (local.get $i)))
                     (then (return (i32.const 0))))
                   (local.set $i (i32.add (local.get $i) (i32.const 1)))
                   (br $next)))
                 (i32.const 1))"#,
            offset + 4
        )
    }
}

fn quoted(text: &str) -> String {
    text.replace('"', "\\\"")
}

/// The texts from 10,000 on, and at 1024 where each of them lies.
fn description() -> String {
    let (mut text, mut places) = (String::new(), Vec::new());
    for piece in DESCRIPTION.iter().chain(&AUTHENTICATION) {
        places.extend([10_000 + text.len(), piece.len()]);
        text.push_str(piece);
    }
    let (texts, hint) = places.split_at(2 * DESCRIPTION.len());
    format!(
        r#"(data (i32.const 10000) "{}") (data (i32.const 1024) "{}{}") (data (i32.const 1200) "{}")"#,
        quoted(&text),
        words(texts),
        words(&[1200, 1]),
        words(hint)
    )
}

/// An event has 96 bytes and begins with address and length of its key, which has 32 digits.
fn format(before: usize, instead: &str) -> String {
    let record = before + 32 + 2;
    format!(
        "(local $event i32) (local $data i32) (local $at i32) (local $ends i32) (local $rejections i32)
         (local $rejection i32)
         (local.set $data (call $realloc {unused} (i32.mul (local.get $count) (i32.const {record}))))
         (local.set $ends (call $realloc {unused} (i32.mul (local.get $count) (i32.const 4))))
         (local.set $rejections (call $realloc {unused} (i32.mul (local.get $count) (i32.const 12))))
         (local.set $at (local.get $data))
         (local.set $rejection (local.get $rejections))
         (block $done (loop $next
           (br_if $done (i32.eq (local.get $i) (local.get $count)))
           (local.set $event (i32.add (local.get $events) (i32.mul (local.get $i) (i32.const 96))))
           (if (call $dislikes (local.get $event))
             (then {instead})
             (else
               (memory.copy (local.get $at) (i32.const 700) (i32.const {before}))
               (memory.copy (i32.add (local.get $at) (i32.const {before}))
                 (i32.load (local.get $event)) (i32.const 32))
               (memory.copy (i32.add (local.get $at) (i32.const {after})) (i32.const {closing}) (i32.const 2))
               (local.set $at (i32.add (local.get $at) (i32.const {record})))))
           (i32.store (i32.add (local.get $ends) (i32.mul (local.get $i) (i32.const 4)))
             (i32.sub (local.get $at) (local.get $data)))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br $next)))
         (i32.store (i32.const 4100) (local.get $data))
         (i32.store (i32.const 4104) (i32.sub (local.get $at) (local.get $data)))
         (i32.store (i32.const 4108) (local.get $ends)) (i32.store (i32.const 4112) (local.get $count))
         (i32.store (i32.const 4116) (local.get $rejections))
         (i32.store (i32.const 4120)
           (i32.div_u (i32.sub (local.get $rejection) (local.get $rejections)) (i32.const 12)))
         (i32.const 4096)",
        unused = "(i32.const 0) (i32.const 0) (i32.const 0)",
        after = before + 32,
        closing = 700 + before,
    )
}
