//! Where a long answer is written: a new file, or standard output.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use indicatif::ProgressBar;

use crate::control::Answer;
use crate::print;

/// What has been written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Written {
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
}

/// Writes a whole answer as it comes. A file that could not be finished is removed: nobody shall take a part for the
/// whole.
pub(crate) async fn write(answer: Answer, to: Option<&Path>, bar: &ProgressBar) -> Result<Written> {
    let mut output = Output::create(to)?;
    match output.copy(answer, bar).await {
        Ok(written) => Ok(written),
        Err(error) => {
            output.remove();
            Err(error)
        }
    }
}

/// A new file that only its owner can read: events are nobody else's business.
pub(crate) fn create(path: &Path) -> Result<File> {
    let created = File::options().write(true).create_new(true).mode(0o600).open(path);
    created.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            anyhow!("{} is there already\n  hint: it is not overwritten; name another file", path.display())
        }
        _ => anyhow!("cannot create {}: {error}", path.display()),
    })
}

enum Output {
    File { path: PathBuf, file: File },
    Standard,
}

impl Output {
    fn create(to: Option<&Path>) -> Result<Output> {
        match to.filter(|path| *path != Path::new("-")) {
            Some(path) => Ok(Output::File { path: path.to_owned(), file: create(path)? }),
            None => Ok(Output::Standard),
        }
    }

    async fn copy(&mut self, mut answer: Answer, bar: &ProgressBar) -> Result<Written> {
        let mut written = Written::default();
        while let Some(piece) = answer.piece().await? {
            self.push(&piece)?;
            let lines = piece.iter().filter(|byte| **byte == b'\n').count() as u64;
            written.lines += lines;
            written.bytes += piece.len() as u64;
            bar.inc(lines);
        }
        if let Output::File { path, file } = self {
            file.sync_all().with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(written)
    }

    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Output::File { path, file } => {
                file.write_all(bytes).with_context(|| format!("cannot write {}", path.display()))
            }
            Output::Standard => {
                print::bytes(bytes);
                Ok(())
            }
        }
    }

    fn remove(self) {
        if let Output::File { path, .. } = self {
            // The error that led here is what counts.
            fs::remove_file(path).ok();
        }
    }
}
