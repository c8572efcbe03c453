//! `siemaphore plugin` as the authors and publishers of formatters use it.

mod bench;
mod diff;
mod inspect;
mod install;
mod signing;
mod snapshots;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::events;

/// A folder to work in.
struct Workshop(tempfile::TempDir);

impl Workshop {
    fn new() -> Workshop {
        Workshop(tempfile::Builder::new().prefix("siemaphore-workshop-").tempdir().unwrap())
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Writes a file, and the folders that it lies in; its path as an argument.
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// Events, one a line.
    fn events(&self, name: &str, events: &[Value]) -> String {
        self.file(name, events::lines(events))
    }
}
