//! Notices changes in the folder: the operating system's events, gathered for a moment, then one look at the folder.
//!
//! What an event says is not believed (they differ between systems and get lost): any of them means "look again".

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::error::RegistryError;

/// Quiet for so long, and whoever writes has most likely finished.
const QUIET: Duration = Duration::from_millis(100);
/// Somebody else's endless writing must not keep the others' files from being loaded.
const LONGEST: Duration = Duration::from_secs(2);

/// Dropping it ends the events, and then the thread.
pub(crate) struct Watcher {
    watch: Watch,
    /// Wakes the thread. Its last owner ends it.
    wake: Option<Arc<SyncSender<()>>>,
    looks: Looks,
    thread: Option<JoinHandle<()>>,
}

/// Whether the thread may look. Held for as long as it does.
#[derive(Clone, Default)]
struct Looks(Arc<Mutex<bool>>);

impl Looks {
    fn look(&self, look: &impl Fn()) {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !*ended {
            look();
        }
    }

    /// No more looks. False when one is under way.
    fn end(&self) -> bool {
        let Ok(mut ended) = self.0.try_lock() else { return false };
        *ended = true;
        true
    }
}

/// What wakes the thread: the operating system, and plugins whose versions have changed.
pub(crate) struct Signals {
    sender: Arc<SyncSender<()>>,
    receiver: Receiver<()>,
}

impl Signals {
    pub(crate) fn new() -> Signals {
        // One waiting signal says as much as many.
        let (sender, receiver) = sync_channel(1);
        Signals { sender: Arc::new(sender), receiver }
    }

    /// For whoever must not keep the thread alive.
    pub(crate) fn wake(&self) -> Weak<SyncSender<()>> {
        Arc::downgrade(&self.sender)
    }
}

/// The operating system's watch over a folder, until it is taken away. It follows the folder itself, not its name: a
/// folder that is replaced has to be watched anew.
#[derive(Clone)]
struct Watch {
    folder: PathBuf,
    events: Arc<Mutex<Option<RecommendedWatcher>>>,
}

impl Watch {
    fn renew(&self) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(events) = events.as_mut() else { return };
        // It may be gone already, with the folder that it was for.
        events.unwatch(&self.folder).unwrap_or_default();
        if let Err(error) = events.watch(&self.folder, RecursiveMode::NonRecursive) {
            tracing::error!(
                folder = ?self.folder,
                error = %error,
                hint = "put the folder back, then run `siemaphore plugin reload`",
                "the plugin folder is not watched any more"
            );
        }
    }
}

impl Watcher {
    /// Calls `look` on a thread of its own, at once and some time after each change.
    pub(crate) fn start(
        folder: &Path,
        signals: Signals,
        look: impl Fn() + Send + 'static,
    ) -> Result<Watcher, RegistryError> {
        let Signals { sender, receiver } = signals;
        let wake = Some(Arc::clone(&sender));
        // For what is there already. Full means that a look is coming anyway.
        sender.try_send(()).unwrap_or_default();
        let failed = |source| RegistryError::Watch { path: folder.to_owned(), source };
        let mut events = notify::recommended_watcher(move |event| signal(&sender, event)).map_err(failed)?;
        events.watch(folder, RecursiveMode::NonRecursive).map_err(failed)?;
        let watch = Watch { folder: folder.to_owned(), events: Arc::new(Mutex::new(Some(events))) };
        let renewing = watch.clone();
        let looks = Looks::default();
        let looking = looks.clone();
        let thread = std::thread::Builder::new()
            .name("plugin-watcher".to_owned())
            .spawn(move || {
                while gather(&receiver) {
                    // Before the look, so that nothing falls between them.
                    renewing.renew();
                    looking.look(&look);
                }
            })
            .map_err(RegistryError::Thread)?;
        Ok(Watcher { watch, wake, looks, thread: Some(thread) })
    }

    /// Watches what has the folder's name now.
    pub(crate) fn renew(&self) {
        self.watch.renew();
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.watch.events.lock().unwrap_or_else(PoisonError::into_inner).take());
        drop(self.wake.take());
        // A look takes as long as a formatter takes to be checked. It changes files by renaming only, so nobody has to wait
        // for its end: neither a host that stops nor the end of the process.
        if let Some(thread) = self.thread.take().filter(|_| self.looks.end())
            && thread.join().is_err()
        {
            tracing::error!("the plugin watcher had panicked");
        }
    }
}

fn signal(sender: &SyncSender<()>, event: notify::Result<Event>) {
    // Our own reading makes access events; following those would never end.
    let is_change = match event {
        Ok(event) => match event.kind {
            EventKind::Access(access) => {
                matches!(access, notify::event::AccessKind::Close(notify::event::AccessMode::Write))
            }
            _ => true,
        },
        // Events were lost, or the folder is: looking tells.
        Err(_) => true,
    };
    if is_change {
        // Full means that a look is coming anyway; closed, that nobody wants one.
        sender.try_send(()).unwrap_or_default();
    }
}

/// Waits for a change and then for quiet. False once there will be no more events.
fn gather(receiver: &Receiver<()>) -> bool {
    if receiver.recv().is_err() {
        return false;
    }
    let begun = Instant::now();
    while begun.elapsed() < LONGEST {
        match receiver.recv_timeout(QUIET) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    true
}
