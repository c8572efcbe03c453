//! Every write, sync, truncation and opening of a file fails in turn, once and from then on, with an error of the device
//! and with a full disk; and the power is cut at any moment.
//!
//! What must hold afterwards: all that was acknowledged is there, nothing is there that was never asked for, ledgers
//! add up, and the store opens again.

use crate::faulty_disk::{Fault, FaultyDisk};
use crate::faulty_vfs;
use crate::support::{START_MS, dead_letter, noise, plain, registration, settlement, small_folder};
use siemaphore_model::EventBuffer;
use siemaphore_store::{Appended, BlockId, Clock, FreeSpace, Selection, Settlement, Store, StoreConfig};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

const FOREVER: u64 = u64::MAX / 2;

/// What a caller knows after each step.
#[derive(Debug, Default)]
struct Known {
    /// Stored and acknowledged, by first position.
    stored: BTreeMap<u64, EventBuffer>,
    /// All that was ever asked to be stored.
    asked: Vec<EventBuffer>,
    /// Acknowledged settlements.
    settled: BTreeSet<u64>,
    /// Settlements that were asked for, acknowledged or not.
    maybe_settled: BTreeSet<u64>,
    /// Acknowledged dead letters that nothing else was asked about.
    letters: BTreeSet<u64>,
    opened: bool,
}

fn config(folder: &Path, vfs: &str) -> StoreConfig {
    let mut config = StoreConfig::new(folder);
    (config.disk_reserve_bytes, config.ballast_bytes) = (0, 0);
    config.clock = Clock::new(|| START_MS);
    config.vfs = Some(vfs.to_owned());
    config
}

/// Events for a round, the same in each life: making them takes longer than storing them.
fn prepared(round: usize) -> (EventBuffer, EventBuffer) {
    static PREPARED: OnceLock<Vec<(EventBuffer, EventBuffer)>> = OnceLock::new();
    let prepare = |seed| (noise("acme", 3, 8 << 10, seed), noise("globex", 1, 300, 100 + seed));
    PREPARED.get_or_init(|| (0..4).map(prepare).collect())[round].clone()
}

/// A day in the life of a store. Refusals and failures are noted, and life goes on.
async fn live(config: StoreConfig) -> Known {
    let mut known = Known::default();
    let Ok(store) = Store::open(config) else { return known };
    known.opened = store.open_destination(registration("splunk", "acme")).await.is_ok();
    for round in 0..4 {
        known.append(&store, prepared(round).0).await;
        known.append(&store, prepared(round).1).await;
        let Some((&first, events)) = known.stored.iter().next_back() else { continue };
        let (first, end) = (first.saturating_sub(3), first + events.len() as u64);
        known.settle(&store, first, end - 2).await;
        known.give_up(&store, end - 2).await;
        store.expire().await.ok();
    }
    let first = known.letters.first().copied();
    if let Some(position) = first
        && store.request_replay("splunk", Selection::All).await.is_ok()
    {
        known.replay(&store, position).await;
    }
    store.close().await;
    known
}

impl Known {
    async fn append(&mut self, store: &Store, events: EventBuffer) {
        let organization = events.iter().next().unwrap().organization().to_owned();
        self.asked.push(events.clone());
        if let Ok(Appended::Stored { first, .. }) = store.append(plain(&organization, events.clone())).await {
            self.stored.insert(first, events);
        }
    }

    async fn settle(&mut self, store: &Store, first: u64, end: u64) {
        self.maybe_settled.extend(first..end);
        let settled = Settlement { delivered: vec![first..end], ..settlement("splunk") };
        if store.settle(settled).await.is_ok() && self.opened {
            self.settled.extend(first..end);
        }
    }

    async fn give_up(&mut self, store: &Store, position: u64) {
        self.maybe_settled.insert(position);
        let ours = self.stored.range(..=position).next_back();
        let is_acme = ours.is_some_and(|(first, events)| {
            position < first + events.len() as u64
                && events.iter().all(|event| event.organization() == "acme")
        });
        let letter = Settlement { dead_letters: vec![dead_letter(position)], ..settlement("splunk") };
        if store.settle(letter).await.is_ok() && is_acme && self.opened {
            self.settled.insert(position);
            self.letters.insert(position);
        }
    }

    async fn replay(&mut self, store: &Store, position: u64) {
        let Ok(letters) = store.dead_letters(Some("splunk"), None, 100).await else { return };
        let Some(letter) = letters.iter().find(|letter| letter.position == position) else { return };
        // From here on it may be a letter or a delivery.
        self.letters.remove(&position);
        store.settle(Settlement { replayed: vec![letter.id], ..settlement("splunk") }).await.ok();
    }

    /// Compares a reopened store with what a caller was told.
    async fn check(&self, store: &Store, what: &str) {
        for (first, events) in &self.stored {
            let loaded = store.load(BlockId(*first)).await;
            assert_eq!(
                loaded.as_deref().ok(),
                Some(events),
                "{what}: acknowledged events at {first} are gone"
            );
        }
        for block in store.blocks_since(0, None, 0, 1000).await.unwrap() {
            let events = store.load(block.block).await.unwrap();
            assert!(self.asked.contains(&events), "{what}: nobody asked for the block at {}", block.first);
        }
        if !self.opened {
            return;
        }
        let ledger = store.ledger("splunk").await.unwrap();
        assert_eq!(ledger.difference(), 0, "{what}: {ledger:?}");
        let waiting = waiting(store).await;
        assert_eq!(ledger.waiting, waiting.len() as u64, "{what}");
        for (first, events) in &self.stored {
            let acme = events.iter().all(|event| event.organization() == "acme");
            for position in (*first..first + events.len() as u64).filter(|_| acme) {
                let waits = waiting.contains(&position);
                assert!(
                    waits || self.maybe_settled.contains(&position),
                    "{what}: {position} is settled by nobody"
                );
                assert!(
                    !(waits && self.settled.contains(&position)),
                    "{what}: {position} is not settled any more"
                );
            }
        }
        let letters = store.dead_letters(Some("splunk"), None, 100).await.unwrap();
        let positions: BTreeSet<u64> = letters.iter().map(|letter| letter.position).collect();
        assert!(
            self.letters.is_subset(&positions),
            "{what}: {:?} are not all in {positions:?}",
            self.letters
        );
    }
}

async fn waiting(store: &Store) -> BTreeSet<u64> {
    let mut waiting = BTreeSet::new();
    let mut from = 0;
    while let Some(block) = store.next_block("splunk", from).await.unwrap() {
        waiting.extend(block.unsettled.into_iter().flatten());
        from = block.first + block.count;
    }
    waiting
}

/// The folder as a power cut at this moment leaves it.
fn power_cut(disk: &FaultyDisk, folder: &Path, seed: u64) -> TempDir {
    let left = small_folder();
    for (path, content) in disk.after_power_cut(seed) {
        std::fs::write(left.path().join(path.file_name().unwrap()), content).unwrap();
    }
    // Not through SQLite, and synced by itself.
    if folder.join("destinations.json").exists() {
        std::fs::copy(folder.join("destinations.json"), left.path().join("destinations.json")).unwrap();
    }
    left
}

fn plain_config(folder: &Path) -> StoreConfig {
    StoreConfig { vfs: None, ..config(folder, "") }
}

async fn count_calls() -> u64 {
    let folder = small_folder();
    let (disk, vfs) = faulty_vfs::register();
    let known = live(config(folder.path(), &vfs)).await;
    assert!(known.opened && known.stored.len() == 8 && known.settled.len() > 8, "{known:?}");
    disk.calls()
}

#[tokio::test]
async fn any_call_to_the_disk_may_fail() {
    every_call_fails_with(Fault::Broken).await;
}

#[tokio::test]
async fn any_call_may_find_the_disk_full() {
    every_call_fails_with(Fault::Full).await;
}

/// Each call in turn, alone and with all that follow.
async fn every_call_fails_with(fault: Fault) {
    let calls = count_calls().await;
    assert!(calls > 100, "{calls} calls are too few to mean anything");
    let mut failures = 0;
    for number in 0..calls {
        for more in [0, FOREVER] {
            let folder = small_folder();
            let (disk, vfs) = faulty_vfs::register();
            disk.fail(number, more, fault);
            let known = live(config(folder.path(), &vfs)).await;
            failures += u64::from(known.stored.len() < 8);
            let what = format!("call {number} of {calls}, {fault:?}, and {more} more");
            let left = power_cut(disk, folder.path(), number);
            disk.heal();
            let store = Store::open(config(folder.path(), &vfs)).unwrap();
            known.check(&store, &what).await;
            drop(store);
            let store = Store::open(plain_config(left.path())).unwrap();
            known.check(&store, &format!("{what}, then a power cut")).await;
        }
    }
    assert!(failures > calls / 4, "only {failures} failures were felt");
}

#[tokio::test]
async fn the_power_may_fail_at_any_call() {
    let calls = count_calls().await;
    for number in 0..calls {
        let folder = small_folder();
        let (disk, vfs) = faulty_vfs::register();
        // What comes after the cut does not reach the disk.
        disk.fail(number, FOREVER, Fault::Broken);
        let known = live(config(folder.path(), &vfs)).await;
        for seed in [number.wrapping_mul(0x9e37_79b9), !number] {
            let left = power_cut(disk, folder.path(), seed);
            let store = Store::open(plain_config(left.path())).unwrap();
            known.check(&store, &format!("power cut at call {number} of {calls}, seed {seed}")).await;
        }
    }
}

#[tokio::test]
async fn a_disk_that_is_full_for_a_while_stops_nothing_for_good() {
    let folder = small_folder();
    let (disk, vfs) = faulty_vfs::register();
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let probe = Arc::clone(&free);
    let mut config = config(folder.path(), &vfs);
    config.free_space = FreeSpace::new(move |_| Ok(probe.load(Ordering::Relaxed)));
    let store = Store::open(config).unwrap();
    let mut known = Known { opened: true, ..Known::default() };
    store.open_destination(registration("splunk", "acme")).await.unwrap();
    known.append(&store, noise("acme", 3, 20 << 10, 1)).await;
    disk.fail(0, FOREVER, Fault::Full);
    known.append(&store, noise("acme", 3, 20 << 10, 2)).await;
    known.settle(&store, 1, 2).await;
    assert_eq!((known.stored.len(), known.settled.len()), (1, 0));
    disk.heal();
    known.append(&store, noise("acme", 3, 20 << 10, 3)).await;
    known.settle(&store, 1, 3).await;
    assert_eq!((known.stored.len(), known.settled.len()), (2, 2));
    known.check(&store, "after the disk was full").await;
}
