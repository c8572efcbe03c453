//! A look at the folder: which files there are, and which of them are to be followed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::SystemTime;

use super::followed::Followed;
use super::pattern::Pattern;
use super::position::{FileId, Position};
use super::state::{Change, Files};
use super::{From, MOST_FILES};

/// What a look at the folder came to.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) changes: Vec<Change>,
    /// Why some file is not followed.
    pub(crate) problem: Option<(String, &'static str)>,
}

struct Entry {
    id: FileId,
    path: PathBuf,
    is_wanted: bool,
    length: u64,
    modified: SystemTime,
}

/// Brings `followed` up to date. Nothing is read of the files but what tells whether they are known.
pub(crate) fn look(
    pattern: &Pattern,
    from: From,
    known: &Files,
    followed: &mut Vec<Followed>,
) -> io::Result<Found> {
    let entries = list(pattern)?;
    let mut found = Found::default();
    for one in followed.iter_mut() {
        let entry = entries.get(&one.id);
        one.is_gone = entry.is_none();
        one.is_wanted = entry.is_some_and(|entry| entry.is_wanted);
        if let Some(entry) = entry {
            one.path.clone_from(&entry.path);
        }
    }
    let mut fresh: Vec<&Entry> = entries.values().filter(|entry| is_fresh(entry, known, followed)).collect();
    // What was written first is read first.
    fresh.sort_by(|one, other| (one.modified, &one.path).cmp(&(other.modified, &other.path)));
    for entry in fresh {
        if followed.len() >= MOST_FILES {
            let problem = format!("more than {MOST_FILES} files match in {}", pattern.folder.display());
            found.problem = Some((problem, "choose a narrower path, or make it several sources"));
            break;
        }
        match open(entry, from, known) {
            Ok(Some((one, change))) => {
                found.changes.extend(change);
                followed.push(one);
            }
            // It was renamed or removed since: its event is on the way.
            Ok(None) => {}
            Err(error) => {
                let problem = format!("cannot read {}: {error}", entry.path.display());
                found.problem = Some((
                    problem,
                    "let the user of the host read the file: chmod, or add it to the file's group",
                ));
            }
        }
    }
    let is_there = |id: &FileId| entries.contains_key(id) || followed.iter().any(|one| one.id == *id);
    found.changes.extend(known.read.keys().filter(|id| !is_there(id)).map(|id| Change::Gone(*id)));
    if !known.looked {
        found.changes.push(Change::Looked);
    }
    Ok(found)
}

/// A file is fresh that is wanted and not followed yet. One that was followed before the host was started again is, by
/// whatever name, as long as there is something to read.
fn is_fresh(entry: &Entry, known: &Files, followed: &[Followed]) -> bool {
    let is_rest = known.read.get(&entry.id).is_some_and(|position| position.offset < entry.length);
    (entry.is_wanted || is_rest) && !followed.iter().any(|one| one.id == entry.id)
}

fn list(pattern: &Pattern) -> io::Result<BTreeMap<FileId, Entry>> {
    let mut entries = BTreeMap::new();
    for listed in fs::read_dir(&pattern.folder)? {
        let listed = listed?;
        // Not followed: the events of a file elsewhere would not wake us.
        let Ok(metadata) = listed.path().symlink_metadata() else { continue };
        if !metadata.is_file() {
            continue;
        }
        let id = FileId { device: metadata.dev(), inode: metadata.ino() };
        let is_wanted = listed.file_name().to_str().is_some_and(|name| pattern.matches(name));
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let entry = Entry { id, path: listed.path(), is_wanted, length: metadata.len(), modified };
        // Of two names for one file the wanted one counts.
        if is_wanted || !entries.contains_key(&id) {
            entries.insert(id, entry);
        }
    }
    Ok(entries)
}

fn open(entry: &Entry, from: From, known: &Files) -> io::Result<Option<(Followed, Option<Change>)>> {
    let file = match File::open(&entry.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let metadata = file.metadata()?;
    let id = FileId { device: metadata.dev(), inode: metadata.ino() };
    if id != entry.id {
        return Ok(None);
    }
    let followed = |file, position| Followed::new(id, file, entry.path.clone(), position);
    if let Some(position) = known.read.get(&id) {
        // Whether it is still the same file is seen when it is read.
        return Ok(Some((followed(file, position.clone()), None)));
    }
    let position = match known.of_copy(&file)? {
        Some(position) => position,
        None if !known.looked && from == From::End => {
            Position::at(&file, last_line_end(&file, metadata.len())?)?
        }
        None => Position::default(),
    };
    Ok(Some((followed(file, position.clone()), Some(Change::Read(id, position)))))
}

/// Behind the last newline: a line that is being written is a new one.
fn last_line_end(file: &File, length: u64) -> io::Result<u64> {
    use std::os::unix::fs::FileExt;
    const STEP: u64 = 64 * 1024;
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let mut text = vec![0; usize::try_from(end - start).unwrap_or_default()];
        file.read_exact_at(&mut text, start)?;
        if let Some(newline) = memchr::memrchr(b'\n', &text) {
            return Ok(start + newline as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
