//! What a file source remembers: how far each file was read.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io;

use serde::{Deserialize, Serialize};

use super::position::{FileId, Position};
use crate::progress::State;

/// Positions of files that are gone or were truncated: one of their copies may still come.
const PAST: usize = 64;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Files {
    /// Whether the folder was looked at before: from then on a file that appears is a new one.
    pub(crate) looked: bool,
    #[serde(with = "as_list")]
    pub(crate) read: BTreeMap<FileId, Position>,
    past: VecDeque<Position>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Change {
    Looked,
    /// So far this file was read.
    Read(FileId, Position),
    /// Another file has the number now, or this one was truncated.
    Begun(FileId, Position),
    Gone(FileId),
}

impl State for Files {
    type Change = Change;

    fn apply(&mut self, change: Change) {
        match change {
            Change::Looked => self.looked = true,
            Change::Read(file, position) => {
                self.read.insert(file, position);
            }
            Change::Begun(file, position) => {
                let earlier = self.read.insert(file, position);
                self.keep_past(earlier);
            }
            Change::Gone(file) => {
                let earlier = self.read.remove(&file);
                self.keep_past(earlier);
            }
        }
    }
}

impl Files {
    fn keep_past(&mut self, position: Option<Position>) {
        self.past.extend(position.filter(|position| position.offset > 0));
        let surplus = self.past.len().saturating_sub(PAST);
        self.past.drain(..surplus);
    }

    /// How far a file was read that is not known by its number: as a copy of one that is, or was. The farthest wins.
    pub(crate) fn of_copy(&self, file: &File) -> io::Result<Option<Position>> {
        let mut known: Vec<&Position> = self.read.values().chain(&self.past).collect();
        known.retain(|position| position.offset > 0);
        known.sort_by_key(|position| std::cmp::Reverse(position.offset));
        for position in known {
            if position.is_in(file)? {
                return Ok(Some(position.clone()));
            }
        }
        Ok(None)
    }
}

/// JSON has no keys but text.
mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{FileId, Position};

    pub(super) fn serialize<S: Serializer>(
        read: &BTreeMap<FileId, Position>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(read)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<FileId, Position>, D::Error> {
        Ok(Vec::<(FileId, Position)>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_survives_its_file_and_the_past_is_bounded() {
        let mut files = Files::default();
        let id = |inode| FileId { device: 1, inode };
        let at = Position::unread;
        for number in 1..=100 {
            files.apply(Change::Read(id(number), at(number)));
            files.apply(Change::Gone(id(number)));
        }
        files.apply(Change::Read(id(7), at(1000)));
        files.apply(Change::Begun(id(7), at(0)));
        files.apply(Change::Looked);
        assert_eq!(files.past.len(), PAST);
        assert_eq!(files.past.back(), Some(&at(1000)));
        assert_eq!(files.read, BTreeMap::from([(id(7), at(0))]));
        let text = serde_json::to_string(&files).unwrap();
        assert_eq!(serde_json::from_str::<Files>(&text).unwrap(), files);
    }
}
