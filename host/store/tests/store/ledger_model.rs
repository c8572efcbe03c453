//! Random appends, settlements, replays, discards, expiries, kills, power cuts and restarts against a model that
//! remembers each event by itself. PROPTEST_CASES makes it longer.

use crate::faulty_disk::FaultyDisk;
use crate::faulty_vfs;
use crate::support::{HOUR, Rig, dead_letter, noise, registration, settlement, small_folder};
use proptest::prelude::*;
use siemaphore_model::EventBuffer;
use siemaphore_store::{FailedReplay, Ledger, Registration, Selection, Settlement};
use std::collections::{BTreeMap, BTreeSet};

const ORGANIZATIONS: [&str; 2] = ["acme", "globex"];
/// Two destinations of the first organisation with different patience, one of the second.
const DESTINATIONS: [(&str, usize, u32); 3] = [("splunk", 0, 1000), ("sentinel", 0, 2), ("datadog", 1, 5)];
const DESTINATION_COUNT: usize = DESTINATIONS.len();

#[derive(Debug, Clone)]
enum Action {
    Append {
        organization: usize,
        count: u64,
    },
    Settle {
        destination: usize,
        start: u64,
        length: u64,
        end: End,
    },
    RequestReplay {
        destination: usize,
        start: u64,
        length: u64,
    },
    /// What comes of the marked letters there.
    Replay {
        destination: usize,
        start: u64,
        length: u64,
        arrives: bool,
    },
    Discard {
        destination: usize,
        start: u64,
        length: u64,
    },
    Pass {
        hours: u32,
    },
    Kill,
    CutPower {
        seed: u64,
    },
    Reopen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Waiting,
    Delivered,
    Filtered,
    DeadLettered,
    Discarded,
    Expired,
}

/// A destination and some positions.
fn stretch() -> impl Strategy<Value = (usize, u64, u64)> {
    (0..DESTINATION_COUNT, 0..60_u64, 1..16_u64)
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let end = prop_oneof![Just(End::Delivered), Just(End::Filtered), Just(End::DeadLettered)];
    let action = prop_oneof![
        4 => (0..ORGANIZATIONS.len(), 1..6_u64)
            .prop_map(|(organization, count)| Action::Append { organization, count }),
        6 => (0..DESTINATION_COUNT, 0..60_u64, 1..8_u64, end)
            .prop_map(|(destination, start, length, end)| Action::Settle { destination, start, length, end }),
        2 => stretch().prop_map(|(destination, start, length)| Action::RequestReplay { destination, start, length }),
        3 => (stretch(), any::<bool>()).prop_map(|((destination, start, length), arrives)| Action::Replay {
            destination,
            start,
            length,
            arrives,
        }),
        1 => stretch().prop_map(|(destination, start, length)| Action::Discard { destination, start, length }),
        1 => (1..3_u32).prop_map(|hours| Action::Pass { hours }),
        1 => Just(Action::Kill),
        1 => any::<u64>().prop_map(|seed| Action::CutPower { seed }),
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
    /// Positions of letters that are to be sent again.
    marked: [BTreeSet<u64>; DESTINATION_COUNT],
    /// What was stored, by first position.
    stored: BTreeMap<u64, EventBuffer>,
}

impl Model {
    fn append(&mut self, organization: usize, count: u64, events: EventBuffer) {
        self.stored.insert(self.next_position, events);
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

    /// Positions of the letters in a stretch.
    fn letters(&self, destination: usize, start: u64, length: u64) -> BTreeSet<u64> {
        let events = self.events[destination].range(start..start + length);
        events.filter(|(_, (_, end))| *end == End::DeadLettered).map(|(position, _)| *position).collect()
    }

    fn end_letters(&mut self, destination: usize, letters: &BTreeSet<u64>, end: End) {
        for position in letters {
            self.marked[destination].remove(position);
            if let Some((_, found)) = self.events[destination].get_mut(position) {
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
            discarded: self.count(destination, End::Discarded),
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

/// The ids of the letters at these positions.
async fn ids(rig: &Rig, destination: usize, positions: &BTreeSet<u64>) -> Vec<i64> {
    let letters = rig.store.dead_letters(Some(DESTINATIONS[destination].0), None, 1000).await.unwrap();
    letters.iter().filter(|letter| positions.contains(&letter.position)).map(|letter| letter.id).collect()
}

async fn replay(rig: &Rig, model: &mut Model, destination: usize, sent: BTreeSet<u64>, arrives: bool) {
    let mut settlement = settlement(DESTINATIONS[destination].0);
    let ids = ids(rig, destination, &sent).await;
    if arrives {
        settlement.replayed = ids;
        model.end_letters(destination, &sent, End::Delivered);
    } else {
        settlement.replay_failed = ids.into_iter().map(failed).collect();
        model.end_letters(destination, &sent, End::DeadLettered);
    }
    rig.store.settle(settlement).await.unwrap();
}

fn failed(id: i64) -> FailedReplay {
    let text = || "again".to_owned();
    FailedReplay {
        id,
        cause: text(),
        hint: text(),
        attempts: Vec::new(),
        plugin: text(),
        plugin_version: text(),
        plugin_digest: text(),
    }
}

/// All positions that a pipeline would still be given.
async fn read_waiting(rig: &Rig, model: &Model, destination: &str) -> Vec<u64> {
    let mut waiting = Vec::new();
    let mut from = 0;
    while let Some(block) = rig.store.next_block(destination, from).await.unwrap() {
        let events = rig.store.load(block.block).await.unwrap();
        assert_eq!(model.stored.get(&block.first), Some(&*events), "the block at {}", block.first);
        waiting.extend(block.unsettled.into_iter().flatten());
        from = block.first + block.count;
    }
    waiting
}

async fn run(actions: Vec<Action>) {
    let (disk, vfs) = faulty_vfs::register();
    let mut rig = Rig::within(small_folder(), |config| {
        config.keep.age = HOUR * 3;
        config.vfs = Some(vfs);
    });
    start(&rig).await;
    let mut model = Model { next_position: *rig.store.appended().borrow(), ..Model::default() };
    for action in actions {
        match action {
            Action::Append { organization, count } => {
                let events = noise(ORGANIZATIONS[organization], count, 60, model.next_position);
                let positions = rig.append_events(ORGANIZATIONS[organization], events.clone()).await;
                assert_eq!(positions.start, model.next_position);
                model.append(organization, count, events);
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
            Action::RequestReplay { destination, start, length } => {
                let letters = model.letters(destination, start, length);
                let selection = Selection::Ids(ids(&rig, destination, &letters).await);
                rig.store.request_replay(DESTINATIONS[destination].0, selection).await.unwrap();
                model.marked[destination].extend(letters);
            }
            Action::Replay { destination, start, length, arrives } => {
                let letters = model.letters(destination, start, length);
                let sent = letters.intersection(&model.marked[destination]).copied().collect();
                replay(&rig, &mut model, destination, sent, arrives).await;
            }
            Action::Discard { destination, start, length } => {
                let letters = model.letters(destination, start, length);
                let selection = Selection::Ids(ids(&rig, destination, &letters).await);
                rig.store.discard(DESTINATIONS[destination].0, selection).await.unwrap();
                model.end_letters(destination, &letters, End::Discarded);
            }
            Action::Kill => rig = rig.crashed(),
            Action::CutPower { seed } => rig = powerless(rig, disk, seed),
            Action::Reopen => rig = rig.reopened().await,
        }
        check(&rig, &model).await;
    }
}

/// What a power cut leaves: what was synced, and some of what was not.
fn powerless(rig: Rig, disk: &FaultyDisk, seed: u64) -> Rig {
    let snapshot = rig.config.folder.join("destinations.json");
    let mut files = disk.after_power_cut(seed);
    files.retain(|(path, _)| path.starts_with(&rig.config.folder));
    // Not written through SQLite, and synced whenever it is.
    files.extend(std::fs::read(&snapshot).ok().map(|content| (snapshot, content)));
    rig.with_files(files)
}

async fn check(rig: &Rig, model: &Model) {
    for (index, (name, ..)) in DESTINATIONS.into_iter().enumerate() {
        let ledger = Ledger { oldest_waiting_ms: None, ..rig.ledger(name).await };
        assert_eq!(ledger, model.ledger(index), "ledger of {name}");
        assert_eq!(read_waiting(rig, model, name).await, model.waiting(index), "what waits for {name}");
    }
    for (index, (name, ..)) in DESTINATIONS.into_iter().enumerate() {
        let letters = rig.store.dead_letters(Some(name), None, 1000).await.unwrap();
        let positions: BTreeSet<u64> = letters.iter().map(|letter| letter.position).collect();
        assert_eq!(positions, model.letters(index, 0, u64::from(u32::MAX)), "letters of {name}");
        let marked = rig.store.replays(name, 0, 1000).await.unwrap();
        let marked: BTreeSet<u64> = marked.iter().map(|full| full.letter.position).collect();
        assert_eq!(marked, model.marked[index], "marked letters of {name}");
        assert_eq!(rig.store.replays_waiting(name).await.unwrap(), marked.len() as u64);
    }
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
    let letters: (i64, i64, i64) = rig
        .database()
        .query_row(
            "SELECT (SELECT count(*) FROM dead_letters) - ifnull(sum(letters), 0), \
             (SELECT ifnull(sum(bytes), 0) FROM dead_letters) - ifnull(sum(bytes), 0), \
             (SELECT count(*) FROM replays) - ifnull(sum(replays), 0) FROM dead_letter_totals",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(letters, (0, 0, 0), "totals of the dead letters");
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

/// Few enough for every run of the tests, unless the environment asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(96)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn the_store_agrees_with_a_model_that_remembers_every_event(actions in actions()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(actions));
    }
}
