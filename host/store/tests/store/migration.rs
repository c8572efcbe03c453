//! Files of older formats, as their versions of the host wrote them (kept under `tests/fixtures`).

use crate::faulty_disk::{Fault, FaultyDisk};
use crate::faulty_vfs;
use crate::support::{START_MS, dead_letter, settlement, small_folder};
use siemaphore_store::{Clock, Ledger, Selection, Settlement, Store, StoreConfig, StoreError};
use std::path::Path;
use tempfile::TempDir;

const FORMAT_1: &[u8] = include_bytes!("../fixtures/format-1/store.db.zst");

fn unpack(folder: &Path) -> StoreConfig {
    let mut config = StoreConfig::new(folder);
    config.ballast_bytes = 0;
    config.disk_reserve_bytes = 0;
    config.clock = Clock::new(|| START_MS + 120_000);
    std::fs::write(folder.join("store.db"), zstd::decode_all(FORMAT_1).unwrap()).unwrap();
    config
}

fn version(folder: &Path) -> i64 {
    let database = rusqlite::Connection::open(folder.join("store.db")).unwrap();
    database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// Tables, indexes and triggers with their columns, whatever way they came about.
fn shape(folder: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(folder.join("store.db")).unwrap();
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut shape = texts(
        "SELECT type || ' ' || name || ' ' || iif(type = 'table', '', ifnull(sql, '')) FROM sqlite_schema",
    );
    shape.extend(texts(
        "SELECT schema.name || '.' || field.name || ' ' || field.type || ' ' || field.\"notnull\" || ' ' || \
         ifnull(field.dflt_value, '-') || ' ' || field.pk || ' at ' || field.cid \
         FROM sqlite_schema AS schema JOIN pragma_table_info(schema.name) AS field WHERE schema.type = 'table'",
    ));
    shape.sort();
    shape
}

#[tokio::test]
async fn a_store_of_format_1_opens_with_all_that_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let config = unpack(folder.path());
    assert_eq!(version(folder.path()), 1);
    let store = Store::open(config).unwrap();
    assert_eq!(version(folder.path()), 2);
    let expected = [
        (
            "splunk",
            Ledger {
                accepted: 14,
                delivered: 3,
                filtered: 2,
                dead_lettered: 2,
                waiting: 7,
                duplicates: 3,
                ..Ledger::default()
            },
        ),
        ("sentinel", Ledger { accepted: 14, delivered: 12, waiting: 2, ..Ledger::default() }),
        ("datadog", Ledger { accepted: 8, dead_lettered: 1, damaged: 3, waiting: 4, ..Ledger::default() }),
        ("retired", Ledger { accepted: 8, delivered: 2, damaged: 3, waiting: 3, ..Ledger::default() }),
    ];
    for (destination, expected) in expected {
        let ledger = Ledger { oldest_waiting_ms: None, ..store.ledger(destination).await.unwrap() };
        assert_eq!((ledger, ledger.difference()), (expected, 0), "{destination}");
    }
    assert_eq!(*store.appended().borrow(), 23);
    let block = store.next_block("splunk", 0).await.unwrap().unwrap();
    assert_eq!(block.unsettled, [7..9, 10..13]);
    assert_eq!(store.load(block.block).await.unwrap().len(), 12);
    assert_eq!(store.granted("splunk").await.unwrap().unwrap().profile, r#"{"method":"POST"}"#);
    let repeated = store.repeated("gateway", "k1", &[7; 32]).await.unwrap();
    assert_eq!(repeated.as_deref(), Some(r#"{"accepted":2}"#));
    let damaged = store.damaged_blocks().await.unwrap();
    assert_eq!((damaged[0].first, damaged[0].count, damaged[0].organization.as_str()), (20, 3, "globex"));
    assert_eq!((damaged.len(), damaged[0].bytes), (1, 1));
}

#[tokio::test]
async fn dead_letters_of_format_1_can_be_replayed_and_count_towards_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(unpack(folder.path())).unwrap();
    let letters = store.dead_letters(Some("splunk"), None, 10).await.unwrap();
    assert_eq!((letters.len(), letters[0].attempts, letters[0].updated_ms), (2, 1, letters[0].created_ms));
    assert!(letters.iter().all(|letter| letter.bytes > 512 && !letter.replay_requested), "{letters:?}");
    assert_eq!(store.status().await.unwrap().dead_letters, 3);
    assert_eq!(store.request_replay("splunk", Selection::All).await.unwrap(), 2);
    let arrived = Settlement { replayed: vec![letters[0].id], ..settlement("splunk") };
    store.settle(arrived).await.unwrap();
    let another = Settlement { dead_letters: vec![dead_letter(7)], ..settlement("splunk") };
    store.settle(another).await.unwrap();
    let ledger = store.ledger("splunk").await.unwrap();
    assert_eq!((ledger.delivered, ledger.dead_lettered, ledger.difference()), (4, 2, 0));
}

#[tokio::test]
async fn a_migrated_file_has_the_shape_of_a_new_one() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(Store::open(unpack(old.path())).unwrap());
    drop(Store::open(StoreConfig { ballast_bytes: 0, ..StoreConfig::new(new.path()) }).unwrap());
    assert_eq!(shape(old.path()), shape(new.path()));
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_old_format_whole() {
    let folder = tempfile::tempdir().unwrap();
    let config = unpack(folder.path());
    let database = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    // The last statements of the step trip over this one.
    database.execute_batch("CREATE TABLE dead_letter_totals (destination TEXT)").unwrap();
    drop(database);
    assert!(Store::open(config.clone()).is_err());
    assert_eq!(version(folder.path()), 1);
    let database = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    let columns =
        "SELECT count(*) FROM pragma_table_info('dead_letters') WHERE name IN ('bytes', 'updated_ms')";
    let added: i64 = database.query_row(columns, [], |row| row.get(0)).unwrap();
    assert_eq!(added, 0);
    database.execute_batch("DROP TABLE dead_letter_totals").unwrap();
    drop(database);
    assert_eq!(Store::open(config).unwrap().ledger("splunk").await.unwrap().waiting, 7);
}

/// What a power cut leaves of a migration that got as far as this call to the disk.
fn cut_off(number: u64, disk: &FaultyDisk, vfs: &str) -> TempDir {
    let (folder, left) = (small_folder(), small_folder());
    let config = StoreConfig { vfs: Some(vfs.to_owned()), ..unpack(folder.path()) };
    disk.fail(disk.calls() + number, u64::MAX / 2, Fault::Broken);
    drop(Store::open(config));
    for (path, content) in disk.after_power_cut(number) {
        if path.starts_with(folder.path()) {
            std::fs::write(left.path().join(path.file_name().unwrap()), content).unwrap();
        }
    }
    left
}

#[tokio::test]
async fn the_power_may_fail_at_any_moment_of_a_migration() {
    let (disk, vfs) = faulty_vfs::register();
    for number in 0..40 {
        let left = cut_off(number, disk, &vfs);
        // The first call opens the file: without it nothing has been seen of it.
        if !left.path().join("store.db").exists() {
            continue;
        }
        let mut config = StoreConfig::new(left.path());
        (config.ballast_bytes, config.disk_reserve_bytes) = (0, 0);
        config.clock = Clock::new(|| START_MS + 120_000);
        let store = Store::open(config).unwrap();
        assert_eq!(version(left.path()), 2);
        for destination in ["splunk", "sentinel", "datadog", "retired"] {
            let ledger = store.ledger(destination).await.unwrap();
            assert_eq!((ledger.difference(), ledger.accepted > 0), (0, true), "call {number}: {destination}");
        }
        assert_eq!(store.ledger("splunk").await.unwrap().waiting, 7, "call {number}");
        assert_eq!(store.dead_letters(None, None, 10).await.unwrap().len(), 3, "call {number}");
    }
}

#[tokio::test]
async fn a_newer_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = unpack(folder.path());
    let path = folder.path().join("store.db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 3).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(config).err().unwrap();
    assert!(matches!(error, StoreError::FormatVersion { found: 3, supported: 2, .. }), "{error}");
    let message = error.to_string();
    for part in ["version 3", "2", "newer version of the host", "store.db"] {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// A reader of damaged files tells `organizations` by its root page, since an index has rows of the same shape.
#[tokio::test]
async fn the_roots_of_the_oldest_tables_lie_where_a_recovery_expects_them() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(Store::open(unpack(old.path())).unwrap());
    drop(Store::open(StoreConfig { ballast_bytes: 0, ..StoreConfig::new(new.path()) }).unwrap());
    for folder in [old, new] {
        let database = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'organizations'";
        let root: i64 = database.query_row(root, [], |row| row.get(0)).unwrap();
        assert_eq!(root, 4);
    }
}

#[tokio::test]
async fn a_damaged_file_of_format_1_is_rebuilt_in_the_newest_format() {
    let folder = tempfile::tempdir().unwrap();
    let config = unpack(folder.path());
    let path = folder.path().join("store.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..100].fill(0);
    std::fs::write(&path, bytes).unwrap();
    let store = Store::open(config).unwrap();
    assert_eq!(version(folder.path()), 2);
    let splunk = store.ledger("splunk").await.unwrap();
    assert_eq!((splunk.accepted, splunk.delivered, splunk.dead_lettered, splunk.waiting), (14, 3, 2, 7));
    let retired = store.ledger("retired").await.unwrap();
    assert_eq!((retired.accepted, retired.delivered, retired.damaged, retired.waiting), (8, 2, 3, 3));
    assert_eq!((splunk.difference(), retired.difference()), (0, 0));
    let letters = store.dead_letters(Some("splunk"), None, 10).await.unwrap();
    assert!(letters.iter().all(|letter| letter.bytes > 512 && letter.updated_ms > 0), "{letters:?}");
    assert_eq!(store.granted("splunk").await.unwrap().unwrap().plugin_digest, "abc");
    assert_eq!(*store.appended().borrow(), 23);
}
