//! What lies in the plugin folder, and reading it while others write.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use siemaphore_sandbox::limits::MAX_COMPONENT_BYTES;

use crate::error::PluginError;
use crate::name;

/// More files than this are not looked at: somebody named the wrong folder.
const MAX_FILES: usize = 1_000;

/// What changes when a file is written or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    bytes: u64,
    modified: SystemTime,
}

/// A file that is meant to be a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
}

/// Every plugin file, by the name that it asks for.
pub(crate) fn scan(folder: &Path) -> io::Result<BTreeMap<String, Found>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)?.take(MAX_FILES) {
        let path = entry?.path();
        let Some(name) = name::of_file(&path) else { continue };
        // A file that goes between the two calls is as good as not there.
        if let Ok(stamp) = stamp(&path) {
            found.insert(name, Found { path, stamp });
        }
    }
    Ok(found)
}

/// The whole file, if nobody wrote to it meanwhile.
pub(crate) fn read(file: &Found) -> Result<Vec<u8>, PluginError> {
    if file.stamp.bytes > MAX_COMPONENT_BYTES as u64 {
        let reason =
            format!("it has {} bytes, and at most {MAX_COMPONENT_BYTES} are taken", file.stamp.bytes);
        return Err(PluginError::Unreadable(io::Error::other(reason)));
    }
    let bytes = fs::read(&file.path).map_err(PluginError::Unreadable)?;
    let after = stamp(&file.path).map_err(PluginError::Unreadable)?;
    if after != file.stamp || bytes.len() as u64 != after.bytes {
        return Err(PluginError::Unsettled);
    }
    Ok(bytes)
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a file"));
    }
    Ok(Stamp { bytes: metadata.len(), modified: metadata.modified()? })
}
