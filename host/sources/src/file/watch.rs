//! Being woken when something happens in the folder, by the operating system's events.
//!
//! What an event says is believed only as far as it spares work: growth of a file needs no look at the folder. Events get
//! lost, and a folder can be replaced; then all is looked at.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::watch;

use super::position::FileId;

pub(crate) struct Watch {
    folder: PathBuf,
    changed: watch::Receiver<()>,
    /// Something other than growth.
    listing: Arc<AtomicBool>,
    watcher: RecommendedWatcher,
    /// What is watched: the watch follows the folder, not its name.
    watched: Option<FileId>,
}

impl Watch {
    pub(crate) fn new(folder: &Path) -> notify::Result<Watch> {
        let (sender, changed) = watch::channel(());
        let listing = Arc::new(AtomicBool::new(true));
        let told = Arc::clone(&listing);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let Some(is_growth) = meaning(&event) else { return };
            if !is_growth {
                told.store(true, Ordering::SeqCst);
            }
            sender.send_replace(());
        })?;
        Ok(Watch { folder: folder.to_owned(), changed, listing, watcher, watched: None })
    }

    /// Watches what has the folder's name now. To be called before each look at it.
    pub(crate) fn renew(&mut self) -> notify::Result<()> {
        let metadata = std::fs::metadata(&self.folder).map_err(notify::Error::io)?;
        let now = Some(FileId { device: metadata.dev(), inode: metadata.ino() });
        if now == self.watched {
            return Ok(());
        }
        if self.watched.take().is_some() {
            // It may be gone already, with the folder that it was for.
            self.watcher.unwatch(&self.folder).unwrap_or_default();
        }
        self.watcher.watch(&self.folder, RecursiveMode::NonRecursive)?;
        self.watched = now;
        Ok(())
    }

    /// Whether the folder has to be looked at; what comes from here on counts anew.
    pub(crate) fn take_listing(&mut self) -> bool {
        self.changed.mark_unchanged();
        self.listing.swap(false, Ordering::SeqCst)
    }

    /// The folder has to be looked at again, whatever its events say.
    pub(crate) fn distrust(&mut self) {
        self.listing.store(true, Ordering::SeqCst);
    }

    /// Waits for the next change, or returns at once when there was one.
    pub(crate) async fn change(&mut self) {
        if self.changed.changed().await.is_err() {
            // The watcher lives as long as this; without it nothing would ever come.
            std::future::pending::<()>().await;
        }
    }
}

/// Whether an event is only about growth; none when it is about nothing that matters, such as our own reading.
fn meaning(event: &notify::Result<Event>) -> Option<bool> {
    let Ok(event) = event else { return Some(false) };
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => Some(!event.need_rescan()),
        EventKind::Access(_) => None,
        _ => Some(false),
    }
}
