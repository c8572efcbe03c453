//! Files that a disk, or somebody, has damaged: every page in turn, cut short, emptied, while nobody looked and while
//! the host ran.

use crate::support::{START_MS, dead_letter, events, noise, plain, registration, settlement, small_folder};
use siemaphore_model::EventBuffer;
use siemaphore_store::{
    Append, AppendError, Appended, Clock, FreeSpace, Grant, Idempotency, LoadError, Selection, Settlement,
    Store, StoreConfig, StoreError,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const PAGE: usize = 16 << 10;
/// The last one is opened when half of the events are there.
const DESTINATIONS: [(&str, &str); 4] =
    [("splunk", "acme"), ("sentinel", "acme"), ("datadog", "globex"), ("archive", "acme")];
/// How many blocks lie on one page at most, in the store that is damaged here.
const BLOCKS_ON_A_PAGE: usize = 3;

/// A closed store with something in each table, and what was put in.
struct Original {
    folder: TempDir,
    blocks: BTreeMap<u64, EventBuffer>,
    next_position: u64,
}

fn config(folder: &Path) -> StoreConfig {
    let mut config = StoreConfig::new(folder);
    config.clock = Clock::new(|| START_MS);
    (config.disk_reserve_bytes, config.ballast_bytes) = (0, 0);
    config
}

async fn append(store: &Store, append: Append) -> Result<u64, AppendError> {
    match store.append(append).await? {
        Appended::Stored { first, .. } => Ok(first),
        repeated => panic!("not stored: {repeated:?}"),
    }
}

async fn fill(store: &Store) -> BTreeMap<u64, EventBuffer> {
    let open = async |(destination, organization)| {
        store.open_destination(registration(destination, organization)).await.unwrap();
    };
    for destination in &DESTINATIONS[..3] {
        open(*destination).await;
    }
    let mut blocks = BTreeMap::new();
    for seed in 0..24 {
        if seed == 12 {
            open(DESTINATIONS[3]).await;
        }
        let organization = if seed % 3 == 0 { "globex" } else { "acme" };
        // Some fit on a page together, some need pages of their own.
        let bytes = if seed % 4 == 0 { 40 << 10 } else { 4 << 10 };
        let events = noise(organization, 2, bytes, seed);
        let first = append(store, plain(organization, events.clone())).await.unwrap();
        blocks.insert(first, events);
    }
    let idempotency = Idempotency {
        source: "gateway".to_owned(),
        key: "key".to_owned(),
        digest: [1; 32],
        answer: "stored".to_owned(),
    };
    let keyed = Append { idempotency: Some(idempotency), ..plain("acme", events("acme", 1)) };
    blocks.insert(append(store, keyed).await.unwrap(), events("acme", 1));
    let settled = Settlement {
        delivered: vec![1..9],
        dead_letters: (9..12).map(dead_letter).collect(),
        ..settlement("splunk")
    };
    store.settle(settled).await.unwrap();
    store.settle(Settlement { filtered: vec![20..30], ..settlement("datadog") }).await.unwrap();
    store.request_replay("splunk", Selection::All).await.unwrap();
    let grant = Grant { plugin_digest: "abc".to_owned(), profile: "{}".to_owned() };
    store.grant("splunk", grant).await.unwrap();
    blocks
}

impl Original {
    async fn new() -> Original {
        let folder = small_folder();
        let store = Store::open(config(folder.path())).unwrap();
        let blocks = fill(&store).await;
        let next_position = *store.appended().borrow();
        store.close().await;
        Original { folder, blocks, next_position }
    }

    fn pages(&self) -> usize {
        std::fs::metadata(self.folder.path().join("store.db")).unwrap().len() as usize / PAGE
    }

    /// A copy of the folder whose database is changed.
    fn damaged(&self, damage: impl FnOnce(&mut Vec<u8>)) -> TempDir {
        let copy = small_folder();
        for file in ["store.db", "destinations.json"] {
            std::fs::copy(self.folder.path().join(file), copy.path().join(file)).unwrap();
        }
        change(&copy.path().join("store.db"), damage);
        copy
    }
}

fn change(path: &Path, damage: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    damage(&mut bytes);
    // Over the same file: another host would have it open.
    let mut file = std::fs::File::options().write(true).truncate(false).open(path).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    std::io::Write::write_all(&mut file, &bytes).unwrap();
}

/// Reads all that waits for a destination as a pipeline does, and delivers it. Gives what was read.
async fn drain(store: &Store, destination: &str) -> BTreeMap<u64, EventBuffer> {
    let mut read = BTreeMap::new();
    let mut failures = 0;
    loop {
        let step = async {
            let Some(block) = store.next_block(destination, 0).await.map_err(|error| error.to_string())?
            else {
                return Ok(false);
            };
            match store.load(block.block).await {
                Ok(events) => {
                    read.insert(block.first, EventBuffer::clone(&events));
                    let delivered = block.unsettled;
                    let settled = Settlement { delivered, ..settlement(destination) };
                    store.settle(settled).await.map_err(|error| error.to_string())?;
                }
                Err(LoadError::Damaged { .. }) => {
                    store.drop_damaged(block.block).await.map_err(|error| error.to_string())?;
                }
                Err(LoadError::Gone(_)) => {}
                Err(error) => return Err(error.to_string()),
            }
            Ok::<bool, String>(true)
        };
        match step.await {
            Ok(true) => {}
            Ok(false) => return read,
            Err(error) => {
                failures += 1;
                assert!(failures < 4, "{destination} does not recover: {error}");
            }
        }
    }
}

/// What a second try gives: the first may meet the damage, and has the file rebuilt.
async fn again<T, E: std::fmt::Debug>(read: impl AsyncFn() -> Result<T, E>) -> T {
    match read().await {
        Ok(found) => found,
        Err(_) => read().await.unwrap(),
    }
}

/// All that a host needs from a store, whatever happened to its file.
async fn check(store: &Store, original: &Original, what: &str) {
    let mut found: BTreeMap<u64, EventBuffer> = BTreeMap::new();
    for (destination, organization) in DESTINATIONS {
        store.open_destination(registration(destination, organization)).await.unwrap();
        found.extend(drain(store, destination).await);
    }
    for (first, events) in &found {
        assert_eq!(original.blocks.get(first), Some(events), "{what}: the block at {first} is another one");
    }
    // Both organisations have a destination that had settled little, so all sound blocks were read above.
    let kept = again(async || store.blocks_since(0, None, 0, 1000).await).await;
    let mut readable = 0;
    for block in kept {
        let mut loaded = store.load(block.block).await;
        if matches!(loaded, Err(LoadError::Storage(_))) {
            loaded = store.load(block.block).await;
        }
        match loaded {
            Ok(events) => {
                assert_eq!(
                    original.blocks.get(&block.first),
                    Some(&*events),
                    "{what}: block {}",
                    block.first
                );
                readable += 1;
            }
            Err(LoadError::Gone(_) | LoadError::Damaged { .. }) => {}
            Err(error) => panic!("{what}: block {}: {error}", block.first),
        }
    }
    let lost = original.blocks.len() - readable;
    assert!(lost <= BLOCKS_ON_A_PAGE, "{what}: {lost} blocks are lost to one damaged page");
    assert!(again(async || store.dead_letters(None, None, 10).await).await.len() <= 3, "{what}");
    check_that_it_works(store, original, what).await;
}

/// Ledgers add up, positions go on, intake and settling too.
async fn check_that_it_works(store: &Store, original: &Original, what: &str) {
    let first = append(store, plain("acme", events("acme", 2))).await.unwrap();
    assert!(first >= original.next_position, "{what}: position {first} was given out before");
    store.settle(Settlement { delivered: vec![first..first + 1], ..settlement("splunk") }).await.unwrap();
    for (destination, _) in DESTINATIONS {
        let ledger = again(async || store.ledger(destination).await).await;
        assert_eq!(ledger.difference(), 0, "{what}: ledger of {destination}: {ledger:?}");
    }
    assert_eq!(store.ledger("splunk").await.unwrap().waiting, 1, "{what}");
}

fn set_aside(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.display().to_string().contains("store.db.damaged-")).collect()
}

#[tokio::test]
async fn each_page_in_turn_may_be_overwritten() {
    let original = Original::new().await;
    for page in 0..original.pages() {
        let copy = original.damaged(|bytes| bytes[page * PAGE..(page + 1) * PAGE].fill(0xa5));
        let store = Store::open(config(copy.path())).unwrap();
        check(&store, &original, &format!("page {} overwritten", page + 1)).await;
    }
}

#[tokio::test]
async fn single_bytes_may_flip_anywhere() {
    let original = Original::new().await;
    let mut state: usize = 7;
    for page in 0..original.pages() {
        // Once where the page's own structure is, once anywhere.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let header = if page == 0 { 100 } else { 0 };
        let places = [header, header + 3 + state % 5, state / 7 % PAGE];
        let copy = original.damaged(|bytes| {
            places.iter().for_each(|place| bytes[page * PAGE + place] ^= 0x41);
        });
        // A format version of the future is refused, and rightly so.
        if page == 0 && places.iter().any(|place| (60..64).contains(place)) {
            continue;
        }
        let store = Store::open(config(copy.path())).unwrap();
        check(&store, &original, &format!("page {} with flips at {places:?}", page + 1)).await;
    }
}

/// A number that was changed in a row that is still a row: no checksum covers it, so a counter may be wrong
/// afterwards. But the store opens, and gives out no event that it was not given.
#[tokio::test]
async fn a_flip_in_a_row_keeps_no_store_from_opening() {
    let original = Original::new().await;
    for page in 0..original.pages() {
        // The small tables lie at the beginning; what follows is data under checksums.
        let places: &[usize] = if page < 16 { &[1, 3, 6, 10, 15, 23, 37, 58, 90, 140] } else { &[3] };
        for from_end in places {
            let copy = original.damaged(|bytes| bytes[(page + 1) * PAGE - from_end] ^= 0xc0);
            let store = Store::open(config(copy.path())).unwrap();
            for (destination, organization) in DESTINATIONS {
                // The organisation's name may be what was changed.
                if store.open_destination(registration(destination, organization)).await.is_ok() {
                    let found = drain(&store, destination).await;
                    let what = format!("page {}, {from_end} bytes before its end", page + 1);
                    let ours = |(first, events)| original.blocks.get(first) == Some(events);
                    assert!(found.iter().all(ours), "{what}: {destination}");
                }
            }
            append(&store, plain("acme", events("acme", 2))).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_page_may_be_damaged_while_the_host_runs() {
    let original = Original::new().await;
    for page in 2..original.pages() {
        let copy = original.damaged(|_| {});
        let store = Store::open(config(copy.path())).unwrap();
        change(&copy.path().join("store.db"), |bytes| bytes[page * PAGE..(page + 1) * PAGE].fill(0xa5));
        check(&store, &original, &format!("page {} overwritten while open", page + 1)).await;
    }
}

#[tokio::test]
async fn a_file_may_be_cut_anywhere() {
    let original = Original::new().await;
    let size = original.pages() * PAGE;
    for length in [0, 1, 99, 512, PAGE, PAGE + 1, 5 * PAGE, size / 2, size - PAGE, size - 1] {
        let copy = original.damaged(|bytes| bytes.truncate(length));
        let store = Store::open(config(copy.path())).unwrap();
        let what = format!("cut to {length} bytes of {size}");
        let mut found = BTreeMap::new();
        for (destination, organization) in DESTINATIONS {
            store.open_destination(registration(destination, organization)).await.unwrap();
            found.extend(drain(&store, destination).await);
        }
        assert!(found.iter().all(|(first, events)| original.blocks.get(first) == Some(events)), "{what}");
        check_that_it_works(&store, &original, &what).await;
    }
}

#[tokio::test]
async fn a_file_that_is_gone_leaves_its_destinations_and_their_counters() {
    let original = Original::new().await;
    let copy = original.damaged(|_| {});
    std::fs::remove_file(copy.path().join("store.db")).unwrap();
    let store = Store::open(config(copy.path())).unwrap();
    let ledger = store.ledger("splunk").await.unwrap();
    assert_eq!((ledger.delivered, ledger.dead_lettered, ledger.waiting, ledger.difference()), (4, 0, 0, 0));
    assert_eq!(ledger.damaged, ledger.accepted - 4, "{ledger:?}");
    check_that_it_works(&store, &original, "gone").await;
}

#[tokio::test]
async fn the_write_ahead_log_may_be_damaged() {
    let live = small_folder();
    let store = Store::open(config(live.path())).unwrap();
    let blocks = fill(&store).await;
    let next_position = *store.appended().borrow();
    let mut original = Original { folder: live, blocks, next_position };
    let journal = std::fs::read(original.folder.path().join("store.db-wal")).unwrap();
    let frame = PAGE + 24;
    for place in [0, 9, 25, 32, 60, journal.len() / 2, journal.len() - frame, journal.len() - 1] {
        for cut in [false, true] {
            let copy = original.damaged(|_| {});
            let mut bytes = journal.clone();
            bytes[place] ^= 0x10;
            if cut {
                bytes.truncate(place);
            }
            std::fs::write(copy.path().join("store.db-wal"), &bytes).unwrap();
            let store = Store::open(config(copy.path())).unwrap();
            let what = format!("journal damaged at {place}, cut: {cut}");
            // A journal that ends early looks like one that a crash has cut off, and so does damage to its last commits.
            let is_noticed = !cut && place < bytes.len() / 2 + frame;
            original.next_position = if is_noticed { next_position } else { 0 };
            for (destination, organization) in DESTINATIONS {
                store.open_destination(registration(destination, organization)).await.unwrap();
                let found = drain(&store, destination).await;
                assert!(
                    found.iter().all(|(first, events)| original.blocks.get(first) == Some(events)),
                    "{what}"
                );
            }
            check_that_it_works(&store, &original, &what).await;
        }
    }
}

#[tokio::test]
async fn the_damaged_file_is_set_aside_with_its_log_and_what_was_lost_is_listed() {
    let original = Original::new().await;
    let copy = original.damaged(|bytes| bytes[..16].fill(0));
    let path = copy.path().join("store.db");
    let before = std::fs::read(&path).unwrap();
    let store = Store::open(config(copy.path())).unwrap();
    let aside = set_aside(copy.path());
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(std::fs::read(&aside[0]).unwrap(), before);
    // Nothing but the header was damaged.
    assert_eq!(store.damaged_blocks().await.unwrap(), []);
    assert_eq!(store.blocks_since(0, None, 0, 100).await.unwrap().len(), original.blocks.len());
    let letters = store.dead_letters(Some("splunk"), None, 10).await.unwrap();
    assert!(letters.len() == 3 && letters.iter().all(|letter| letter.replay_requested), "{letters:?}");
    assert_eq!(store.replays_waiting("splunk").await.unwrap(), 3);
    assert_eq!(store.granted("splunk").await.unwrap().unwrap().plugin_digest, "abc");
    assert_eq!(store.repeated("gateway", "key", &[1; 32]).await.unwrap().as_deref(), Some("stored"));
    assert_eq!(store.ledger("splunk").await.unwrap().damaged, 0);
}

#[tokio::test]
async fn a_recovery_that_was_cut_off_is_finished_or_started_over() {
    let original = Original::new().await;
    let copy = original.damaged(|bytes| bytes[..16].fill(0));
    std::fs::write(copy.path().join("store.db.partial"), "half of it").unwrap();
    Store::open(config(copy.path())).unwrap().close().await;
    assert!(!copy.path().join("store.db.partial").exists());
    // As if the power had failed before the recovered file was moved into place.
    let aside = set_aside(copy.path()).remove(0);
    std::fs::rename(copy.path().join("store.db"), copy.path().join("store.db.recovered")).unwrap();
    std::fs::rename(aside, copy.path().join("store.db")).unwrap();
    std::fs::write(copy.path().join("store.db-wal"), "of the damaged file").unwrap();
    let store = Store::open(config(copy.path())).unwrap();
    assert!(!copy.path().join("store.db.recovered").exists());
    check(&store, &original, "moved into place at the next start").await;
}

#[tokio::test]
async fn damaged_files_do_not_fill_the_disk() {
    let original = Original::new().await;
    let copy = original.damaged(|_| {});
    for number in 0..10 {
        change(&copy.path().join("store.db"), |bytes| bytes[..16].fill(0));
        let mut config = config(copy.path());
        config.clock = Clock::new(move || START_MS + number);
        Store::open(config).unwrap().close().await;
    }
    let aside = set_aside(copy.path());
    assert_eq!(aside.len(), 8, "{aside:?}");
    assert!(
        !aside.iter().any(|path| path.display().to_string().ends_with(&START_MS.to_string())),
        "{aside:?}"
    );
}

#[tokio::test]
async fn what_only_the_write_ahead_log_holds_is_recovered_too() {
    let live = small_folder();
    let store = Store::open(config(live.path())).unwrap();
    let blocks = fill(&store).await;
    let next_position = *store.appended().borrow();
    let original = Original { folder: live, blocks, next_position };
    let copy = original.damaged(Vec::clear);
    std::fs::copy(original.folder.path().join("store.db-wal"), copy.path().join("store.db-wal")).unwrap();
    let recovered = Store::open(config(copy.path())).unwrap();
    assert_eq!(recovered.blocks_since(0, None, 0, 100).await.unwrap().len(), original.blocks.len());
    assert_eq!(recovered.ledger("splunk").await.unwrap(), store.ledger("splunk").await.unwrap());
    check(&recovered, &original, "rebuilt from the log alone").await;
}

#[tokio::test]
async fn a_disk_that_damages_each_new_file_is_not_fought_for_ever() {
    let original = Original::new().await;
    let copy = original.damaged(|_| {});
    let store = Store::open(config(copy.path())).unwrap();
    for _ in 0..10 {
        // After a commit readers no longer trust what they have in memory.
        append(&store, plain("globex", events("globex", 1))).await.ok();
        change(&copy.path().join("store.db"), |bytes| bytes[PAGE..].fill(0xa5));
        store.ledger("splunk").await.ok();
    }
    let rebuilt =
        set_aside(copy.path()).iter().filter(|path| !path.to_string_lossy().ends_with("-wal")).count();
    assert_eq!(rebuilt, 3);
    store.close().await;
    let store = Store::open(config(copy.path())).unwrap();
    drain(&store, "splunk").await;
    check_that_it_works(&store, &original, "after the disk was exchanged").await;
}

#[tokio::test]
async fn a_damaged_file_is_left_alone_while_there_is_no_room_for_a_new_one() {
    let original = Original::new().await;
    let copy = original.damaged(|bytes| bytes[..16].fill(0));
    let path = copy.path().join("store.db");
    let before = std::fs::read(&path).unwrap();
    let mut full = config(copy.path());
    full.free_space = FreeSpace::new(|_| Ok(1000));
    let refused = Store::open(full).err().unwrap();
    assert!(matches!(refused, StoreError::NoRoom { free_bytes: 1000, .. }), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    check(&Store::open(config(copy.path())).unwrap(), &original, "when there was room").await;
}
