//! Free space: the reserve below which intake is refused, and the ballast that is thrown off when even settling finds
//! the disk full (SQLite needs space to delete).
//!
//! The ballast comes back by itself with the first commit that finds room for it. A disk that is too small for all of
//! it gets a smaller one: half of what is free beside the reserve.

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
    /// What is set aside now.
    ballast_bytes: u64,
}

/// A smaller ballast would not be worth its file.
const SMALLEST_BALLAST_BYTES: u64 = 1 << 20;

impl Disk {
    pub(crate) fn new(config: &StoreConfig) -> Disk {
        let ballast = config.folder.join("ballast");
        let ballast_bytes = std::fs::metadata(&ballast).map_or(0, |file| file.len());
        Disk { config: config.clone(), ballast, ballast_bytes }
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
        let wanted_bytes = self.wanted_ballast(free_bytes - reserve_bytes);
        if wanted_bytes > self.ballast_bytes {
            self.load_ballast(wanted_bytes);
        }
        Room::Enough
    }

    /// How large the ballast should be, given the room beside the reserve; what is set aside already is not in it.
    fn wanted_ballast(&self, room_bytes: u64) -> u64 {
        let (most, now) = (self.config.ballast_bytes, self.ballast_bytes);
        if now.saturating_add(room_bytes) >= most {
            return most;
        }
        // It grows by doubling at least, and not by a little with each commit.
        let half = now.saturating_add(room_bytes) / 2;
        if half >= SMALLEST_BALLAST_BYTES && half / 2 >= now { half } else { 0 }
    }

    /// Frees the ballast's space, if it is there.
    pub(crate) fn release_ballast(&mut self) {
        let bytes = std::mem::take(&mut self.ballast_bytes);
        if bytes == 0 {
            return;
        }
        match std::fs::remove_file(&self.ballast) {
            Ok(()) => {
                tracing::warn!(bytes, "the disk is full, the ballast was released");
            }
            Err(error) => {
                tracing::error!(%error, path = %self.ballast.display(), "cannot release the ballast");
            }
        }
    }

    fn load_ballast(&mut self, bytes: u64) {
        match self.allocate_ballast(bytes) {
            Ok(()) => self.ballast_bytes = bytes,
            Err(error) => {
                tracing::warn!(%error, "cannot set the ballast aside");
                // What was allocated of it is missing elsewhere.
                drop(std::fs::remove_file(&self.ballast));
                self.ballast_bytes = 0;
            }
        }
    }

    /// Space that is really allocated: a sparse file would free nothing.
    fn allocate_ballast(&self, bytes: u64) -> Result<(), StorageError> {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.ballast)
            .map_err(StorageError::file("create", &self.ballast))?;
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes)
            .map_err(|error| StorageError::file("allocate", &self.ballast)(error.into()))?;
        file.sync_all().map_err(StorageError::file("sync", &self.ballast))?;
        folder::sync(&self.config.folder)
    }
}
