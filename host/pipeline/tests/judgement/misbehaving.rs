//! Formatters that break, lie and stall: WebAssembly text that formats honestly for HEC, but for what a test asks.
//!
//! An event of the type `poison` can be made the one that does harm. What is said of an answer is chosen by its status,
//! as a verdict of the host's own type, which is laid out in the guest's memory beforehand.

#[path = "../../../sandbox/tests/support/guest.rs"]
mod guest;

use siemaphore_model::formatter::{Fate, Note, Run, Verdict};

use self::guest::Guest;

/// What the guest says before it traps.
pub(crate) const LAST_WORDS: &str = "no rule for tool calls without a name";
/// Why the guest rejects an event.
pub(crate) const REJECTION: &str = "this event has no subject";
/// An index that a stand-in can be told to refuse.
pub(crate) const FORBIDDEN_INDEX: &str = "forbidden";

/// What becomes of an event of the type `poison`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Poison {
    /// It is formatted like any other.
    Harmless,
    /// The guest says [`LAST_WORDS`] and traps.
    Traps,
    /// It gets a rejection instead of a record.
    IsRejected,
    /// Its record names [`FORBIDDEN_INDEX`].
    IsForbidden,
}

pub(crate) struct Misbehaving {
    poison: Poison,
    breaks_on_everything: bool,
    has_small_records: bool,
    /// What stands before the verdicts.
    on_answer: &'static str,
    verdicts: Vec<(u16, Verdict)>,
}

impl Misbehaving {
    /// Not yet.
    pub(crate) fn honest() -> Misbehaving {
        Misbehaving {
            poison: Poison::Harmless,
            breaks_on_everything: false,
            has_small_records: false,
            on_answer: "",
            verdicts: Vec::new(),
        }
    }

    pub(crate) fn poison(self, poison: Poison) -> Misbehaving {
        Misbehaving { poison, ..self }
    }

    /// Traps on every event.
    pub(crate) fn breaking_on_everything() -> Misbehaving {
        Misbehaving { breaks_on_everything: true, ..Misbehaving::honest() }
    }

    /// Traps on every answer.
    pub(crate) fn breaking_on_answers() -> Misbehaving {
        Misbehaving { on_answer: "(unreachable)", ..Misbehaving::honest() }
    }

    /// Asks for records of at most 50 bytes, which forbidden ones exceed.
    pub(crate) fn with_small_records(self) -> Misbehaving {
        Misbehaving { has_small_records: true, ..self }
    }

    /// Traps on answers with the status 201, which no law asks about.
    pub(crate) fn breaking_on_created(self) -> Misbehaving {
        Misbehaving {
            on_answer: "(if (i32.eq (local.get $status) (i32.const 201)) (then (unreachable)))",
            ..self
        }
    }

    /// Traps on every answer to a follow-up.
    pub(crate) fn breaking_on_follow_ups(self) -> Misbehaving {
        Misbehaving { on_answer: "(if (local.get $phase) (then (unreachable)))", ..self }
    }

    /// Has nothing to say of an answer to a follow-up.
    pub(crate) fn silent_on_follow_ups(self) -> Misbehaving {
        Misbehaving { on_answer: "(if (local.get $phase) (then (return (i32.const 8192))))", ..self }
    }

    /// Says this of answers with this status, and nothing of others.
    pub(crate) fn says(mut self, status: u16, verdict: Verdict) -> Misbehaving {
        self.verdicts.push((status, verdict));
        self
    }

    pub(crate) fn component(&self) -> Vec<u8> {
        let mut extra = CONSTANTS.to_owned();
        if self.has_small_records {
            extra.push_str("(data (i32.const 2144) \"\\32\\00\\00\\00\")\n");
        }
        let mut interpret = self.on_answer.to_owned();
        let mut at = VERDICTS;
        for (status, verdict) in &self.verdicts {
            let bytes = lowered(verdict, at);
            let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
            extra.push_str(&format!("(data (i32.const {at}) \"{escaped}\")\n"));
            interpret.push_str(&format!(
                "(if (i32.eq (local.get $status) (i32.const {status})) (then (return (i32.const {at}))))"
            ));
            at += u32::try_from(bytes.len().next_multiple_of(8)).unwrap();
        }
        assert!(at < 0x1_0000, "the verdicts are too long");
        interpret.push_str("(i32.const 8192)");
        for (address, text) in [(900, LAST_WORDS), (960, REJECTION)] {
            extra.push_str(&format!("(data (i32.const {address}) \"{text}\")\n"));
        }
        Guest::honest().printing().extra(&extra).format(&self.format()).interpret(&interpret).component()
    }

    /// Each record is `{"event":"<key>"}`. An event has 96 bytes and begins with the address and length of its key.
    fn format(&self) -> String {
        let on_event = if self.breaks_on_everything { "(unreachable)" } else { "" };
        let (on_poison, formats_poison) = match self.poison {
            Poison::Harmless | Poison::IsForbidden => (String::new(), true),
            Poison::Traps => (
                format!("(call $print (i32.const 900) (i32.const {})) (unreachable)", LAST_WORDS.len()),
                true,
            ),
            Poison::IsRejected => (rejection(), false),
        };
        let (end_of_poison, length) =
            if self.poison == Poison::IsForbidden { (720, FORBIDDEN_END_BYTES) } else { (712, 2) };
        format!(
            "(local $at i32) (local $event i32) (local $poison i32) (local $rejected i32)
             (local.set $at (i32.const 0x10000))
             (block $done (loop $next
               (br_if $done (i32.eq (local.get $i) (local.get $count)))
               (local.set $event (i32.add (local.get $events) (i32.mul (local.get $i) (i32.const 96))))
               (local.set $poison (i32.and
                 (i32.eq (i32.load offset=20 (local.get $event)) (i32.const 6))
                 (i32.eq (i32.load (i32.load offset=16 (local.get $event))) (i32.const {POIS}))))
               {on_event}
               (if (local.get $poison) (then {on_poison}))
               (if (i32.or (i32.eqz (local.get $poison)) (i32.const {formats_poison})) (then
                 (memory.copy (local.get $at) (i32.const 700) (i32.const 10))
                 (memory.copy (i32.add (local.get $at) (i32.const 10))
                   (i32.load (local.get $event)) (i32.const 32))
                 (local.set $at (i32.add (local.get $at) (i32.const 42)))
                 (if (local.get $poison)
                   (then (memory.copy (local.get $at) (i32.const {end_of_poison}) (i32.const {length}))
                     (local.set $at (i32.add (local.get $at) (i32.const {length}))))
                   (else (memory.copy (local.get $at) (i32.const 712) (i32.const 2))
                     (local.set $at (i32.add (local.get $at) (i32.const 2)))))))
               (i32.store (i32.add (i32.const {ENDS}) (i32.shl (local.get $i) (i32.const 2)))
                 (i32.sub (local.get $at) (i32.const 0x10000)))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br $next)))
             (i32.store (i32.const 4100) (i32.const 0x10000))
             (i32.store (i32.const 4104) (i32.sub (local.get $at) (i32.const 0x10000)))
             (i32.store (i32.const 4108) (i32.const {ENDS})) (i32.store (i32.const 4112) (local.get $count))
             (i32.store (i32.const 4116) (i32.const {REJECTIONS}))
             (i32.store (i32.const 4120) (local.get $rejected))
             (i32.const 4096)",
            formats_poison = u8::from(formats_poison),
        )
    }
}

/// How `poison` begins.
const POIS: u32 = u32::from_le_bytes(*b"pois");
const ENDS: u32 = 0x2_a000;
const REJECTIONS: u32 = 0x2_d000;
const VERDICTS: u32 = 0x3000;
const FORBIDDEN_END_BYTES: usize = r#"","index":"forbidden"}"#.len();

/// A description with settings, and a profile for HEC: concatenated JSON, with its health as the place of follow-ups.
const CONSTANTS: &str = r#"
    (data (i32.const 600) "/services/collector/eventapplication/json/services/collector/health{}")
    (data (i32.const 700) "{\"event\":\"")
    (data (i32.const 712) "\"}")
    (data (i32.const 720) "\",\"index\":\"forbidden\"}")
    (data (i32.const 1072) "\9b\02\00\00\02\00\00\00")
    (data (i32.const 2060) "\58\02\00\00\19\00\00\00")
    (data (i32.const 2076) "\71\02\00\00\10\00\00\00")
    (data (i32.const 2092) "\01\00\00\00\81\02\00\00\1a\00\00\00")
    (data (i32.const 2108) "\02")
"#;

/// A rejection has an index and the address and length of its reason.
fn rejection() -> String {
    format!(
        "(local.set $event (i32.add (i32.const {REJECTIONS}) (i32.mul (local.get $rejected) (i32.const 12))))
         (i32.store (local.get $event) (local.get $i))
         (i32.store offset=4 (local.get $event) (i32.const 960))
         (i32.store offset=8 (local.get $event) (i32.const {}))
         (local.set $rejected (i32.add (local.get $rejected) (i32.const 1)))",
        REJECTION.len()
    )
}

/// A verdict as the canonical ABI lays it out at this address: the case, its fields from byte 8, then what they
/// point to.
fn lowered(verdict: &Verdict, address: u32) -> Vec<u8> {
    let mut memory = Lowering { address, bytes: vec![0; 72] };
    let case = match verdict {
        Verdict::Standard => 0,
        Verdict::Delivered(note) => {
            memory.note(8, note.as_ref());
            1
        }
        Verdict::Partial(partial) => {
            memory.runs(8, &partial.runs);
            memory.fate(16, &partial.rest);
            memory.note(32, partial.note.as_ref());
            2
        }
        Verdict::Retry { after_ms, reason } => {
            memory.option(8, *after_ms);
            memory.list(24, reason.as_bytes());
            3
        }
        Verdict::Split => 4,
        Verdict::Hold(refusal) | Verdict::Rejected(refusal) => {
            memory.list(8, refusal.reason.as_bytes());
            memory.list(16, refusal.hint.as_bytes());
            if matches!(verdict, Verdict::Hold(_)) { 5 } else { 6 }
        }
        Verdict::Uncertain { lost, reason } => {
            memory.number(8, *lost);
            memory.list(12, reason.as_bytes());
            7
        }
        Verdict::Pending(pending) => {
            assert!(pending.query.is_empty(), "no test needs a query");
            memory.wide(8, pending.after_ms);
            memory.list(24, &pending.body);
            memory.list(32, &pending.state);
            8
        }
    };
    memory.number(0, case);
    memory.bytes
}

struct Lowering {
    address: u32,
    bytes: Vec<u8>,
}

impl Lowering {
    fn number(&mut self, at: usize, value: u32) {
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn wide(&mut self, at: usize, value: u64) {
        self.bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    fn option(&mut self, at: usize, value: Option<u64>) {
        if let Some(value) = value {
            self.number(at, 1);
            self.wide(at + 8, value);
        }
    }

    /// Address and length, of bytes that are appended.
    fn list(&mut self, at: usize, bytes: &[u8]) {
        let place = self.end();
        self.number(at, place);
        self.number(at + 4, u32::try_from(bytes.len()).unwrap());
        self.bytes.extend_from_slice(bytes);
    }

    fn note(&mut self, at: usize, note: Option<&Note>) {
        if let Some(note) = note {
            self.number(at, 1);
            self.list(at + 8, note.reason.as_bytes());
            self.list(at + 16, note.hint.as_bytes());
            self.option(at + 24, note.pause_ms);
        }
    }

    fn runs(&mut self, at: usize, runs: &[Run]) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let (place, start) = (self.end(), self.bytes.len());
        self.number(at, place);
        self.number(at + 4, u32::try_from(runs.len()).unwrap());
        self.bytes.resize(start + 20 * runs.len(), 0);
        for (run, at) in runs.iter().zip((start..).step_by(20)) {
            self.number(at, run.first);
            self.number(at + 4, run.count);
            self.fate(at + 8, &run.fate);
        }
    }

    fn fate(&mut self, at: usize, fate: &Fate) {
        let case = match fate {
            Fate::Delivered => 0,
            Fate::Duplicate => 1,
            Fate::Retry => 2,
            Fate::Rejected(reason) => {
                self.list(at + 4, reason.as_bytes());
                3
            }
        };
        self.number(at, case);
    }

    fn end(&self) -> u32 {
        self.address + u32::try_from(self.bytes.len()).unwrap()
    }
}
