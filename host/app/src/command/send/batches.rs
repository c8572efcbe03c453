//! Events cut into requests.

use std::io;

/// One request's events, one a line.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// The place of the first event in the file, from 0.
    pub(crate) first: u64,
    pub(crate) events: u64,
    pub(crate) body: String,
}

/// Well below the intake's own limits of 10,000 events and 16 MiB, so that progress is steady.
pub(crate) const BATCH_EVENTS: u64 = 2_000;
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Collects events and hands full batches on.
pub(crate) struct Batches<F> {
    deliver: F,
    most_events: u64,
    /// So many events at the beginning are passed over.
    skip: u64,
    next: Batch,
}

impl<F: FnMut(Batch) -> io::Result<()>> Batches<F> {
    pub(crate) fn new(most_events: u64, skip: u64, deliver: F) -> Batches<F> {
        Batches { deliver, most_events, skip, next: Batch { first: skip, events: 0, body: String::new() } }
    }

    /// Adds one event, which holds no line break.
    pub(crate) fn push(&mut self, event: &str) -> io::Result<()> {
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(());
        }
        let full = self.next.events >= self.most_events || self.next.body.len() + event.len() > BATCH_BYTES;
        if full {
            self.hand_on()?;
        }
        self.next.body.push_str(event);
        self.next.body.push('\n');
        self.next.events += 1;
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.hand_on()
    }

    fn hand_on(&mut self) -> io::Result<()> {
        if self.next.events == 0 {
            return Ok(());
        }
        let first = self.next.first + self.next.events;
        let batch = std::mem::replace(&mut self.next, Batch { first, events: 0, body: String::new() });
        (self.deliver)(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_event_once_and_know_their_place() {
        let mut handed = Vec::new();
        let mut batches = Batches::new(2_000, 0, |batch| {
            handed.push(batch);
            Ok(())
        });
        for number in 0..4_500 {
            batches.push(&number.to_string()).unwrap();
        }
        batches.finish().unwrap();
        let places: Vec<(u64, u64)> = handed.iter().map(|batch| (batch.first, batch.events)).collect();
        assert_eq!(places, [(0, 2_000), (2_000, 2_000), (4_000, 500)]);
        let all: String = handed.iter().map(|batch| batch.body.as_str()).collect();
        assert_eq!(all.lines().count(), 4_500);
    }

    #[test]
    fn a_run_that_goes_on_makes_the_batches_that_the_first_would_have_made() {
        let cut = |skip| {
            let mut handed = Vec::new();
            let mut batches = Batches::new(10, skip, |batch: Batch| {
                handed.push((batch.first, batch.body));
                Ok(())
            });
            for number in 0..35 {
                batches.push(&number.to_string()).unwrap();
            }
            batches.finish().unwrap();
            handed
        };
        assert_eq!(cut(20), cut(0)[2..]);
        assert_eq!(cut(35), []);
    }
}
