//! The one walk over a raw event: it keeps nothing but positions.
//!
//! It accepts exactly the grammar of RFC 8259, at most [`NESTING`] deep, so its recursion is bounded. Everything that
//! the document needs changed comes out as patches, in order and without overlaps.

use crate::normalise::NESTING;
use crate::normalise::plan::Plan;
use crate::normalise::reader::Reader;
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
    /// Where the object begins and ends, without the whitespace around it.
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
    let reader = Reader { bytes: raw.as_bytes(), at: 0, patches };
    let mut walker = Walker { reader, plan, found, redacted: 0, muted: false };
    let object = walker.event()?;
    Ok(Walk { object, redacted: walker.redacted })
}

struct Walker<'a> {
    reader: Reader<'a>,
    plan: &'a Plan,
    found: &'a mut Vec<Found>,
    redacted: usize,
    /// Inside a value that is redacted as a whole.
    muted: bool,
}

impl<'a> Walker<'a> {
    /// The place of the object, without the whitespace around it.
    fn event(&mut self) -> Result<(usize, usize), Refusal> {
        self.reader.whitespace();
        self.reader.patches.clear();
        let start = self.reader.at;
        if self.reader.peek() != Some(b'{') {
            return Err(self.not_an_object());
        }
        self.object(Some(&self.plan.tree), 1)?;
        let (end, patches) = (self.reader.at, self.reader.patches.len());
        self.end_of_text()?;
        self.reader.patches.truncate(patches);
        Ok((start, end))
    }

    fn end_of_text(&mut self) -> Result<(), Refusal> {
        self.reader.whitespace();
        if self.reader.at < self.reader.bytes.len() {
            return Err(self.reader.syntax("characters after the end of the event"));
        }
        Ok(())
    }

    fn object(&mut self, node: Option<&'a Node>, depth: usize) -> Result<(), Refusal> {
        self.descend(depth)?;
        if self.reader.peek() == Some(b'}') {
            self.reader.at += 1;
            return Ok(());
        }
        loop {
            if self.reader.peek() != Some(b'"') {
                return Err(self.reader.syntax("a member name in double quotes is expected"));
            }
            let key = self.reader.string()?;
            self.reader.whitespace();
            if self.reader.peek() != Some(b':') {
                return Err(self.reader.syntax("':' is expected"));
            }
            self.reader.at += 1;
            self.reader.whitespace();
            self.member(node, key, depth)?;
            if self.after_value(b'}', "',' or '}' is expected")? {
                return Ok(());
            }
        }
    }

    fn array(&mut self, node: Option<&'a Node>, depth: usize) -> Result<(), Refusal> {
        self.descend(depth)?;
        if self.reader.peek() == Some(b']') {
            self.reader.at += 1;
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
            return Err(Refusal::TooDeep { offset: self.reader.at, limit: NESTING });
        }
        self.reader.at += 1;
        self.reader.whitespace();
        Ok(())
    }

    /// Steps over what follows a value; true at the end of the object or array.
    fn after_value(&mut self, close: u8, expected: &'static str) -> Result<bool, Refusal> {
        self.reader.whitespace();
        match self.reader.peek() {
            Some(b',') => {
                self.reader.at += 1;
                self.reader.whitespace();
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.reader.at += 1;
                Ok(true)
            }
            _ => Err(self.reader.syntax(expected)),
        }
    }

    fn member(&mut self, node: Option<&'a Node>, key: Text, depth: usize) -> Result<(), Refusal> {
        if self.muted {
            return self.value(None, None, depth);
        }
        let bytes = self.reader.bytes;
        let raw_key = bytes.get(key.start..key.end).unwrap_or_default();
        // A name may be written with escapes, and means the same.
        let unescaped = key.escaped.then(|| text::unescape(raw_key));
        let name = unescaped.as_ref().map_or(raw_key, |name| name.as_bytes());
        let child = node.and_then(|node| node.member(name));
        let action = child.and_then(|child| child.action).or_else(|| {
            let rule = self.plan.keys.find(name)?;
            (!rule.text_only || self.reader.peek() == Some(b'"')).then_some(rule.action)
        });
        self.value(child, action, depth)
    }

    fn value(&mut self, node: Option<&'a Node>, action: Option<Action>, depth: usize) -> Result<(), Refusal> {
        match (action, self.reader.peek()) {
            (None | Some(Action::Keep), _) | (_, Some(b't' | b'f' | b'n')) => self.plain_value(node, depth),
            (Some(action), _) => self.redacted_value(action, depth),
        }
    }

    fn plain_value(&mut self, node: Option<&'a Node>, depth: usize) -> Result<(), Refusal> {
        let start = self.reader.at;
        let found = match self.reader.peek() {
            Some(b'"') => {
                let text = self.reader.string()?;
                Found { start: text.start, end: text.end, kind: Kind::Text { escaped: text.escaped } }
            }
            Some(b'{') => {
                self.object(node, depth + 1)?;
                Found { start, end: self.reader.at, kind: Kind::Object }
            }
            Some(b'[') => {
                self.array(node, depth + 1)?;
                Found { start, end: self.reader.at, kind: Kind::Array }
            }
            Some(b'-' | b'0'..=b'9') => {
                self.reader.number()?;
                Found { start, end: self.reader.at, kind: Kind::Number }
            }
            Some(b't') => self.reader.literal(b"true", Kind::Boolean)?,
            Some(b'f') => self.reader.literal(b"false", Kind::Boolean)?,
            Some(b'n') => self.reader.literal(b"null", Kind::Null)?,
            _ => return Err(self.reader.syntax("a value is expected")),
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
        let start = self.reader.at;
        let patches = self.reader.patches.len();
        self.muted = true;
        self.plain_value(None, depth)?;
        self.muted = false;
        self.reader.patches.truncate(patches);
        self.reader.patches.push(Patch { start, end: self.reader.at, change: Change::Redact(action) });
        self.redacted += 1;
        Ok(())
    }

    fn not_an_object(&mut self) -> Refusal {
        let found = match self.reader.peek() {
            Some(b'[') => "an array",
            Some(b'"') => "text",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => return self.reader.syntax("a value is expected"),
        };
        // Well-formed or not decides whether what follows can be read.
        match self.plain_value(None, 0).and_then(|()| self.end_of_text()) {
            Ok(()) => Refusal::NotAnObject { found },
            Err(refusal) => refusal,
        }
    }
}
