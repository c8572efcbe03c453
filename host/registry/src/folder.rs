//! What lies in the plugin folder, and reading it while others write.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::OFlags;
use siemaphore_sandbox::limits::MAX_COMPONENT_BYTES;

use crate::error::PluginError;
use crate::{name, signature};

/// More plugin files than this are not looked at: somebody named the wrong folder.
const MAX_FILES: usize = 1_000;

/// What changes when a file is written or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    bytes: u64,
    modified: SystemTime,
    /// Tools that copy keep the time of the last change to a file's content, and two builds may have the same length.
    inode: u64,
    changed: (i64, i64),
}

/// A file that is meant to be a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
    /// Of the signature beside it. One that comes later makes the file another.
    signature: Option<Stamp>,
}

/// Every plugin file, by the name that it asks for. Those that are known already are never too many.
pub(crate) fn scan(folder: &Path, is_known: impl Fn(&str) -> bool) -> io::Result<BTreeMap<String, Found>> {
    let mut found = BTreeMap::new();
    let mut passed_over = 0_usize;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = name::of_file(&path) else { continue };
        if found.len() >= MAX_FILES && !is_known(&name) {
            passed_over += 1;
        } else if let Some(file) = look_at(path) {
            found.insert(name, file);
        }
    }
    if passed_over > 0 {
        tracing::warn!(folder = ?folder, limit = MAX_FILES, passed_over, "the plugin folder has more files than are looked at");
    }
    Ok(found)
}

/// The names that files ask for, without looking at the files.
pub(crate) fn names(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        names.extend(name::of_file(&entry?.path()));
        if names.len() >= MAX_FILES {
            break;
        }
    }
    Ok(names)
}

/// The file of one plugin, if there is one.
pub(crate) fn find(folder: &Path, name: &str) -> Option<Found> {
    look_at(path_of(folder, name))
}

pub(crate) fn path_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).with_extension(name::EXTENSION)
}

/// A file that goes meanwhile is as good as not there.
fn look_at(path: PathBuf) -> Option<Found> {
    let stamp_of = |path: &Path| fs::metadata(path).and_then(|metadata| stamp(&metadata));
    let stamp = stamp_of(&path).ok()?;
    let signature = stamp_of(&signature::path_of(&path)).ok();
    Some(Found { path, stamp, signature })
}

/// The whole file, if nobody wrote to it meanwhile.
///
/// What was a file when it was found may be a pipe or a device by now, and what claims no length may have no end: so
/// it is opened without waiting, looked at again through what was opened, and read up to the limit only.
pub(crate) fn read(file: &Found) -> Result<Vec<u8>, PluginError> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let opened = options.open(&file.path).map_err(PluginError::Unreadable)?;
    let stamp_now =
        || opened.metadata().and_then(|metadata| stamp(&metadata)).map_err(PluginError::Unreadable);
    if !opened.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(PluginError::NotAFile);
    }
    let before = stamp_now()?;
    if before.bytes > MAX_COMPONENT_BYTES as u64 {
        return Err(PluginError::TooLarge { bytes: before.bytes });
    }
    let mut bytes = Vec::new();
    let mut limited = (&opened).take(MAX_COMPONENT_BYTES as u64 + 1);
    limited.read_to_end(&mut bytes).map_err(PluginError::Unreadable)?;
    if before != file.stamp || stamp_now()? != before || bytes.len() as u64 != before.bytes {
        return Err(PluginError::Unsettled);
    }
    Ok(bytes)
}

fn stamp(metadata: &Metadata) -> io::Result<Stamp> {
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    Ok(Stamp { bytes: metadata.len(), modified: metadata.modified()?, inode: metadata.ino(), changed })
}
