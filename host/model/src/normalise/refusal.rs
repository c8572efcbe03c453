//! Why a raw event is turned away.

use crate::normalise::version::UnknownVersion;

/// The text is for the producer: it says what is wrong and where, and never quotes the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("not valid JSON: {problem} at byte {offset} (line {line}, column {column})")]
    Syntax { problem: &'static str, offset: usize, line: usize, column: usize },
    #[error("the event is {found}; a JSON object is expected")]
    NotAnObject { found: &'static str },
    #[error("the event is nested more than {limit} levels deep at byte {offset}")]
    TooDeep { offset: usize, limit: usize },
    #[error("the event has {bytes} bytes; the limit is {limit}")]
    TooLarge { bytes: usize, limit: usize },
    #[error("{pointer} holds {found}; text or a number is expected")]
    WrongType { pointer: String, found: &'static str },
    /// Only where unknown versions are to be refused.
    #[error("{0}")]
    UnknownVersion(UnknownVersion),
}

impl Refusal {
    pub(super) fn syntax(problem: &'static str, text: &[u8], offset: usize) -> Refusal {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        Refusal::Syntax { problem, offset, line, column: 1 + before.len() - line_start }
    }

    /// Whether the text is not JSON, so that what follows it in an array cannot be told apart either.
    pub fn is_syntax(&self) -> bool {
        matches!(self, Refusal::Syntax { .. })
    }
}
