//! Inputs that are words: texts set apart by zero bytes, so that a seed can be written by hand and a mutation stays
//! readable.

/// Takes one word after the other; empty when there are no more.
pub(crate) struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    pub(crate) fn of(input: &'a [u8]) -> Words<'a> {
        Words(input)
    }

    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let mut parts = self.0.splitn(2, |byte| *byte == 0);
        let word = parts.next().unwrap_or_default();
        self.0 = parts.next().unwrap_or_default();
        word
    }

    pub(crate) fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.text().trim().parse().unwrap_or_default()
    }

    /// What is left, zero bytes and all.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}
