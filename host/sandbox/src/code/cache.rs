//! Machine code of earlier starts, so that a start with a hundred plugins does not compile a hundred plugins.
//!
//! A file's name is the digest of its component and of everything that its code depends on, so nothing has to be thrown
//! away when the engine changes: its files are not asked for again, and go when the folder is full.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::code::fingerprint;
use crate::limits::MAX_CODE_BYTES;

/// What all files may take together, and how many there may be.
const MAX_BYTES: u64 = 4 << 30;
const MAX_FILES: usize = 1_024;

const DIGEST_BYTES: usize = 32;
const CODE: &str = "code";
const NOTE: &str = "note";

/// A folder of machine code that belongs to this user alone. It is made when something is kept.
#[derive(Debug)]
pub struct CodeCache {
    folder: PathBuf,
    is_read_only: bool,
}

impl CodeCache {
    pub fn new(folder: PathBuf) -> CodeCache {
        CodeCache { folder, is_read_only: false }
    }

    /// Another program's, which may be another user's: what that one makes here it must be able to change.
    pub fn read_only(folder: PathBuf) -> CodeCache {
        CodeCache { folder, is_read_only: true }
    }

    /// Whether there is code of this component: what can be told without reading it.
    pub fn holds(&self, component: &[u8]) -> bool {
        self.check_folder().is_ok() && self.path(component, CODE, "").exists()
    }

    /// What was kept of this component, if it is whole.
    pub(crate) fn code(&self, component: &[u8]) -> Option<Vec<u8>> {
        self.check_folder().ok()?;
        let path = self.path(component, CODE, "");
        let file = File::open(&path).ok()?;
        let metadata = file.metadata().ok()?;
        if !metadata.is_file()
            || !is_private(&metadata)
            || metadata.len() > MAX_CODE_BYTES + DIGEST_BYTES as u64
        {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        (&file).read_to_end(&mut bytes).ok()?;
        let code = bytes.split_off(DIGEST_BYTES.min(bytes.len()));
        if checksum(&path, &code).as_ref() != bytes {
            return None;
        }
        // What is used stays the longest. A read-only file system loses this only.
        file.set_modified(SystemTime::now()).unwrap_or_default();
        Some(code)
    }

    /// Keeps code for the next start. A failure costs time then, and nothing else: it is logged.
    pub(crate) fn keep_code(&self, component: &[u8], code: &[u8]) {
        let path = self.path(component, CODE, "");
        self.keep(&path, &[checksum(&path, code).as_ref(), code]);
    }

    /// Whether `what` was noted of this component: a fact that took long to find out.
    pub fn is_noted(&self, component: &[u8], what: &str) -> bool {
        self.check_folder().is_ok() && self.path(component, NOTE, what).exists()
    }

    pub fn note(&self, component: &[u8], what: &str) {
        self.keep(&self.path(component, NOTE, what), &[]);
    }

    fn path(&self, component: &[u8], kind: &str, what: &str) -> PathBuf {
        let mut key = Sha256::new();
        key.update(fingerprint());
        // A text of any length before another needs an end that it cannot hold.
        key.update(what);
        key.update([0xff]);
        key.update(component);
        let name: String = key.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{name}.{kind}"))
    }

    fn keep(&self, path: &Path, parts: &[&[u8]]) {
        if self.is_read_only {
            return;
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        let kept = made.and_then(|()| self.check_folder()).and_then(|()| self.make_room());
        if let Err(error) = kept.and_then(|()| write_whole(path, parts)) {
            tracing::warn!(file = ?path, error = %error, "machine code is not kept; the next start compiles again");
        }
    }

    /// Whoever else can write to the folder could put code into this process.
    fn check_folder(&self) -> io::Result<()> {
        let own = fs::symlink_metadata(&self.folder)?;
        if own.is_dir() && is_private(&own) {
            return Ok(());
        }
        Err(io::Error::other("others can write to the folder, or it belongs to somebody else"))
    }

    /// Removes the files that were not used for the longest time.
    fn make_room(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // One that goes meanwhile needs no room.
            if let Ok(metadata) = entry.metadata() {
                files.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        let mut count = files.len();
        for (_, size, path) in files {
            if bytes <= MAX_BYTES && count < MAX_FILES {
                break;
            }
            fs::remove_file(path)?;
            bytes = bytes.saturating_sub(size);
            count -= 1;
        }
        Ok(())
    }
}

/// Of the name too: a file in the place of another is damage as well.
fn checksum(path: &Path, code: &[u8]) -> impl AsRef<[u8]> + use<> {
    let mut digest = Sha256::new();
    digest.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    digest.update(code);
    digest.finalize()
}

/// Belongs to this user, and nobody else can write to it.
fn is_private(metadata: &Metadata) -> bool {
    const OTHERS_CAN_WRITE: u32 = 0o022;
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & OTHERS_CAN_WRITE == 0
}

/// Under another name first, so that nobody reads half of it. Two who write the same write the same bytes.
fn write_whole(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let written = parts.iter().try_for_each(|part| file.write_all(part));
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        // What is left over is removed when the folder is full.
        fs::remove_file(&beside).unwrap_or_default();
    })
}
