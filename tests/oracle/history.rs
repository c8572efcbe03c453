//! What was issued, and what the host said to it. The other side of every comparison.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::payload::{EventId, Organization};

/// What a producer knows of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// No answer, or one that does not say: it may arrive, and need not.
    Unknown,
    /// A 2xx that did not refuse it: it has to be somewhere from now on.
    Acknowledged { after: Duration, session: u32 },
    /// Refused by the intake: it must never arrive.
    Refused,
}

/// Everything that producers did, since the run began.
pub(crate) struct History {
    began: Instant,
    session: AtomicU32,
    acme: Mutex<Vec<Fate>>,
    umbra: Mutex<Vec<Fate>>,
}

impl History {
    pub(crate) fn new() -> History {
        let (acme, umbra) = (Mutex::default(), Mutex::default());
        History { began: Instant::now(), session: AtomicU32::new(0), acme, umbra }
    }

    /// From now on the host runs for the so-manieth time.
    pub(crate) fn begin_session(&self, session: u32) {
        self.session.store(session, Ordering::Relaxed);
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Numbers that nobody has had before.
    pub(crate) fn issue(&self, organization: Organization, count: usize) -> Range<u32> {
        let mut fates = self.of(organization).lock().unwrap();
        let first = fates.len() as u32;
        fates.extend(std::iter::repeat_n(Fate::Unknown, count));
        first..fates.len() as u32
    }

    pub(crate) fn acknowledged(&self, id: EventId) {
        let (after, session) = (self.began.elapsed(), self.session.load(Ordering::Relaxed));
        self.set(id, Fate::Acknowledged { after, session });
    }

    pub(crate) fn refused(&self, id: EventId) {
        self.set(id, Fate::Refused);
    }

    fn set(&self, id: EventId, fate: Fate) {
        self.of(id.organization).lock().unwrap()[id.number as usize] = fate;
    }

    /// The fate of every event, by number.
    pub(crate) fn fates(&self, organization: Organization) -> Vec<Fate> {
        self.of(organization).lock().unwrap().clone()
    }

    pub(crate) fn issued(&self, organization: Organization) -> usize {
        self.of(organization).lock().unwrap().len()
    }

    fn of(&self, organization: Organization) -> &Mutex<Vec<Fate>> {
        match organization {
            Organization::Acme => &self.acme,
            Organization::Umbra => &self.umbra,
        }
    }
}
