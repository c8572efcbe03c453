//! Declares 100 pages, 6.25 MiB, to begin with.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest().memory("(memory (export \"memory\") 100)").component()
}
