//! Free space: the reserve below which intake is refused, and the ballast that is thrown off when even settling finds
//! the disk full (SQLite needs space to delete).

use crate::config::StoreConfig;
use crate::error::StorageError;
use crate::folder;
use std::fs::File;
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Enough,
    BelowReserve { free_bytes: u64, reserve_bytes: u64 },
}

pub(crate) struct Disk {
    config: StoreConfig,
    ballast: PathBuf,
    ballast_present: bool,
}

impl Disk {
    pub(crate) fn new(config: &StoreConfig) -> Disk {
        let ballast = config.folder.join("ballast");
        let ballast_present =
            std::fs::metadata(&ballast).is_ok_and(|file| file.len() >= config.ballast_bytes);
        Disk { config: config.clone(), ballast, ballast_present }
    }

    /// Looks at the disk before a commit, and takes the ballast back on board when there is room for it.
    pub(crate) fn survey(&mut self) -> Room {
        let reserve_bytes = self.config.disk_reserve_bytes;
        let free_bytes = match self.config.free_space.of(&self.config.folder) {
            Ok(free_bytes) => free_bytes,
            Err(error) => {
                // The write itself will tell; refusing intake because a figure is missing would help nobody.
                tracing::warn!(%error, "cannot read how much disk space is free");
                return Room::Enough;
            }
        };
        if free_bytes < reserve_bytes {
            return Room::BelowReserve { free_bytes, reserve_bytes };
        }
        let wanted = self.config.ballast_bytes > 0 && !self.ballast_present;
        if wanted && free_bytes - reserve_bytes >= self.config.ballast_bytes {
            self.load_ballast();
        }
        Room::Enough
    }

    /// Frees the ballast's space, if it is there.
    pub(crate) fn release_ballast(&mut self) {
        if !std::mem::take(&mut self.ballast_present) {
            return;
        }
        match std::fs::remove_file(&self.ballast) {
            Ok(()) => {
                tracing::warn!(
                    bytes = self.config.ballast_bytes,
                    "the disk is full, the ballast was released"
                );
            }
            Err(error) => {
                tracing::error!(%error, path = %self.ballast.display(), "cannot release the ballast");
            }
        }
    }

    fn load_ballast(&mut self) {
        match self.allocate_ballast() {
            Ok(()) => self.ballast_present = true,
            Err(error) => tracing::warn!(%error, "cannot set the ballast aside"),
        }
    }

    /// Space that is really allocated: a sparse file would free nothing.
    fn allocate_ballast(&self) -> Result<(), StorageError> {
        let file = File::create(&self.ballast).map_err(StorageError::file("create", &self.ballast))?;
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, self.config.ballast_bytes)
            .map_err(|error| StorageError::file("allocate", &self.ballast)(error.into()))?;
        file.sync_all().map_err(StorageError::file("sync", &self.ballast))?;
        folder::sync(&self.config.folder)
    }
}
