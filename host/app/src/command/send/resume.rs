//! How far a file was sent, in a small file beside it: so that a run that was broken off goes on where it was.
//!
//! Only what the host has confirmed without a gap counts. Behind that a few requests may have arrived; they are made
//! again as they were, and the host knows them by their idempotency keys for a day. So nothing is stored twice.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::print;

/// Of the file's beginning, so much is compared.
const BEGINNING_BYTES: u64 = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    to: String,
    file_bytes: u64,
    beginning: String,
    /// Events in a request: others would have other keys.
    batch_events: u64,
    /// So many events from the beginning of the file are confirmed.
    events: u64,
    /// Tells the keys of a repetition from those of the run before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repetition: Option<String>,
}

/// Where a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Where the run before was broken off, whatever it was.
    WhereItWas,
    Beginning,
    /// A repetition: with its own beginning, or where it was broken off itself.
    Again,
}

/// What is known of the run before, and what the next one will know of this.
pub(crate) struct Resume {
    /// None for standard input, which cannot be read again.
    path: Option<PathBuf>,
    written: Written,
    /// Confirmed, but something before them is not: the first event of each batch and how many it has.
    ahead: BTreeMap<u64, u64>,
    is_told: bool,
}

impl Resume {
    /// Nothing is remembered of standard input.
    pub(crate) fn none(batch_events: u64, start: Start) -> Resume {
        let written = Written {
            to: String::new(),
            file_bytes: 0,
            beginning: String::new(),
            batch_events,
            events: 0,
            repetition: start.repetition(),
        };
        Resume { path: None, written, ahead: BTreeMap::new(), is_told: false }
    }

    /// What is left of an earlier run with this file to this host; a beginning otherwise.
    pub(crate) fn of(file: &Path, to: &str, batch_events: u64, start: Start) -> io::Result<Resume> {
        let mut name = file.as_os_str().to_owned();
        name.push(".siemaphore-send");
        let path = PathBuf::from(name);
        let (file_bytes, beginning) = look(file)?;
        let (to, repetition) = (to.to_owned(), start.repetition());
        let fresh = Written { to, file_bytes, beginning, batch_events, events: 0, repetition };
        let earlier = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Written>(&text).ok());
        let same = |earlier: &Written| {
            (&earlier.to, earlier.file_bytes, &earlier.beginning)
                == (&fresh.to, fresh.file_bytes, &fresh.beginning)
                && earlier.batch_events > 0
        };
        let goes_on = |earlier: &Written| match start {
            Start::WhereItWas => true,
            Start::Beginning => false,
            Start::Again => earlier.repetition.is_some(),
        };
        let written = earlier.filter(|earlier| goes_on(earlier) && same(earlier)).unwrap_or(fresh);
        Ok(Resume { path: Some(path), written, ahead: BTreeMap::new(), is_told: false })
    }

    /// The first event that is not confirmed.
    pub(crate) fn events(&self) -> u64 {
        self.written.events
    }

    pub(crate) fn batch_events(&self) -> u64 {
        self.written.batch_events
    }

    /// What the keys of this run have in them, when it is a repetition.
    pub(crate) fn repetition(&self) -> Option<String> {
        self.written.repetition.clone()
    }

    /// The host has these events.
    pub(crate) fn confirmed(&mut self, first: u64, events: u64) {
        self.ahead.insert(first, events);
        let before = self.written.events;
        while let Some(events) = self.ahead.remove(&self.written.events) {
            self.written.events += events;
        }
        if self.written.events > before {
            self.write();
        }
    }

    /// The whole file was sent.
    pub(crate) fn finished(&self) {
        if let Some(path) = &self.path {
            // One that stays is only looked at when the same file is sent again.
            fs::remove_file(path).unwrap_or_default();
        }
    }

    /// Without it the next run sends everything again, and the host tells what it has: slower, and not wrong for a day.
    fn write(&mut self) {
        let Some(path) = &self.path else { return };
        let text = serde_json::to_vec(&self.written).unwrap_or_default();
        let beside = path.with_extension("siemaphore-send.new");
        let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
        if let Err(error) = written
            && !std::mem::replace(&mut self.is_told, true)
        {
            print::aside(format_args!("cannot note the progress in {}: {error}", path.display()));
        }
    }
}

impl Start {
    /// Another one for each run.
    fn repetition(self) -> Option<String> {
        (self == Start::Again).then(|| format!("{}-{}", print::now_ms(), std::process::id()))
    }
}

fn look(file: &Path) -> io::Result<(u64, String)> {
    let mut beginning = Vec::new();
    let opened = File::open(file)?;
    let bytes = opened.metadata()?.len();
    opened.take(BEGINNING_BYTES).read_to_end(&mut beginning)?;
    Ok((bytes, Sha256::digest(&beginning).iter().map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_confirmed_without_a_gap_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.jsonl");
        fs::write(&file, "{}\n").unwrap();
        let mut resume = Resume::of(&file, "http://host", 10, Start::WhereItWas).unwrap();
        resume.confirmed(10, 10);
        assert_eq!(resume.events(), 0);
        resume.confirmed(0, 10);
        resume.confirmed(30, 5);
        assert_eq!(resume.events(), 20);
        // Another size of requests would make other keys: that of the first run is kept.
        let again = Resume::of(&file, "http://host", 99, Start::WhereItWas).unwrap();
        assert_eq!((again.events(), again.batch_events()), (20, 10));
        assert_eq!(Resume::of(&file, "http://host", 10, Start::Beginning).unwrap().events(), 0);
        assert_eq!(Resume::of(&file, "http://other", 10, Start::WhereItWas).unwrap().events(), 0);
        fs::write(&file, "{ }").unwrap();
        assert_eq!(Resume::of(&file, "http://host", 10, Start::WhereItWas).unwrap().events(), 0);
        again.finished();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_repetition_goes_on_where_it_was_and_not_where_another_run_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.jsonl");
        fs::write(&file, "{}\n").unwrap();
        let begun = |start| Resume::of(&file, "http://host", 10, start).unwrap();
        begun(Start::WhereItWas).confirmed(0, 10);
        let mut again = begun(Start::Again);
        assert_eq!(again.events(), 0, "the events before are to be stored once more too");
        again.confirmed(0, 20);
        for start in [Start::Again, Start::WhereItWas] {
            assert_eq!((begun(start).events(), begun(start).repetition()), (20, again.repetition()));
        }
        assert!(again.repetition().is_some() && begun(Start::Beginning).repetition().is_none());
    }
}
