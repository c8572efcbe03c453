//! The file in which a source keeps how far it has come: JSON, replaced as a whole and synced.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Far above what any source notes. A larger file is not ours.
const LARGEST_BYTES: u64 = 64 * 1024 * 1024;

const MOST_PORTIONS: u64 = u64::MAX / 2;

/// How far a source has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint<S> {
    /// Made once and at random: marks of another checkpoint of the same source are not ours.
    pub(crate) chain: String,
    /// The number of the next portion.
    pub(crate) next: u64,
    pub(crate) state: S,
}

#[derive(Debug, Clone)]
pub(crate) struct CheckpointFile {
    path: PathBuf,
}

impl CheckpointFile {
    pub(crate) fn of(folder: &Path, source: &str) -> CheckpointFile {
        CheckpointFile { path: folder.join(format!("{source}.json")) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// None when there is none yet. One that cannot be understood is [`ErrorKind::InvalidData`].
    pub(crate) fn read<S: DeserializeOwned>(&self) -> io::Result<Option<Checkpoint<S>>> {
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Ok(metadata) if metadata.len() > LARGEST_BYTES => {
                return Err(io::Error::new(ErrorKind::InvalidData, "it is too large"));
            }
            found => found?,
        };
        let text = fs::read(&self.path)?;
        let damaged = |problem: String| io::Error::new(ErrorKind::InvalidData, problem);
        let checkpoint: Checkpoint<S> =
            serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        // No host lives so long: counting on from there would come to an end.
        if checkpoint.next > MOST_PORTIONS {
            return Err(damaged(format!("{} portions cannot be", checkpoint.next)));
        }
        Ok(Some(checkpoint))
    }

    /// A crash leaves the old or the new one.
    pub(crate) fn write<S: Serialize>(&self, checkpoint: &Checkpoint<S>) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let beside = self.path.with_extension("json.new");
        let text = serde_json::to_vec(checkpoint)?;
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        File::open(folder)?.sync_all()
    }

    /// Keeps a file that cannot be understood for somebody who can. Gives its name.
    pub(crate) fn set_aside(&self) -> io::Result<PathBuf> {
        let aside = self.path.with_extension("json.damaged");
        fs::rename(&self.path, &aside)?;
        Ok(aside)
    }
}
