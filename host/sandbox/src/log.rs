//! What a guest writes to standard output and standard error during one call.
//!
//! Its beginning goes to the host's log, and no more of it than the limit. Its end is where the guest says what broke
//! it, however much it wrote before: so that is kept too, until the call is over.

mod telling;

use crate::text::clean_line;

/// Log lines of one call. The bytes are capped too; this is against a page of empty-looking lines.
const MAX_LINES: usize = 64;
/// Room for a stack below a message: that of a JavaScript engine is printed after it.
const END_BYTES: usize = 4 << 10;

pub(crate) struct Log {
    beginning: Vec<u8>,
    beginning_limit: usize,
    /// The last bytes that were written, at most [`END_BYTES`].
    end: Vec<u8>,
    written: u64,
}

impl Log {
    pub(crate) fn new(limit_bytes: u64) -> Log {
        let beginning_limit = usize::try_from(limit_bytes).unwrap_or(usize::MAX);
        Log { beginning: Vec::new(), beginning_limit, end: Vec::new(), written: 0 }
    }

    /// Bytes of the current call, those included that were not kept.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// What was written before is no longer asked for.
    pub(crate) fn begin(&mut self) {
        self.end.clear();
        self.written = 0;
    }

    /// Which parts of so many bytes are kept: the first of them, and the last of them.
    pub(crate) fn room(&self) -> (usize, usize) {
        (self.beginning_limit.saturating_sub(self.beginning.len()), END_BYTES)
    }

    /// Takes the two parts of what the guest has written, and how much that was. It is told that all was taken.
    pub(crate) fn write(&mut self, first: &[u8], last: &[u8], written: u64) {
        self.beginning.extend_from_slice(first);
        self.end.extend_from_slice(last);
        self.end.drain(..self.end.len().saturating_sub(END_BYTES));
        self.written = self.written.saturating_add(written);
    }

    /// The lines for the host's log, cleaned. They are handed out once.
    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        let beginning = std::mem::take(&mut self.beginning);
        lines(&beginning).take(MAX_LINES).collect()
    }

    /// What the guest said of its own end, in one line.
    pub(crate) fn last_words(&self) -> Option<String> {
        telling::of(&lines(&self.end).collect::<Vec<String>>())
    }
}

/// Without those that are empty once they are cleaned.
fn lines(bytes: &[u8]) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let lines: Vec<String> = text.lines().map(clean_line).filter(|line| !line.is_empty()).collect();
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(limit_bytes: u64, lines: &str) -> Log {
        let mut log = Log::new(limit_bytes);
        for line in lines.split_inclusive('\n') {
            let (first, last) = log.room();
            let bytes = line.as_bytes();
            let last = &bytes[bytes.len().saturating_sub(last)..];
            log.write(&bytes[..first.min(bytes.len())], last, bytes.len() as u64);
        }
        log
    }

    #[test]
    fn the_beginning_is_for_the_hosts_log_and_the_end_for_the_fault() {
        let mut log = written(13, "first\nsecond\nthird\n");
        assert_eq!(log.last_words().as_deref(), Some("third"));
        assert_eq!(log.take_lines(), ["first", "second"]);
        assert_eq!((log.take_lines().len(), log.written()), (0, 19));
    }

    #[test]
    fn a_flood_leaves_its_last_line_and_keeps_to_its_room() {
        let mut log = written(10, &format!("{}the reason\n", "debugging\n".repeat(10_000)));
        assert_eq!(log.last_words().as_deref(), Some("the reason"));
        assert_eq!((log.end.len(), log.take_lines()), (END_BYTES, vec!["debugging".to_owned()]));
    }

    #[test]
    fn the_words_of_one_call_are_not_those_of_the_next() {
        let mut log = written(100, "of `configure`\n");
        log.begin();
        assert_eq!((log.last_words(), log.written()), (None, 0));
    }
}
