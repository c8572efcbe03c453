//! One file that is followed: held open, so that it is read to its end whatever becomes of its name.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use siemaphore_intake::RawEvents;

use super::lines;
use super::position::{FileId, Position};

/// Of one portion: so much that the store's commits are few, so little that memory is not felt.
const PORTION_BYTES: usize = 1024 * 1024;
const PORTION_EVENTS: usize = 2000;

pub(crate) struct Followed {
    pub(crate) id: FileId,
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    pub(crate) position: Position,
    /// Its name is one that is wanted. A file that was renamed is read to its end all the same.
    pub(crate) is_wanted: bool,
    /// It has no name in the folder any more.
    pub(crate) is_gone: bool,
    /// Of a line longer than a portion: up to here there is no end of it.
    searched: u64,
}

/// What a look into the file gave.
#[derive(Debug)]
pub(crate) enum Look {
    /// No whole line.
    Nothing,
    /// It was truncated, or is another file than it was.
    Anew,
    Lines(Portion),
}

/// Lines that are read and not stored yet.
#[derive(Debug)]
pub(crate) struct Portion {
    pub(crate) events: RawEvents,
    /// Where in the file each line begins.
    pub(crate) offsets: Vec<u64>,
    /// The position behind them.
    pub(crate) after: Position,
    /// A line that is too long was passed over.
    pub(crate) too_long: bool,
}

impl Followed {
    pub(crate) fn new(id: FileId, file: File, path: PathBuf, position: Position) -> Followed {
        Followed { id, file, path, position, is_wanted: true, is_gone: false, searched: 0 }
    }

    /// How much there is that was not read.
    pub(crate) fn lag_bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |file| file.len().saturating_sub(self.position.offset))
    }

    pub(crate) fn look(&mut self) -> io::Result<Look> {
        let length = self.file.metadata()?.len();
        if length < self.position.offset || !self.position.is_in(&self.file)? {
            return Ok(Look::Anew);
        }
        if length == self.position.offset {
            return Ok(Look::Nothing);
        }
        let text = self.read(self.position.offset)?;
        let cut = lines::cut(&text, self.position.offset == 0, PORTION_EVENTS);
        if cut.taken == 0 && text.len() >= PORTION_BYTES {
            return self.pass_over();
        }
        if cut.taken == 0 {
            return Ok(Look::Nothing);
        }
        let offsets = cut.places.iter().map(|place| self.position.offset + place.start as u64).collect();
        let after = Position::at(&self.file, self.position.offset + cut.taken as u64)?;
        Ok(Look::Lines(Portion { events: RawEvents::new(text, cut.places), offsets, after, too_long: false }))
    }

    /// To be called when the portion is stored.
    pub(crate) fn go_on_from(&mut self, position: Position) {
        self.position = position;
        self.searched = 0;
    }

    /// Looks for the end of a line that is too long to be an event.
    fn pass_over(&mut self) -> io::Result<Look> {
        let mut from = self.searched.max(self.position.offset);
        loop {
            let text = self.read(from)?;
            if text.is_empty() {
                return Ok(Look::Nothing);
            }
            if let Some(newline) = memchr::memchr(b'\n', &text) {
                let after = Position::at(&self.file, from + newline as u64 + 1)?;
                let (events, offsets) = (RawEvents::default(), Vec::new());
                return Ok(Look::Lines(Portion { events, offsets, after, too_long: true }));
            }
            from += text.len() as u64;
            self.searched = from;
        }
    }

    fn read(&self, from: u64) -> io::Result<Vec<u8>> {
        let mut text = vec![0; PORTION_BYTES];
        let mut length = 0;
        while let Some(room) = text.get_mut(length..).filter(|room| !room.is_empty()) {
            match self.file.read_at(room, from + length as u64) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        text.truncate(length);
        Ok(text)
    }
}
