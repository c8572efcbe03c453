//! The tokens of JSON: strings, numbers, words and the whitespace between them, exactly as RFC 8259 has them.

use crate::normalise::refusal::Refusal;
use crate::normalise::text::{self, Text};
use crate::normalise::walk::{Change, Found, Kind, Patch};

/// A place in the text, and what in the text before it the document must have otherwise.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) patches: &'a mut Vec<Patch>,
}

impl Reader<'_> {
    pub(super) fn string(&mut self) -> Result<Text, Refusal> {
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

    pub(super) fn number(&mut self) -> Result<(), Refusal> {
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

    pub(super) fn literal(&mut self, word: &[u8], kind: Kind) -> Result<Found, Refusal> {
        let start = self.at;
        if !self.bytes.get(start..).unwrap_or_default().starts_with(word) {
            return Err(self.syntax("a value is expected"));
        }
        self.at += word.len();
        Ok(Found { start, end: self.at, kind })
    }

    /// Mostly there is none, which is all that the inlined part has to see.
    #[inline]
    pub(super) fn whitespace(&mut self) {
        if let Some(..=b' ') = self.peek() {
            self.some_whitespace();
        }
    }

    fn some_whitespace(&mut self) {
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

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn syntax(&self, problem: &'static str) -> Refusal {
        let problem = if self.at >= self.bytes.len() { "the text ends too early" } else { problem };
        Refusal::syntax(problem, self.bytes, self.at)
    }
}
