//! What must outlive a restart: which version of a plugin was in use, the one before it, and the one that was sent back.
//!
//! The plugin folder holds only the newest file, and that may be one that waits for an operator or that has failed. So
//! the components in use are kept here too, under their digests, with one list beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use siemaphore_sandbox::limits::MAX_COMPONENT_BYTES;

use crate::life::Artifact;
use crate::signature;
use crate::trial::Track;

const LIST: &str = "versions.json";
const UNREADABLE: &str = "versions.json.unreadable";
const EXTENSION: &str = "wasm";
const UNFINISHED: &str = "part";
/// The list of a thousand plugins.
const MAX_LIST_BYTES: u64 = 4 << 20;

/// The versions of one plugin, by the digests of their components.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) active: Option<String>,
    /// The active one is no longer new.
    #[serde(default)]
    pub(crate) proven: bool,
    #[serde(default)]
    pub(crate) track: Track,
    pub(crate) previous: Option<String>,
    #[serde(default)]
    pub(crate) previous_track: Track,
    /// Read from its file after a restart, but needed here once it is promoted.
    #[serde(default)]
    pub(crate) candidate: Option<String>,
    pub(crate) sent_back: Option<SentBack>,
}

impl Kept {
    fn components(&self) -> impl Iterator<Item = &String> {
        self.active.iter().chain(&self.previous).chain(&self.candidate)
    }
}

/// A version that had to give way to the previous one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentBack {
    pub digest: String,
    pub reason: String,
    /// It is tried again then: what it was sent back for may have been mended in the configuration.
    #[serde(skip)]
    pub until_restart: bool,
}

/// A folder that only this host writes to.
pub(crate) struct Shelf {
    folder: PathBuf,
    /// What operators have allowed is not known: the list could not be read, now or at an earlier start, and nobody has
    /// removed it since.
    pub(crate) has_lost_its_list: bool,
    kept: Mutex<Contents>,
}

#[derive(Default)]
struct Contents {
    list: BTreeMap<String, Kept>,
    /// Components that are here already, for versions that are about to be listed.
    ahead: BTreeSet<String>,
    /// Components that are not what their names say, whatever their length.
    damaged: BTreeSet<String>,
    /// The list on the disk is for people to look at: it is not to be overwritten.
    unreadable: bool,
}

impl Shelf {
    /// What is there. Without a list that can be read the files in the plugin folder decide, as far as the policies allow.
    pub(crate) fn open(folder: PathBuf) -> Shelf {
        let (list, unreadable) = match read_list(&folder.join(LIST)) {
            Ok(list) => (list, false),
            Err(error) => {
                tracing::error!(folder = ?folder, error = %error, "the list of versions in use cannot be read; the files in the plugin folder decide");
                (BTreeMap::new(), true)
            }
        };
        let has_lost_its_list = unreadable || folder.join(UNREADABLE).exists();
        if has_lost_its_list {
            tracing::warn!(
                folder = ?folder,
                hint = format!("promote those that may format, then remove {UNREADABLE}"),
                "it is not known which versions were allowed; with the policy `manual` a formatter's first version waits, too"
            );
        }
        let contents = Contents { list, unreadable, ..Contents::default() };
        Shelf { folder, has_lost_its_list, kept: Mutex::new(contents) }
    }

    pub(crate) fn kept(&self, name: &str) -> Kept {
        self.lock().list.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn all(&self) -> BTreeMap<String, Kept> {
        self.lock().list.clone()
    }

    /// A component that was kept, if it is still what its name says.
    pub(crate) fn component(&self, name: &str, digest: &str) -> Option<Artifact> {
        let path = self.path(digest);
        let is_small = |bytes: u64| bytes <= MAX_COMPONENT_BYTES as u64;
        if !fs::metadata(&path).is_ok_and(|metadata| metadata.is_file() && is_small(metadata.len())) {
            return None;
        }
        let signature = signature::read_beside(&path).ok()?;
        let artifact = Artifact::new(name, fs::read(path).ok()?).with_signature(signature);
        if artifact.digest() == digest {
            return Some(artifact);
        }
        self.lock().damaged.insert(digest.to_owned());
        None
    }

    /// Keeps a component that is about to be used. A failure is logged: it costs the way back after a restart.
    pub(crate) fn keep_component(&self, artifact: &Artifact) {
        // Two files with the same bytes are the same file here.
        let mut kept = self.lock();
        kept.ahead.insert(artifact.digest().to_owned());
        let path = self.path(artifact.digest());
        if !kept.damaged.remove(artifact.digest()) && is_there(&path, artifact) {
            return;
        }
        let written = self.make_folder().and_then(|()| {
            // Its keys are looked at again after a restart: an operator may trust one no longer.
            artifact.signature().map_or(Ok(()), |bytes| write_whole(&signature::path_of(&path), bytes))?;
            write_whole(&path, artifact.component())
        });
        if let Err(error) = written {
            tracing::warn!(file = ?path, error = %error, "a plugin's version is not kept; after a restart there is no way back to it");
        }
    }

    /// Writes the list when it has changed, and removes the components that nobody needs any more.
    pub(crate) fn keep(&self, kept: BTreeMap<String, Kept>) {
        let mut before = self.lock();
        if before.list == kept {
            return;
        }
        let written = self.make_folder().and_then(|()| {
            if before.unreadable {
                fs::rename(self.folder.join(LIST), self.folder.join(UNREADABLE))?;
                before.unreadable = false;
            }
            let list = serde_json::to_vec_pretty(&kept).map_err(io::Error::other)?;
            write_whole(&self.folder.join(LIST), &list)
        });
        let listed: BTreeSet<String> = kept.values().flat_map(Kept::components).cloned().collect();
        let needed = listed.union(&before.ahead).map(String::as_str).collect();
        match written.and_then(|()| self.remove_unused(&needed)) {
            Ok(()) => {
                before.ahead.retain(|digest| !listed.contains(digest));
                before.list = kept;
            }
            Err(error) => {
                tracing::warn!(folder = ?self.folder, error = %error, "the list of versions in use is not kept; after a restart the files in the plugin folder decide");
            }
        }
    }

    fn remove_unused(&self, needed: &BTreeSet<&str>) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            match path.extension().and_then(OsStr::to_str) {
                Some(EXTENSION) if !needed.contains(stem.as_str()) => {
                    remove(&signature::path_of(&path))?;
                    remove(&path)?;
                }
                // Of a write that never ended: whoever writes holds the lock that is held here.
                Some(UNFINISHED) => remove(&path)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.folder.join(format!("{digest}.{EXTENSION}"))
    }

    fn make_folder(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By its length: this is asked at every start, of up to a hundred large files.
fn is_there(path: &Path, artifact: &Artifact) -> bool {
    let bytes = artifact.component().len() as u64;
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == bytes)
        && signature::read_beside(path).is_ok_and(|kept| kept.as_deref() == artifact.signature())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn read_list(path: &Path) -> io::Result<BTreeMap<String, Kept>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > MAX_LIST_BYTES => Err(io::Error::other("it is too long")),
        Ok(_) => serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// Under another name first, and on the disk before it gets its own: a crash leaves the old file or the new one.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(UNFINISHED);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
