//! The folder that the store owns: created so that it survives a power cut, readable by its owner only, and locked
//! against a second host.

use crate::error::{StorageError, StoreError};
use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

const OWNER_ONLY: u32 = 0o700;

/// Makes the folder and the ones above it, each entry synced into its parent: a new file in a folder whose own entry
/// is not on disk disappears with it.
pub(crate) fn create(folder: &Path) -> Result<(), StorageError> {
    if !folder.is_dir() {
        if let Some(parent) = parent_of(folder) {
            create_ancestors(parent)?;
        }
        make(folder)?;
    }
    std::fs::set_permissions(folder, Permissions::from_mode(OWNER_ONLY))
        .map_err(StorageError::file("make private", folder))
}

fn create_ancestors(folder: &Path) -> Result<(), StorageError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = parent_of(folder) {
        create_ancestors(parent)?;
    }
    make(folder)
}

fn make(folder: &Path) -> Result<(), StorageError> {
    match DirBuilder::new().mode(OWNER_ONLY).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(StorageError::file("create", folder)(error)),
    }
    sync(parent_of(folder).unwrap_or(folder))
}

/// The parent, also for a relative path of one part.
pub(crate) fn parent_of(folder: &Path) -> Option<&Path> {
    match folder.parent()? {
        parent if parent.as_os_str().is_empty() => Some(Path::new(".")),
        parent => Some(parent),
    }
}

/// Syncs a folder's entries to disk.
pub(crate) fn sync(folder: &Path) -> Result<(), StorageError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StorageError::file("sync", folder))
}

pub(crate) fn sync_file(path: &Path) -> Result<(), StorageError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(StorageError::file("sync", path))
}

/// Syncs the entry of a file.
pub(crate) fn sync_parent(file: &Path) -> Result<(), StorageError> {
    sync(parent_of(file).unwrap_or(file))
}

/// Held as long as the store is open. The kernel releases it with the process, so a crash leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(folder: &Path) -> Result<Lock, StoreError> {
        let path = folder.join("lock");
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(StorageError::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { folder: folder.to_owned(), pid: read_pid(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(StorageError::file("lock", &path)(error).into()),
        }
        write_pid(&mut file).map_err(StorageError::file("write", &path))?;
        Ok(Lock { _file: file })
    }
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn read_pid(file: &mut File) -> String {
    let mut pid = String::new();
    match file.take(20).read_to_string(&mut pid) {
        Ok(_) if !pid.trim().is_empty() => pid.trim().to_owned(),
        // The other host has the lock but has not written its number yet, or the file is unreadable.
        _ => "unknown".to_owned(),
    }
}
