//! What a store needs to know, complete and valid.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// When the store holds this much, the oldest events of the organisation that holds most are expired.
pub const DEFAULT_SIZE_LIMIT_BYTES: u64 = 10 << 30;
/// Room that the store leaves to the rest of the machine, and to its own settling.
pub const DEFAULT_DISK_RESERVE_BYTES: u64 = 512 << 20;
/// SQLite needs space to delete; this much is set aside for the moment when there is none.
pub const DEFAULT_BALLAST_BYTES: u64 = 64 << 20;

#[derive(Clone)]
pub struct StoreConfig {
    /// The folder that the store owns. It is created, and made readable by its owner only.
    pub folder: PathBuf,
    /// What blocks, dead letters and keys may take together before events are expired. Dead letters go by their own
    /// limits only; blocks are left a quarter of this one whatever the letters take.
    pub size_limit_bytes: u64,
    pub keep: Keep,
    /// Appends are refused while the file system has less than this free.
    pub disk_reserve_bytes: u64,
    /// Smaller where the disk has no room for it beside the reserve.
    pub ballast_bytes: u64,
    pub clock: Clock,
    /// How much space is free; tests replace it.
    pub free_space: FreeSpace,
    /// The SQLite VFS to write through, by its registered name; tests register one that fails.
    pub vfs: Option<String>,
}

impl StoreConfig {
    pub fn new(folder: impl Into<PathBuf>) -> StoreConfig {
        StoreConfig {
            folder: folder.into(),
            size_limit_bytes: DEFAULT_SIZE_LIMIT_BYTES,
            keep: Keep::default(),
            disk_reserve_bytes: DEFAULT_DISK_RESERVE_BYTES,
            ballast_bytes: DEFAULT_BALLAST_BYTES,
            clock: Clock::default(),
            free_space: FreeSpace::default(),
            vfs: None,
        }
    }
}

/// How long events stay that nobody waits for any more: for differences, exports and late destinations. Whichever
/// limit is reached first ends it, and so does the store's size limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    pub age: Duration,
    pub bytes: u64,
}

impl Default for Keep {
    fn default() -> Keep {
        Keep { age: Duration::from_secs(24 * 60 * 60), bytes: 1 << 30 }
    }
}

/// Milliseconds since 1970, from the system or from a test.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    pub fn new(now_ms: impl Fn() -> u64 + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(now_ms))
    }

    pub fn now_ms(&self) -> u64 {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, as_millis))
    }
}

/// The free space of the file system that holds a folder, in bytes, as far as this user may use it.
#[derive(Clone)]
pub struct FreeSpace(Arc<Probe>);

type Probe = dyn Fn(&Path) -> std::io::Result<u64> + Send + Sync;

impl FreeSpace {
    pub fn new(probe: impl Fn(&Path) -> std::io::Result<u64> + Send + Sync + 'static) -> FreeSpace {
        FreeSpace(Arc::new(probe))
    }

    pub fn of(&self, folder: &Path) -> std::io::Result<u64> {
        (self.0)(folder)
    }
}

impl Default for FreeSpace {
    fn default() -> FreeSpace {
        FreeSpace::new(|folder| {
            let file_system = rustix::fs::statvfs(folder)?;
            Ok(file_system.f_bavail.saturating_mul(file_system.f_frsize))
        })
    }
}

pub(crate) fn as_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
