//! The oracle finds what it is there to find: each promise is broken once, on paper.

use std::time::Duration;

use super::*;
use crate::faults::Trouble;
use crate::moments::Moment;
use crate::stage::DESTINATIONS;

const PAYLOADS: Payloads = Payloads { began: Duration::from_secs(1_795_000_000) };
const ACKNOWLEDGED: Fate = Fate::Acknowledged { after: Duration::from_millis(1_500), session: 1 };
const ONCE: Arrived = Arrived { times: 1, unanswered: 0 };

/// Four events were acknowledged and have arrived, one is unknown and did not, one was refused.
fn evidence() -> Evidence {
    let mut arrivals = Arrivals::default();
    (arrivals.events, arrivals.distinct) = (vec![ONCE; 4], 4);
    let ledger = Ledger { accepted: 4, delivered: 4, ..Ledger::default() };
    let destination = DESTINATIONS[0];
    Evidence {
        payloads: PAYLOADS,
        lives: vec![Life { killed: Moment::Anytime, after: Duration::from_secs(2) }],
        acme: vec![ACKNOWLEDGED, ACKNOWLEDGED, ACKNOWLEDGED, ACKNOWLEDGED, Fate::Unknown, Fate::Refused],
        umbra: Vec::new(),
        deliveries: vec![Delivery { destination, arrivals, dead_letters: Vec::new(), ledger, violations: 0 }],
    }
}

fn dead_letter(number: u32) -> DeadLetter {
    let id = EventId { organization: Organization::Acme, number };
    DeadLetter { key: PAYLOADS.key(id), event: PAYLOADS.event(id) }
}

/// Breaks one thing, and expects the accusations to begin with these words.
#[track_caller]
fn check(break_it: impl FnOnce(&mut Delivery), expected: &[&str]) {
    let mut evidence = evidence();
    break_it(&mut evidence.deliveries[0]);
    let found = evidence.broken_promises();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(&format!("acme/calm: {expected}")), "{found}");
    }
}

#[test]
fn kept_promises_are_no_finding() {
    check(|_| {}, &[]);
}

#[test]
fn an_acknowledged_event_that_is_nowhere_is_named_with_its_session() {
    check(
        |delivery| {
            delivery.arrivals.events[2] = Arrived::default();
            delivery.arrivals.distinct = 3;
            (delivery.ledger.accepted, delivery.ledger.delivered) = (3, 3);
        },
        &[
            "1 acknowledged and neither delivered nor a dead letter:\n    acme-2 (after 1.500 s, in session 1, killed Anytime after 2.000 s)",
        ],
    );
}

#[test]
fn a_dead_letter_is_not_missing() {
    check(
        |delivery| {
            delivery.arrivals.events[2] = Arrived::default();
            delivery.arrivals.distinct = 3;
            delivery.dead_letters = vec![dead_letter(2)];
            delivery.arrivals.met.insert(Trouble::StoppedAt, 1);
            (delivery.ledger.dead_lettered, delivery.ledger.delivered) = (1, 3);
        },
        &[],
    );
}

#[test]
fn a_dead_letter_of_nobody_is_found() {
    check(
        |delivery| {
            delivery.dead_letters = vec![DeadLetter { key: "00".repeat(16), ..dead_letter(2) }];
            delivery.arrivals.met.insert(Trouble::StoppedAt, 1);
            (delivery.ledger.dead_lettered, delivery.ledger.delivered) = (1, 3);
        },
        &["the dead letter with key 00000000000000000000000000000000 is none"],
    );
}

#[test]
fn a_dead_letter_that_is_not_whole_is_found() {
    check(
        |delivery| {
            delivery.dead_letters = vec![DeadLetter { event: dead_letter(1).event, ..dead_letter(2) }];
            delivery.arrivals.met.insert(Trouble::StoppedAt, 1);
            (delivery.ledger.dead_lettered, delivery.ledger.delivered) = (1, 3);
        },
        &["acme-2 is a dead letter with another payload"],
    );
}

#[test]
fn a_dead_letter_that_no_refusal_explains_is_found() {
    check(
        |delivery| {
            delivery.dead_letters = vec![dead_letter(2)];
            delivery.arrivals.met.insert(Trouble::Overloaded, 9);
            (delivery.ledger.dead_lettered, delivery.ledger.delivered) = (1, 3);
        },
        &["1 events were given up, and the SIEM refused 0 requests"],
    );
}

#[test]
fn an_unacknowledged_event_may_arrive() {
    check(
        |delivery| {
            delivery.arrivals.events.push(ONCE);
            delivery.arrivals.distinct = 5;
            (delivery.ledger.accepted, delivery.ledger.delivered) = (5, 5);
        },
        &[],
    );
}

#[test]
fn refused_and_unissued_events_must_not_arrive() {
    check(
        |delivery| {
            delivery.arrivals.events.extend([Arrived::default(), ONCE, ONCE]);
            delivery.arrivals.distinct = 6;
            (delivery.ledger.accepted, delivery.ledger.delivered) = (6, 6);
        },
        &[
            "1 received and never issued:\n    acme-6",
            "1 refused by the intake and taken all the same:\n    acme-5",
        ],
    );
}

#[test]
fn strange_and_broken_records_are_found() {
    check(
        |delivery| delivery.arrivals.strangers = vec!["{}".to_owned()],
        &["1 received and no event of this"],
    );
    let broken = EventId { organization: Organization::Acme, number: 1 };
    check(|delivery| delivery.arrivals.broken = vec![broken], &["1 received with another payload or key"]);
    check(|delivery| delivery.violations = 1, &["the SIEM would have spoiled 1 records"]);
}

#[test]
fn more_duplicates_than_a_kill_explains_are_found() {
    let in_flight = DESTINATIONS[0].in_flight() as u16;
    let times = |times, unanswered| {
        move |delivery: &mut Delivery| {
            delivery.arrivals.events[0] = Arrived { times, unanswered };
        }
    };
    check(times(1 + in_flight, 0), &[]);
    check(times(2 + in_flight, 0), &["121 events came twice: more than 120 for each of 1 kills"]);
    check(times(2 + in_flight, 1), &[]);
}

#[test]
fn a_ledger_that_is_wrong_in_any_way_is_found() {
    check(|delivery| delivery.ledger.delivered = 3, &["the ledger does not add up"]);
    check(
        |delivery| (delivery.ledger.delivered, delivery.ledger.waiting) = (3, 1),
        &["the ledger has events waiting"],
    );
    check(
        |delivery| (delivery.ledger.delivered, delivery.ledger.expired) = (3, 1),
        &["the ledger has expired events"],
    );
    // Stored twice: both copies are counted, and only one event has arrived.
    check(
        |delivery| (delivery.ledger.accepted, delivery.ledger.delivered) = (5, 5),
        &["the ledger does not agree with what arrived"],
    );
}
