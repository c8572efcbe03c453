//! The comparison: what producers were told against what SIEMs, dead letters and ledger say. Pure, so that it can be
//! shown to find what it is there to find.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use crate::api::{DeadLetter, Ledger};
use crate::history::Fate;
use crate::payload::{EventId, Organization, Payloads};
use crate::report::Life;
use crate::siem::{Arrivals, Arrived};
use crate::stage::Destination;

/// So many of one kind are named; the others are counted.
const NAMED: usize = 20;

/// Everything that is known when the host has nothing left to do.
pub(crate) struct Evidence {
    pub(crate) payloads: Payloads,
    /// In order: the first session is the first life. The last one ends with a stop and is not among them.
    pub(crate) lives: Vec<Life>,
    pub(crate) acme: Vec<Fate>,
    pub(crate) umbra: Vec<Fate>,
    pub(crate) deliveries: Vec<Delivery>,
}

/// One destination, from three sides.
pub(crate) struct Delivery {
    pub(crate) destination: Destination,
    pub(crate) arrivals: Arrivals,
    pub(crate) dead_letters: Vec<DeadLetter>,
    pub(crate) ledger: Ledger,
    /// Records that the SIEM would have spoiled without a word.
    pub(crate) violations: u64,
}

impl Evidence {
    /// Every broken promise, in words; none when all were kept.
    pub(crate) fn broken_promises(&self) -> Vec<String> {
        self.deliveries.iter().flat_map(|delivery| Case::new(self, delivery).broken_promises()).collect()
    }

    fn fates(&self, organization: Organization) -> &[Fate] {
        match organization {
            Organization::Acme => &self.acme,
            Organization::Umbra => &self.umbra,
        }
    }
}

impl Delivery {
    /// Events that came again although the SIEM had answered.
    pub(crate) fn repeats(&self) -> u64 {
        let repeats = |arrived: &Arrived| arrived.times.saturating_sub(1).saturating_sub(arrived.unanswered);
        self.arrivals.events.iter().map(|arrived| u64::from(repeats(arrived))).sum()
    }

    /// Arrivals that the SIEM kept to itself.
    pub(crate) fn unanswered(&self) -> u64 {
        self.arrivals.events.iter().map(|arrived| u64::from(arrived.unanswered)).sum()
    }
}

/// One destination's events, looked at together.
struct Case<'a> {
    delivery: &'a Delivery,
    fates: &'a [Fate],
    lives: &'a [Life],
    dead: BTreeSet<u32>,
    found: Vec<String>,
}

impl<'a> Case<'a> {
    fn new(evidence: &'a Evidence, delivery: &'a Delivery) -> Case<'a> {
        let organization = delivery.destination.organization;
        let fates = evidence.fates(organization);
        let mut case =
            Case { delivery, fates, lives: &evidence.lives, dead: BTreeSet::new(), found: Vec::new() };
        case.read_dead_letters(evidence.payloads);
        case
    }

    fn broken_promises(mut self) -> Vec<String> {
        self.nothing_is_missing();
        self.nothing_is_invented();
        self.everything_is_whole();
        self.duplicates_are_bounded();
        self.dead_letters_have_a_cause();
        self.the_ledger_adds_up();
        self.found
    }

    /// A dead letter is known by its key, so the keys of all events are worked out.
    fn read_dead_letters(&mut self, payloads: Payloads) {
        if self.delivery.dead_letters.is_empty() {
            return;
        }
        let all = 0..self.fates.len() as u32;
        let numbers: HashMap<String, u32> =
            all.map(|number| (payloads.key(self.id(number)), number)).collect();
        for DeadLetter { key, event } in &self.delivery.dead_letters {
            let Some(&number) = numbers.get(key) else {
                self.accuse(format!("the dead letter with key {key} is none of the events issued"));
                continue;
            };
            let id = self.id(number);
            if !self.dead.insert(number) {
                self.accuse(format!("{id} is among the dead letters twice"));
            }
            if *event != payloads.event(id) {
                self.accuse(format!("{id} is a dead letter with another payload: {event}"));
            }
        }
    }

    fn nothing_is_missing(&mut self) {
        let mut missing = Vec::new();
        for (number, fate) in (0..).zip(self.fates) {
            let Fate::Acknowledged { after, session } = fate else { continue };
            if self.delivery.arrivals.times(number) == 0 && !self.dead.contains(&number) {
                let id = self.id(number);
                let (after, end) = (after.as_secs_f64(), self.end_of(*session));
                missing.push(format!("{id} (after {after:.3} s, in session {session}, {end})"));
            }
        }
        self.accuse_all("acknowledged and neither delivered nor a dead letter", &missing);
    }

    fn end_of(&self, session: u32) -> String {
        match self.lives.get(session as usize - 1) {
            Some(Life { killed, after }) => format!("killed {killed:?} after {:.3} s", after.as_secs_f64()),
            None => "which was not killed".to_owned(),
        }
    }

    fn nothing_is_invented(&mut self) {
        let arrivals = &self.delivery.arrivals;
        self.accuse_all("received and no event of this organisation", &arrivals.strangers.clone());
        let all_arrived = (0..).zip(&arrivals.events).filter(|(_, arrived)| arrived.times > 0);
        let arrived: Vec<u32> = all_arrived.map(|(number, _)| number).collect();
        let was = |number: &&u32, wanted: Option<Fate>| self.fates.get(**number as usize).copied() == wanted;
        let unknown =
            arrived.iter().filter(|number| was(number, None)).map(|number| self.id(*number).to_string());
        let refused = arrived.iter().chain(&self.dead).filter(|number| was(number, Some(Fate::Refused)));
        let refused: Vec<String> = refused.map(|number| self.id(*number).to_string()).collect();
        let unknown: Vec<String> = unknown.collect();
        self.accuse_all("received and never issued", &unknown);
        self.accuse_all("refused by the intake and taken all the same", &refused);
    }

    fn everything_is_whole(&mut self) {
        let broken: Vec<String> = self.delivery.arrivals.broken.iter().map(EventId::to_string).collect();
        self.accuse_all("received with another payload or key", &broken);
        if self.delivery.violations > 0 {
            self.accuse(format!("the SIEM would have spoiled {} records", self.delivery.violations));
        }
    }

    fn duplicates_are_bounded(&mut self) {
        let (repeats, in_flight) = (self.delivery.repeats(), self.delivery.destination.in_flight());
        let kills = self.lives.len() as u64;
        if repeats > kills * in_flight {
            self.accuse(format!(
                "{repeats} events came twice: more than {in_flight} for each of {kills} kills"
            ));
        }
    }

    /// A SIEM that is down or throttles costs no event: only one that refused what is in a request can.
    fn dead_letters_have_a_cause(&mut self) {
        let met = self.delivery.arrivals.met.iter();
        let refusals: u64 = met.filter(|(trouble, _)| trouble.refuses_events()).map(|(_, times)| times).sum();
        let dead = self.delivery.dead_letters.len() as u64;
        if dead > refusals {
            self.accuse(format!("{dead} events were given up, and the SIEM refused {refusals} requests"));
        }
    }

    /// Also: no event was stored twice, since each one stored has arrived or is a dead letter.
    fn the_ledger_adds_up(&mut self) {
        let ledger = self.delivery.ledger;
        let only_dead = self.dead.iter().filter(|number| self.delivery.arrivals.times(**number) == 0).count();
        let somewhere = self.delivery.arrivals.distinct + only_dead as u64;
        let dead = self.delivery.dead_letters.len() as u64;
        let wrong = [
            (ledger.accepted != ledger.sum(), "does not add up"),
            (ledger.waiting != 0, "has events waiting"),
            (ledger.expired != 0, "has expired events, and no limit was reached"),
            (ledger.damaged != 0, "has damaged events"),
            (ledger.accepted != somewhere, "does not agree with what arrived"),
            (ledger.dead_lettered != dead, "does not agree with the dead letters"),
        ];
        for (_, words) in wrong.into_iter().filter(|(is_wrong, _)| *is_wrong) {
            self.accuse(format!(
                "the ledger {words}: {ledger:?}; {somewhere} different events arrived or are dead letters, {dead} dead letters"
            ));
        }
    }

    fn id(&self, number: u32) -> EventId {
        EventId { organization: self.delivery.destination.organization, number }
    }

    fn accuse_all(&mut self, what: &str, which: &[String]) {
        if which.is_empty() {
            return;
        }
        let mut text = format!("{} {what}:", which.len());
        for one in which.iter().take(NAMED) {
            write!(text, "\n    {one}").expect("text grows");
        }
        if which.len() > NAMED {
            write!(text, "\n    and {} more", which.len() - NAMED).expect("text grows");
        }
        self.accuse(text);
    }

    fn accuse(&mut self, what: String) {
        let Destination { name, organization, .. } = self.delivery.destination;
        self.found.push(format!("{}/{name}: {what}", organization.name()));
    }
}

#[cfg(test)]
mod tests;
