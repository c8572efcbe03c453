//! Kills the host in the instant in which something happens to somebody else: no task switch in between.

use std::sync::Mutex;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

/// What a kill can follow at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cue {
    /// A producer has just read its 2xx.
    Acknowledgement,
    /// A SIEM has just taken events, and the host may not have its answer yet.
    Arrival,
}

/// Armed for at most one kill at a time.
pub(crate) struct Trigger {
    armed: Mutex<Option<(Cue, Pid)>>,
    fired: watch::Sender<u64>,
}

impl Trigger {
    pub(crate) fn new() -> Trigger {
        Trigger { armed: Mutex::new(None), fired: watch::Sender::new(0) }
    }

    /// The process has to be waited for after `disarm` only: until then its id cannot become another's.
    pub(crate) fn arm(&self, cue: Cue, process: Pid) -> watch::Receiver<u64> {
        let fired = self.fired.subscribe();
        *self.armed.lock().unwrap() = Some((cue, process));
        fired
    }

    pub(crate) fn disarm(&self) {
        self.armed.lock().unwrap().take();
    }

    pub(crate) fn pull(&self, cue: Cue) {
        let mut armed = self.armed.lock().unwrap();
        if let Some((_, process)) = armed.take_if(|(wanted, _)| *wanted == cue) {
            kill_process(process, Signal::KILL).expect("a child takes signals until it was waited for");
            self.fired.send_modify(|kills| *kills += 1);
        }
    }
}
