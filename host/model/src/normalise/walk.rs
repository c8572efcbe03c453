//! The one walk over a raw event: a strict JSON reader that keeps nothing but positions.
//!
//! It accepts exactly the grammar of RFC 8259, at most [`NESTING`] deep, so its recursion is bounded. Everything that
//! the document needs changed comes out as patches, in order and without overlaps.

use crate::normalise::NESTING;
use crate::normalise::plan::Plan;
use crate::normalise::refusal::Refusal;
use crate::normalise::text::{self, Text};
use crate::normalise::tree::Node;
use crate::redaction::Action;

/// What a slot holds: the place of a value in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    #[default]
    Nothing,
    /// The place is without the quotes.
    Text {
        escaped: bool,
    },
    Number,
    Boolean,
    Null,
    Array,
    Object,
    /// An object or array that a pointer leads into, so it is where it belongs.
    Branch,
}

/// A span of the text that the document has otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Redact(Action),
    /// Whitespace with a line break between tokens: the document is one line.
    Remove,
    /// Half of a surrogate pair, which JSON can write and no Unicode text can hold.
    LoneSurrogate,
}

#[derive(Debug)]
pub(super) struct Walk {
    /// The object without the whitespace around it.
    pub(super) object: (usize, usize),
    pub(super) redacted: usize,
}

/// Fills `found` (one for each slot; of duplicate members the last counts) and `patches`.
pub(super) fn walk(
    raw: &str,
    plan: &Plan,
    found: &mut Vec<Found>,
    patches: &mut Vec<Patch>,
) -> Result<Walk, Refusal> {
    found.clear();
    found.resize(plan.pointers.len(), Found::default());
    patches.clear();
    let mut reader = Reader { bytes: raw.as_bytes(), at: 0, plan, found, patches, redacted: 0, muted: false };
    reader.whitespace();
    let start = reader.at;
    reader.patches.clear();
    if reader.peek() != Some(b'{') {
        return Err(reader.not_an_object());
    }
    reader.object(Some(&plan.tree), 1)?;
    let end = reader.at;
    let inner_patches = reader.patches.len();
    reader.whitespace();
    reader.patches.truncate(inner_patches);
    if reader.at < reader.bytes.len() {
        return Err(reader.syntax("characters after the end of the event"));
    }
    Ok(Walk { object: (start, end), redacted: reader.redacted })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    plan: &'a Plan,
    found: &'a mut Vec<Found>,
    patches: &'a mut Vec<Patch>,
    redacted: usize,
    /// Inside a value that is redacted as a whole.
    muted: bool,
}

impl<'a> Reader<'a> {
    fn object(&mut self, node: Option<&'a Node>, depth: usize) -> Result<(), Refusal> {
        self.descend(depth)?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a member name in double quotes is expected"));
            }
            let key = self.string()?;
            self.whitespace();
            if self.peek() != Some(b':') {
                return Err(self.syntax("':' is expected"));
            }
            self.at += 1;
            self.whitespace();
            self.member(node, key, depth)?;
            if self.after_value(b'}', "',' or '}' is expected")? {
                return Ok(());
            }
        }
    }

    fn array(&mut self, node: Option<&'a Node>, depth: usize) -> Result<(), Refusal> {
        self.descend(depth)?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        let mut index = 0;
        loop {
            let child = node.and_then(|node| node.element(index));
            let action = child.and_then(|child| child.action);
            self.value(child, action, depth)?;
            if self.after_value(b']', "',' or ']' is expected")? {
                return Ok(());
            }
            index += 1;
        }
    }

    fn descend(&mut self, depth: usize) -> Result<(), Refusal> {
        if depth > NESTING {
            return Err(Refusal::TooDeep { offset: self.at, limit: NESTING });
        }
        self.at += 1;
        self.whitespace();
        Ok(())
    }

    /// Steps over what follows a value; true at the end of the object or array.
    fn after_value(&mut self, close: u8, expected: &'static str) -> Result<bool, Refusal> {
        self.whitespace();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.whitespace();
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.syntax(expected)),
        }
    }

    fn member(&mut self, node: Option<&'a Node>, key: Text, depth: usize) -> Result<(), Refusal> {
        if self.muted {
            return self.value(None, None, depth);
        }
        let bytes = self.bytes;
        let raw_key = bytes.get(key.start..key.end).unwrap_or_default();
        // A name may be written with escapes, and means the same.
        let unescaped = key.escaped.then(|| text::unescape(raw_key));
        let name = unescaped.as_ref().map_or(raw_key, |name| name.as_bytes());
        let child = node.and_then(|node| node.member(name));
        let action = child.and_then(|child| child.action).or_else(|| {
            let rule = self.plan.keys.find(name)?;
            (!rule.text_only || self.peek() == Some(b'"')).then_some(rule.action)
        });
        self.value(child, action, depth)
    }

    fn value(&mut self, node: Option<&'a Node>, action: Option<Action>, depth: usize) -> Result<(), Refusal> {
        match (action, self.peek()) {
            (None | Some(Action::Keep), _) | (_, Some(b't' | b'f' | b'n')) => self.plain_value(node, depth),
            (Some(action), _) => self.redacted_value(action, depth),
        }
    }

    fn plain_value(&mut self, node: Option<&'a Node>, depth: usize) -> Result<(), Refusal> {
        let start = self.at;
        let found = match self.peek() {
            Some(b'"') => {
                let text = self.string()?;
                Found { start: text.start, end: text.end, kind: Kind::Text { escaped: text.escaped } }
            }
            Some(b'{') => {
                self.object(node, depth + 1)?;
                Found { start, end: self.at, kind: Kind::Object }
            }
            Some(b'[') => {
                self.array(node, depth + 1)?;
                Found { start, end: self.at, kind: Kind::Array }
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Found { start, end: self.at, kind: Kind::Number }
            }
            Some(b't') => self.literal(b"true", Kind::Boolean)?,
            Some(b'f') => self.literal(b"false", Kind::Boolean)?,
            Some(b'n') => self.literal(b"null", Kind::Null)?,
            _ => return Err(self.syntax("a value is expected")),
        };
        if let Some(node) = node {
            self.remember(node, found);
        }
        Ok(())
    }

    fn remember(&mut self, node: &Node, mut found: Found) {
        if matches!(found.kind, Kind::Object | Kind::Array) && node.has_branches() {
            found.kind = Kind::Branch;
        }
        if let Some(place) = node.slot.and_then(|slot| self.found.get_mut(slot)) {
            *place = found;
        }
    }

    /// Reads the value for its grammar only: nothing inside it may reach the envelope.
    fn redacted_value(&mut self, action: Action, depth: usize) -> Result<(), Refusal> {
        let start = self.at;
        let patches = self.patches.len();
        self.muted = true;
        self.plain_value(None, depth)?;
        self.muted = false;
        self.patches.truncate(patches);
        self.patches.push(Patch { start, end: self.at, change: Change::Redact(action) });
        self.redacted += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<Text, Refusal> {
        let start = self.at + 1;
        let mut escaped = false;
        self.at = start;
        loop {
            self.at += text::plain_length(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text { start, end: self.at - 1, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.syntax("a control character in a string is not escaped")),
                None => return Err(self.syntax("the text ends inside a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Refusal> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match text::escape(rest) {
            Some(escape) => {
                if escape.lone_surrogate {
                    let end = self.at + escape.length;
                    self.patches.push(Patch { start: self.at, end, change: Change::LoneSurrogate });
                }
                self.at += escape.length;
                Ok(())
            }
            None => Err(self.syntax("an escape in a string is not one of JSON's")),
        }
    }

    fn number(&mut self) -> Result<(), Refusal> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Refusal> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.syntax("a digit is expected")) } else { Ok(()) }
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Result<Found, Refusal> {
        let start = self.at;
        if !self.bytes.get(start..).unwrap_or_default().starts_with(word) {
            return Err(self.syntax("a value is expected"));
        }
        self.at += word.len();
        Ok(Found { start, end: self.at, kind })
    }

    fn whitespace(&mut self) {
        let start = self.at;
        let mut line_break = false;
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.peek() {
            line_break |= matches!(byte, b'\n' | b'\r');
            self.at += 1;
        }
        if line_break {
            self.patches.push(Patch { start, end: self.at, change: Change::Remove });
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn syntax(&self, problem: &'static str) -> Refusal {
        let problem = if self.at >= self.bytes.len() { "the text ends too early" } else { problem };
        Refusal::syntax(problem, self.bytes, self.at)
    }

    fn not_an_object(&mut self) -> Refusal {
        let found = match self.peek() {
            Some(b'[') => "an array",
            Some(b'"') => "text",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => return self.syntax("a value is expected"),
        };
        // Well-formed or not decides whether what follows can be read.
        if let Err(refusal) = self.plain_value(None, 0) {
            return refusal;
        }
        self.whitespace();
        if self.at < self.bytes.len() {
            return self.syntax("characters after the end of the event");
        }
        Refusal::NotAnObject { found }
    }
}
