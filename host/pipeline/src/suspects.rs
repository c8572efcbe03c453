//! Events that failed alone, until it is known whether they or their surroundings are to blame.
//!
//! Halving isolates an event; it does not judge it. When nothing else goes through either, the formatter, its
//! settings or the SIEM is broken, and giving events up would empty the log into the dead letters. So an event that
//! fails alone is kept here, unsettled, until another event has gone through with the same version:
//!
//! - what the formatter did to it is repeatable, so it is given up then;
//! - what the SIEM did to it may have been mended meanwhile, so it is tried once more, and given up if it fails again.
//!   Where others had gone through between the refusal of the request that it came with and its own, that was its second
//!   try; but one success proves the guilt of one event only, for the SIEM may have broken just after it.
//!
//! [`LONE_FAILURES_IN_A_ROW`] of them with nothing going through in between mean that the stream fails as a whole. While
//! there are fewer, the oldest and the newest are tried again by themselves, ever more slowly: the last event before a
//! quiet weekend must not wait for the next one.

use std::time::{Duration, Instant};

use siemaphore_delivery::Schedule;
use siemaphore_store::AttemptRecord;

use crate::chunk::Chunk;
use crate::withheld::Withheld;

/// So many lone failures with none through hold the destination.
pub(crate) const LONE_FAILURES_IN_A_ROW: usize = 8;

/// Suspects are first tried again after this long.
const SHORTEST_PAUSE: Duration = Duration::from_secs(5);

/// An event that failed alone, and what was seen.
#[derive(Debug, Clone)]
pub(crate) struct Suspect {
    /// Exactly one event.
    pub(crate) chunk: Chunk,
    pub(crate) cause: Cause,
    pub(crate) reason: String,
    pub(crate) hint: String,
    pub(crate) attempts: Vec<AttemptRecord>,
    /// How sure we are that it is the event's own fault.
    pub(crate) trial: Trial,
}

/// Where an event stands, on its way to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Trial {
    /// Nothing is held against it.
    #[default]
    First,
    /// It failed alone, and nothing has gone through since.
    Again,
    /// It failed alone, and others have gone through since: the next failure is its own.
    Last,
}

/// Who refused an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The formatter rejected it, beside others that it formatted. Deterministic.
    Rejected,
    /// The formatter broke on it: a trap or a limit. Deterministic.
    Fault,
    /// The SIEM refused it.
    Destination,
}

/// What to do with suspects.
#[derive(Debug, Default)]
pub(crate) struct Ruling {
    /// To be dead-lettered.
    pub(crate) guilty: Vec<Suspect>,
    /// To be sent again.
    pub(crate) retry: Vec<Suspect>,
}

/// The suspects of one destination.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    parked: Vec<Suspect>,
    /// Different events that failed alone since something last went through.
    in_a_row: usize,
    retry_at: Option<Instant>,
    /// How often they were tried again with nothing going through.
    rounds: u32,
    /// It was said that the stream is broken.
    is_break_told: bool,
    /// How often something has gone through.
    successes: u64,
    /// Guilty, unless it is the version that is.
    pub(crate) withheld: Withheld,
}

impl Suspects {
    /// Takes in an event that failed alone. It is returned when it can be judged at once.
    pub(crate) fn accuse(&mut self, suspect: Suspect, now: Instant) -> Option<Suspect> {
        if suspect.trial == Trial::Last {
            return Some(suspect);
        }
        if suspect.cause != Cause::Rejected && suspect.trial == Trial::First {
            self.in_a_row += 1;
        }
        self.parked.push(suspect);
        let pause = Schedule::default().wait(self.rounds, 1.0).max(SHORTEST_PAUSE);
        self.retry_at.get_or_insert(now + pause);
        None
    }

    /// Counts a `format` call that rejected every event as one failure of the stream.
    pub(crate) fn accuse_formatter(&mut self) {
        self.in_a_row += 1;
    }

    /// Another event has gone through: what is parked can be judged.
    pub(crate) fn something_went_through(&mut self) -> Ruling {
        self.successes += 1;
        self.forget();
        let (retry, guilty) =
            self.parked.drain(..).partition::<Vec<_>, _>(|suspect| suspect.cause == Cause::Destination);
        let retry = retry.into_iter().map(|suspect| Suspect { trial: Trial::Last, ..suspect }).collect();
        Ruling { guilty, retry }
    }

    /// A clock that ticks whenever something goes through.
    pub(crate) fn successes(&self) -> u64 {
        self.successes
    }

    /// An event has failed alone whose request was first refused at one time, and that was sent by itself at another:
    /// whether something had gone through in between, and nothing else has failed alone after that. What went through
    /// while it was under way says nothing: the SIEM may have been mended between the two answers.
    pub(crate) fn is_proof(&mut self, refused_at: u64, sent_at: u64) -> bool {
        let proof = sent_at > refused_at && self.in_a_row == 0;
        if proof {
            self.in_a_row = 1;
        }
        proof
    }

    /// A new version formats, or the settings changed: what is known of the old one says nothing.
    pub(crate) fn release_all(&mut self) -> Vec<Suspect> {
        self.forget();
        let all = self.withheld.release_all().into_iter().chain(self.parked.drain(..));
        all.map(|suspect| Suspect { trial: Trial::First, ..suspect }).collect()
    }

    /// The oldest and the newest, to see whether the stream flows again.
    pub(crate) fn release_probes(&mut self) -> Vec<Suspect> {
        self.retry_at = None;
        self.rounds = self.rounds.saturating_add(1);
        let oldest = (!self.parked.is_empty()).then(|| self.parked.remove(0));
        let probes = oldest.into_iter().chain(self.parked.pop());
        probes.map(|suspect| Suspect { trial: Trial::Again, ..suspect }).collect()
    }

    /// When to try again, if nothing has gone through by then.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    fn forget(&mut self) {
        self.in_a_row = 0;
        self.rounds = 0;
        self.retry_at = None;
        self.is_break_told = false;
    }

    /// Nothing has gone through for so many lone failures that the stream as a whole is broken.
    pub(crate) fn stream_is_broken(&self) -> bool {
        self.in_a_row >= LONE_FAILURES_IN_A_ROW
    }

    /// Whether this is the first to say that the stream is broken, since something has gone through.
    pub(crate) fn is_break_news(&mut self) -> bool {
        !std::mem::replace(&mut self.is_break_told, true)
    }

    pub(crate) fn len(&self) -> usize {
        self.parked.len()
    }
}

#[cfg(test)]
mod tests {
    use siemaphore_model::EventBuffer;

    use super::*;

    fn suspect(position: u64, cause: Cause) -> Suspect {
        Suspect {
            chunk: Chunk::of_events(EventBuffer::new(), vec![position], crate::chunk::Lane::Log),
            cause,
            reason: String::new(),
            hint: String::new(),
            attempts: Vec::new(),
            trial: Trial::First,
        }
    }

    fn positions(suspects: &[Suspect]) -> Vec<u64> {
        suspects.iter().flat_map(|suspect| suspect.chunk.places().to_vec()).collect()
    }

    #[test]
    fn nothing_is_given_up_while_nothing_goes_through() {
        let mut suspects = Suspects::default();
        for position in 0..7 {
            assert!(suspects.accuse(suspect(position, Cause::Destination), Instant::now()).is_none());
            assert!(!suspects.stream_is_broken());
        }
        assert!(suspects.accuse(suspect(7, Cause::Fault), Instant::now()).is_none());
        assert!(suspects.stream_is_broken());
        assert_eq!(positions(&suspects.release_probes()), [0, 7]);
        assert_eq!([0; 2].map(|_| suspects.is_break_news()), [true, false], "it is logged once");
        suspects.something_went_through();
        assert!(suspects.is_break_news());
    }

    #[test]
    fn when_another_goes_through_faults_are_given_up_and_refused_events_tried_once_more() {
        let mut suspects = Suspects::default();
        suspects.accuse(suspect(1, Cause::Fault), Instant::now());
        suspects.accuse(suspect(2, Cause::Destination), Instant::now());
        suspects.accuse(suspect(3, Cause::Rejected), Instant::now());
        let ruling = suspects.something_went_through();
        assert_eq!(positions(&ruling.guilty), [1, 3]);
        assert_eq!(positions(&ruling.retry), [2]);
        let again = ruling.retry.into_iter().next().unwrap();
        assert_eq!(positions(&suspects.accuse(again, Instant::now()).into_iter().collect::<Vec<_>>()), [2]);
    }

    #[test]
    fn a_success_since_the_refusal_proves_the_guilt_of_one_event() {
        let mut suspects = Suspects::default();
        let refused_at = suspects.successes();
        assert!(!suspects.is_proof(refused_at, suspects.successes()));
        let sent_before = suspects.successes();
        suspects.something_went_through();
        assert!(
            !suspects.is_proof(refused_at, sent_before),
            "the SIEM may have been mended while it was under way"
        );
        let sent_after = suspects.successes();
        assert!(suspects.is_proof(refused_at, sent_after));
        assert!(!suspects.is_proof(refused_at, sent_after), "the SIEM may refuse everything by now");
        suspects.something_went_through();
        assert!(suspects.is_proof(refused_at, suspects.successes()));
    }

    #[test]
    fn one_event_that_fails_again_and_again_is_not_a_broken_stream() {
        let mut suspects = Suspects::default();
        let now = Instant::now();
        suspects.accuse(suspect(1, Cause::Destination), now);
        for _ in 0..20 {
            assert!(suspects.retry_at().is_some_and(|at| at > now));
            let probes = suspects.release_probes();
            assert_eq!(positions(&probes), [1]);
            probes.into_iter().for_each(|probe| assert!(suspects.accuse(probe, now).is_none()));
        }
        assert!(!suspects.stream_is_broken());
    }

    #[test]
    fn what_is_withheld_begins_anew_with_another_version_and_is_no_failure_until_then() {
        let mut suspects = Suspects::default();
        let guilty = Suspect { trial: Trial::Last, ..suspect(1, Cause::Destination) };
        assert!(suspects.withheld.keep(guilty, Instant::now()).is_empty());
        suspects.accuse(suspect(2, Cause::Destination), Instant::now());
        assert_eq!((suspects.len(), positions(&suspects.something_went_through().retry)), (1, vec![2]));
        let released = suspects.release_all();
        assert_eq!((positions(&released), released[0].trial), (vec![1], Trial::First));
        assert_eq!(suspects.withheld.len(), 0);
    }

    #[test]
    fn rejections_beside_formatted_events_do_not_break_the_stream() {
        let mut suspects = Suspects::default();
        for position in 0..100 {
            suspects.accuse(suspect(position, Cause::Rejected), Instant::now());
        }
        assert!(!suspects.stream_is_broken());
    }
}
