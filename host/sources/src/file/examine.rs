//! Whether the files of a source can be read, before the source is started.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use super::{FileConfig, MOST_FILES};

#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    #[error("cannot read the folder {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("cannot read {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{count} files match in {}; at most {MOST_FILES} are followed at the same time", folder.display())]
    TooMany { folder: PathBuf, count: usize },
}

impl FileProblem {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            FileProblem::Folder { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "create the folder; files in it may come later"
            }
            FileProblem::Folder { .. } => {
                "let the user of the host read the folder: chmod o+rx, or add the user to the folder's group"
            }
            FileProblem::File { .. } => {
                "let the user of the host read the file: chmod o+r, or add the user to the file's group"
            }
            FileProblem::TooMany { .. } => "write a narrower path, or make it several sources",
        }
    }
}

/// The files that match now.
pub fn examine(config: &FileConfig) -> Result<Vec<PathBuf>, FileProblem> {
    let folder = &config.pattern.folder;
    let listed =
        fs::read_dir(folder).map_err(|source| FileProblem::Folder { folder: folder.clone(), source })?;
    let mut matching = Vec::new();
    for entry in listed.flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let path = entry.path();
        if !is_file || !entry.file_name().to_str().is_some_and(|name| config.pattern.matches(name)) {
            continue;
        }
        match File::open(&path) {
            // Rotated away since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(FileProblem::File { path, source }),
            Ok(_) => matching.push(path),
        }
    }
    if matching.len() > MOST_FILES {
        return Err(FileProblem::TooMany { folder: folder.clone(), count: matching.len() });
    }
    matching.sort();
    Ok(matching)
}
