//! What a developer sees: a line while a run goes on, and a table at its end.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::driver::Counts;
use crate::faults::{Met, Trouble};
use crate::moments::Moment;
use crate::run::Run;
use crate::siem::Siem;
use crate::verdict::Evidence;

/// Where no terminal shows a line that changes, one is written after so many kills.
const KILLS_A_LINE: usize = 10;
/// A run of so many kills is long enough for everything to have happened.
const LONG_RUN: u32 = 50;
const ACKNOWLEDGED_A_KILL: u64 = 20;

pub(crate) struct Report {
    pub(crate) run: Run,
    pub(crate) lives: Vec<Life>,
    began: Instant,
}

/// One life of the host, and its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) killed: Moment,
    /// Since the run began.
    pub(crate) after: Duration,
}

/// Shown of tests that succeed as well: whoever interrupts a run wants to know its seed.
pub(crate) fn begin(run: Run) {
    let line = format!("oracle: {} kills; repeat with SIEMAPHORE_ORACLE_SEED={}", run.kills, run.seed);
    writeln!(stderr(), "{line}").expect("standard error");
}

impl Report {
    pub(crate) fn new(run: Run) -> Report {
        Report { run, lives: Vec::new(), began: Instant::now() }
    }

    pub(crate) fn killed(&mut self, killed: Moment, after: Duration, counts: &Counts, siems: &[Arc<Siem>]) {
        self.lives.push(Life { killed, after });
        let kills = self.lives.len();
        let is_terminal = stderr().is_terminal();
        if !is_terminal && !kills.is_multiple_of(KILLS_A_LINE) {
            return;
        }
        let acknowledged = counts.acknowledged.load(Ordering::Relaxed);
        let delivered: u64 = siems.iter().map(|siem| siem.arrivals().distinct).sum();
        let records: u64 = siems.iter().map(|siem| siem.receiver.totals().records).sum();
        let elapsed = self.began.elapsed().as_secs_f64();
        let line = format!(
            "{kills}/{} kills  {acknowledged} acknowledged  {delivered} delivered  {} twice  {:.0} events/s  {elapsed:.0} s",
            self.run.kills,
            records.saturating_sub(delivered),
            acknowledged as f64 / elapsed,
        );
        // A line that changes begins with a return and ends without one.
        let written =
            if is_terminal { write!(stderr(), "\r\x1b[K{line}") } else { writeln!(stderr(), "{line}") };
        written.expect("standard error");
    }

    pub(crate) fn finish(&self, evidence: &Evidence, counts: &Counts) {
        let clear = if stderr().is_terminal() { "\r\x1b[K" } else { "" };
        eprintln!(
            "{clear}{} kills in {:.0} s: {:?}",
            self.run.kills,
            self.began.elapsed().as_secs_f64(),
            self.moments()
        );
        eprintln!("intake: {counts:?}");
        eprintln!(
            "{:<16} {:>9} {:>9} {:>9} {:>12} {:>12} {:>9}",
            "destination", "accepted", "arrived", "dead", "twice: kill", "twice: SIEM", "requests"
        );
        for delivery in &evidence.deliveries {
            let name = format!("{}/{}", delivery.destination.organization.name(), delivery.destination.name);
            eprintln!(
                "{name:<16} {:>9} {:>9} {:>9} {:>12} {:>12} {:>9}",
                delivery.ledger.accepted,
                delivery.arrivals.distinct,
                delivery.dead_letters.len(),
                delivery.repeats(),
                delivery.unanswered(),
                delivery.arrivals.requests,
            );
        }
        eprintln!("troubles: {:?}", met(evidence));
    }

    fn moments(&self) -> BTreeMap<Moment, u32> {
        let mut moments = BTreeMap::new();
        for life in &self.lives {
            *moments.entry(life.killed).or_default() += 1;
        }
        moments
    }

    /// A run in which nothing went wrong proves nothing. What should have happened in a long one and did not, in words.
    pub(crate) fn missed_chances(&self, evidence: &Evidence, counts: &Counts) -> Vec<String> {
        if self.run.kills < LONG_RUN {
            return Vec::new();
        }
        let (met, moments) = (met(evidence), self.moments());
        let mut missed = Vec::new();
        let acknowledged = counts.acknowledged.load(Ordering::Relaxed);
        if acknowledged < ACKNOWLEDGED_A_KILL * u64::from(self.run.kills) {
            missed.push(format!("only {acknowledged} events were acknowledged"));
        }
        let never = Trouble::ALL.into_iter().filter(|trouble| !met.contains_key(trouble));
        missed.extend(never.map(|trouble| format!("no SIEM was ever in this trouble: {trouble:?}")));
        let never = Moment::ALL.into_iter().filter(|moment| !moments.contains_key(moment));
        missed.extend(never.map(|moment| format!("the host was never killed at this moment: {moment:?}")));
        let calm = evidence.deliveries.iter().filter(|delivery| !delivery.destination.is_troubled);
        let chances = [
            (calm.map(|delivery| delivery.repeats()).sum(), "no kill made an event arrive twice"),
            (
                evidence.deliveries.iter().map(|delivery| delivery.unanswered()).sum(),
                "no SIEM lost an answer",
            ),
            (counts.unanswered.load(Ordering::Relaxed), "no kill left a producer without an answer"),
            (counts.repeated.load(Ordering::Relaxed), "no request was repeated"),
            (counts.refused.load(Ordering::Relaxed), "no event was refused"),
        ];
        missed
            .extend(chances.into_iter().filter(|(times, _)| *times == 0).map(|(_, words)| words.to_owned()));
        missed
    }
}

fn met(evidence: &Evidence) -> Met {
    let mut all = Met::new();
    for (trouble, times) in evidence.deliveries.iter().flat_map(|delivery| &delivery.arrivals.met) {
        *all.entry(*trouble).or_default() += times;
    }
    all
}
