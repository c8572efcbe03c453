//! A file system of its own for the state of a host, as small as the story needs it: a `tmpfs` with a size.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Mounted until it is dropped.
pub(crate) struct SmallDisk {
    place: PathBuf,
}

impl SmallDisk {
    /// Mounts it over an empty folder. `Err` with the reason where this user must not mount.
    pub(crate) fn mount(place: &Path, mib: u32) -> Result<SmallDisk, String> {
        let options = format!("size={mib}m,mode=0700");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &options, "siemaphore-small-disk"]).arg(place);
        let output = command.output().map_err(|error| format!("`mount` does not start: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        Ok(SmallDisk { place: place.to_owned() })
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        let file_system = rustix::fs::statvfs(&self.place).expect("a file system");
        file_system.f_bavail * file_system.f_frsize
    }

    /// Writes a file until not one byte more fits, while others may write too. It stays as it is: what is freed later
    /// is free for the host.
    pub(crate) async fn fill(&self) {
        let filler = self.filler();
        tokio::task::spawn_blocking(move || fill(&filler)).await.expect("a full disk");
    }

    /// Takes the file away again.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.filler()).expect("the file is there");
    }

    fn filler(&self) -> PathBuf {
        self.place.join("filler")
    }
}

fn fill(filler: &Path) {
    let mut file = OpenOptions::new().create(true).append(true).open(filler).expect("a file");
    let mut piece = vec![0x5a; 1024 * 1024];
    while !piece.is_empty() {
        match file.write(&piece) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => piece.truncate(piece.len() / 2),
            Err(error) => panic!("{error}"),
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a host that was killed a moment ago may still hold it open.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.place).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} stays mounted", self.place.display());
        }
    }
}
