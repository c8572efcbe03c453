//! Up to where a file was read, in a way that is noticed when the file is not the same any more.
//!
//! Device and inode tell files apart while both are there, but numbers are used again. So the beginning of the file and
//! what lies just before the offset are remembered too, as digests: a file that was truncated and has grown again, or
//! another one that got the number, does not have both. And a copy that was made for rotation has both.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How much of the beginning, and of what lies before the offset, is remembered.
const WINDOW_BYTES: u64 = 1024;

/// Tells files apart that are there at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// What lies before `offset` was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) offset: u64,
    beginning: String,
    before: String,
}

impl Position {
    pub(crate) fn at(file: &File, offset: u64) -> io::Result<Position> {
        let window = offset.min(WINDOW_BYTES);
        let beginning = digest(file, 0, window)?;
        let before = digest(file, offset - window, window)?;
        Ok(Position { offset, beginning, before })
    }

    /// Whether the file still has before the offset what was read there.
    pub(crate) fn is_in(&self, file: &File) -> io::Result<bool> {
        if self.offset == 0 {
            return Ok(true);
        }
        match Position::at(file, self.offset) {
            Ok(found) => Ok(found == *self),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn digest(file: &File, start: u64, length: u64) -> io::Result<String> {
    let mut window = vec![0; usize::try_from(length).unwrap_or_default()];
    file.read_exact_at(&mut window, start)?;
    Ok(Sha256::digest(&window).iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
impl Position {
    /// Without a file, for tests that look at offsets only.
    pub(crate) fn unread(offset: u64) -> Position {
        Position { offset, ..Position::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_position_is_in_the_same_file_and_in_its_copy_and_in_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let open = |text: &str| {
            let path = folder.path().join("file");
            fs::write(&path, text).unwrap();
            File::open(&path).unwrap()
        };
        let text = "abcdefghij".repeat(500);
        let position = Position::at(&open(&text), 4000).unwrap();
        assert!(position.is_in(&open(&text)).unwrap());
        assert!(position.is_in(&open(&format!("{text} and more"))).unwrap());
        assert!(!position.is_in(&open(&text[..3999])).unwrap());
        assert!(!position.is_in(&open(&text.replacen('a', "A", 1))).unwrap());
        assert!(!position.is_in(&open(&format!("{}x{}", &text[..3999], &text[4000..]))).unwrap());
        assert!(Position::default().is_in(&open("")).unwrap());
    }
}
