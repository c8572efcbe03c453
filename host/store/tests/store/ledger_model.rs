//! Random appends, settlements, expiries, crashes and restarts against a model that remembers each event by itself.

use crate::support::{HOUR, Rig, dead_letter, registration, settlement};
use proptest::prelude::*;
use siemaphore_store::{Ledger, Registration, Settlement};
use std::collections::BTreeMap;

const ORGANIZATIONS: [&str; 2] = ["acme", "globex"];
/// Two destinations of the first organisation with different patience, one of the second.
const DESTINATIONS: [(&str, usize, u32); 3] = [("splunk", 0, 1000), ("sentinel", 0, 2), ("datadog", 1, 5)];
const DESTINATION_COUNT: usize = DESTINATIONS.len();

#[derive(Debug, Clone)]
enum Action {
    Append { organization: usize, count: u64 },
    Settle { destination: usize, start: u64, length: u64, end: End },
    Pass { hours: u32 },
    Crash,
    Reopen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Waiting,
    Delivered,
    Filtered,
    DeadLettered,
    Expired,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let end = prop_oneof![Just(End::Delivered), Just(End::Filtered), Just(End::DeadLettered)];
    let action = prop_oneof![
        4 => (0..ORGANIZATIONS.len(), 1..6_u64)
            .prop_map(|(organization, count)| Action::Append { organization, count }),
        6 => (0..DESTINATION_COUNT, 0..60_u64, 1..8_u64, end)
            .prop_map(|(destination, start, length, end)| Action::Settle { destination, start, length, end }),
        1 => (1..3_u32).prop_map(|hours| Action::Pass { hours }),
        1 => Just(Action::Crash),
        1 => Just(Action::Reopen),
    ];
    prop::collection::vec(action, 1..40)
}

/// What became of each event, for each destination.
#[derive(Default)]
struct Model {
    hour: u32,
    next_position: u64,
    /// By position: the hour it came in and its end.
    events: [BTreeMap<u64, (u32, End)>; DESTINATION_COUNT],
}

impl Model {
    fn append(&mut self, organization: usize, count: u64) {
        for (destination, events) in DESTINATIONS.iter().zip(&mut self.events) {
            if destination.1 == organization {
                let positions = self.next_position..self.next_position + count;
                events.extend(positions.map(|position| (position, (self.hour, End::Waiting))));
            }
        }
        self.next_position += count;
    }

    fn settle(&mut self, destination: usize, start: u64, length: u64, end: End) {
        for (_, (_, found)) in self.events[destination].range_mut(start..start + length) {
            if *found == End::Waiting {
                *found = end;
            }
        }
    }

    fn pass(&mut self, hours: u32) {
        self.hour += hours;
        for (destination, events) in DESTINATIONS.iter().zip(&mut self.events) {
            for (hour, end) in events.values_mut() {
                if *end == End::Waiting && *hour + destination.2 <= self.hour {
                    *end = End::Expired;
                }
            }
        }
    }

    fn count(&self, destination: usize, end: End) -> u64 {
        self.events[destination].values().filter(|(_, found)| *found == end).count() as u64
    }

    fn ledger(&self, destination: usize) -> Ledger {
        Ledger {
            accepted: self.events[destination].len() as u64,
            delivered: self.count(destination, End::Delivered),
            filtered: self.count(destination, End::Filtered),
            dead_lettered: self.count(destination, End::DeadLettered),
            expired: self.count(destination, End::Expired),
            waiting: self.count(destination, End::Waiting),
            ..Ledger::default()
        }
    }

    fn waiting(&self, destination: usize) -> Vec<u64> {
        let events = self.events[destination].iter();
        events.filter(|(_, (_, end))| *end == End::Waiting).map(|(position, _)| *position).collect()
    }
}

async fn start(rig: &Rig) {
    for (name, organization, hours) in DESTINATIONS {
        let age_limit = HOUR * hours;
        let registration = Registration { age_limit, ..registration(name, ORGANIZATIONS[organization]) };
        rig.store.open_destination(registration).await.unwrap();
    }
}

async fn settle(rig: &Rig, destination: usize, start: u64, length: u64, end: End) {
    let range = start..start + length;
    let mut settlement = settlement(DESTINATIONS[destination].0);
    match end {
        End::Delivered => settlement.delivered = vec![range],
        End::Filtered => settlement.filtered = vec![range],
        _ => settlement.dead_letters = range.map(dead_letter).collect(),
    }
    rig.store.settle(Settlement { ..settlement }).await.unwrap();
}

/// All positions that a pipeline would still be given.
async fn read_waiting(rig: &Rig, destination: &str) -> Vec<u64> {
    let mut waiting = Vec::new();
    let mut from = 0;
    while let Some(block) = rig.store.next_block(destination, from).await.unwrap() {
        waiting.extend(block.unsettled.into_iter().flatten());
        from = block.first + block.count;
    }
    waiting
}

async fn run(actions: Vec<Action>) {
    let mut rig = Rig::with(|config| config.keep.age = HOUR * 3);
    start(&rig).await;
    let mut model = Model { next_position: *rig.store.appended().borrow(), ..Model::default() };
    for action in actions {
        match action {
            Action::Append { organization, count } => {
                let positions = rig.append(ORGANIZATIONS[organization], count).await;
                assert_eq!(positions.start, model.next_position);
                model.append(organization, count);
            }
            Action::Settle { destination, start, length, end } => {
                settle(&rig, destination, start, length, end).await;
                model.settle(destination, start, length, end);
            }
            Action::Pass { hours } => {
                rig.advance(HOUR * hours);
                rig.expire_all().await;
                model.pass(hours);
            }
            Action::Crash => rig = rig.crashed(),
            Action::Reopen => rig = rig.reopened().await,
        }
        check(&rig, &model).await;
    }
}

async fn check(rig: &Rig, model: &Model) {
    for (index, (name, ..)) in DESTINATIONS.into_iter().enumerate() {
        let ledger = Ledger { oldest_waiting_ms: None, ..rig.ledger(name).await };
        assert_eq!(ledger, model.ledger(index), "ledger of {name}");
        assert_eq!(read_waiting(rig, name).await, model.waiting(index), "what waits for {name}");
    }
    let dead_letters = rig.store.dead_letters(None, None, 1000).await.unwrap().len() as u64;
    let expected: u64 = (0..DESTINATION_COUNT).map(|index| model.count(index, End::DeadLettered)).sum();
    assert_eq!(dead_letters, expected);
    check_totals(rig).await;
}

/// The triggers' totals agree with the rows, and a block is awaited by exactly the destinations that wait for it.
async fn check_totals(rig: &Rig) {
    let totals: (u64, u64, u64) = rig
        .database()
        .query_row(
            "SELECT (SELECT blocks FROM log) - count(*), (SELECT events FROM log) - ifnull(sum(count), 0), \
             (SELECT kept_bytes FROM log) - ifnull(sum(size) FILTER (WHERE awaited_by = 0), 0) FROM blocks",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(totals, (0, 0, 0));
    let mut awaited: BTreeMap<u64, u64> = BTreeMap::new();
    for (name, ..) in DESTINATIONS {
        let mut from = 0;
        while let Some(block) = rig.store.next_block(name, from).await.unwrap() {
            *awaited.entry(block.first).or_default() += 1;
            from = block.first + block.count;
        }
    }
    let database = rig.database();
    let mut rows = database.prepare("SELECT first, awaited_by FROM blocks").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    for row in rows {
        let (first, by): (u64, u64) = row.unwrap();
        assert_eq!(by, awaited.get(&first).copied().unwrap_or(0), "destinations that await block {first}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_store_agrees_with_a_model_that_remembers_every_event(actions in actions()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(actions));
    }
}
