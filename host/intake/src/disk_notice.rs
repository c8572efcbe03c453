//! Telling the operator that events are turned away for want of disk, and when that is over.
//!
//! Once for each direction, and not for each request. At the very edge of the reserve every other request may pass, so
//! there is also a shortest time between two such notices.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::event_log::AppendError;

const PERIOD: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(crate) struct DiskNotice {
    /// The operator knows that there is too little.
    is_told: AtomicBool,
    last: Mutex<Option<Instant>>,
}

impl DiskNotice {
    /// To be told how each append ended.
    pub(crate) fn appended<T>(&self, result: &Result<T, AppendError>) {
        match result {
            Ok(_) if self.ends() => {
                tracing::info!("there is enough space on the disk of the store again: events are taken");
            }
            Err(AppendError::DiskReserve { free_bytes, reserve_bytes }) if self.begins(Instant::now()) => {
                tracing::error!(
                    free_bytes,
                    reserve_bytes,
                    "too little space on the disk of the store: events are turned away with 503"
                );
            }
            _ => {}
        }
    }

    fn begins(&self, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = last.is_some_and(|last| now.saturating_duration_since(last) < PERIOD);
        if is_recent || self.is_told.swap(true, Ordering::Relaxed) {
            return false;
        }
        *last = Some(now);
        true
    }

    fn ends(&self) -> bool {
        self.is_told.load(Ordering::Relaxed) && self.is_told.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_direction_is_told_once() {
        let notice = DiskNotice::default();
        let start = Instant::now();
        assert!(!notice.ends());
        assert!(notice.begins(start));
        assert!(!notice.begins(start + PERIOD));
        assert!(notice.ends());
        assert!(!notice.ends());
        assert!(notice.begins(start + PERIOD));
    }

    #[test]
    fn going_back_and_forth_is_told_once_a_period_and_a_lasting_shortage_always() {
        let notice = DiskNotice::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let told = (0..50).filter(|second| notice.begins(after(*second)) | notice.ends()).count();
        assert_eq!(told, 1);
        assert!(!notice.begins(after(55)));
        assert!(notice.begins(after(60)));
        assert!(notice.ends());
    }
}
