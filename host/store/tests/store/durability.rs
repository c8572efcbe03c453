use crate::support::{Rig, events, mode, noise, plain, settlement};
use siemaphore_model::Severity;
use siemaphore_store::{AppendError, EventTypes, Store, StoreConfig, StoreError};

#[tokio::test]
async fn acknowledged_events_survive_a_crash() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let stored = events("acme", 10);
    let positions = rig.append_events("acme", stored.clone()).await;
    rig.deliver("splunk", positions.start..positions.start + 4).await;

    let rig = rig.crashed();
    let block = rig.next("splunk").await.unwrap();
    assert_eq!(block.unsettled, [positions.start + 4..positions.end]);
    assert_eq!(*rig.store.load(block.block).await.unwrap(), stored);
    assert_eq!(rig.ledger("splunk").await.delivered, 4);
}

#[tokio::test]
async fn dropping_the_store_finishes_what_is_queued_and_releases_it() {
    let rig = Rig::new();
    let positions = rig.append("acme", 3).await;
    let config = rig.config.clone();
    drop(rig.store.clone());
    let rig = rig.reopened().await;
    let status = rig.store.status().await.unwrap();
    assert_eq!((status.blocks, status.events), (1, positions.end - positions.start));
    drop(rig.store);
    Store::open(config).unwrap();
}

#[tokio::test]
async fn positions_go_on_after_a_restart_even_when_all_blocks_are_gone() {
    let rig = Rig::with(|config| config.keep.bytes = 0);
    let first = rig.append("acme", 5).await;
    rig.expire_all().await;
    assert_eq!(rig.blocks().await, 0);
    let rig = rig.reopened().await;
    assert_eq!(*rig.store.appended().borrow(), first.end);
    assert_eq!(rig.append("acme", 1).await.start, first.end);
}

#[tokio::test]
async fn concurrent_appends_share_commits_and_blocks() {
    let rig = Rig::new();
    let before = rig.store.status().await.unwrap().commits;
    let appends: Vec<_> = (0..200)
        .map(|_| {
            let store = rig.store.clone();
            tokio::spawn(async move { store.append(plain("acme", events("acme", 1))).await.unwrap() })
        })
        .collect();
    for append in appends {
        append.await.unwrap();
    }
    let status = rig.store.status().await.unwrap();
    assert_eq!(status.events, 200);
    assert!(status.commits - before < 100, "{} commits for 200 appends", status.commits - before);
    assert!(status.blocks < 100, "{} blocks for 200 appends", status.blocks);
}

#[tokio::test]
async fn a_large_append_is_cut_into_blocks_that_follow_each_other() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let stored = noise("acme", 50, 100 << 10, 1);
    let positions = rig.append_events("acme", stored.clone()).await;
    let mut read = siemaphore_model::EventBuffer::new();
    let mut from = 0;
    let mut blocks = 0;
    while let Some(block) = rig.store.next_block("splunk", from).await.unwrap() {
        let events = rig.store.load(block.block).await.unwrap();
        assert!(events.as_bytes().len() <= 1 << 20);
        assert_eq!((events.len() as u64, block.first), (block.count, positions.start + read.len() as u64));
        read.append(&events);
        from = block.first + block.count;
        blocks += 1;
    }
    assert_eq!(read, stored);
    assert_eq!(blocks, 5);
}

#[tokio::test]
async fn a_block_says_what_it_holds() {
    use crate::support::{buffer, encode};
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let types = ["dlp.blocked", "auth.failed", "dlp.blocked"];
    let severities = [Severity::Low, Severity::Critical, Severity::Medium];
    let encoded = types.iter().zip(severities).map(|(kind, severity)| encode(kind, severity, "acme", "{}"));
    rig.append_events("acme", buffer(encoded)).await;
    let block = rig.next("splunk").await.unwrap();
    assert_eq!(block.highest_severity, Severity::Critical);
    assert_eq!(
        block.event_types,
        EventTypes::Listed(vec![("dlp.blocked".to_owned(), 2), ("auth.failed".to_owned(), 1)])
    );
    assert!(!block.event_types.may_match(|event_type| event_type == "other"));
    rig.deliver("splunk", block.first..block.first + block.count).await;

    let many = (0..65).map(|number| encode(&format!("type.{number}"), Severity::Low, "acme", "{}"));
    rig.append_events("acme", buffer(many)).await;
    let block = rig.next("splunk").await.unwrap();
    assert_eq!(block.event_types, EventTypes::Any);
    assert!(block.event_types.may_match(|_| false));
}

#[tokio::test]
async fn waiting_pipelines_are_told_of_new_events() {
    let rig = Rig::new();
    let mut appended = rig.store.appended();
    let before = *appended.borrow_and_update();
    rig.store.expire().await.unwrap();
    assert!(!appended.has_changed().unwrap());
    let positions = rig.append("acme", 2).await;
    appended.changed().await.unwrap();
    assert_eq!((before, *appended.borrow()), (positions.start, positions.end));
}

#[tokio::test]
async fn a_second_host_is_refused_by_name() {
    let rig = Rig::new();
    let error = Store::open(rig.config.clone()).err().unwrap();
    let message = error.to_string();
    assert!(matches!(error, StoreError::Locked { .. }), "{message}");
    assert!(message.contains(&rig.config.folder.display().to_string()), "{message}");
    assert!(message.contains(&std::process::id().to_string()), "{message}");
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    rig.store.close().await;
    let append = rig.store.append(plain("acme", events("acme", 1))).await;
    assert!(matches!(append, Err(AppendError::Closed)), "{append:?}");
    let settle = rig.store.settle(settlement("splunk")).await;
    assert!(matches!(settle, Err(StoreError::Closed)), "{settle:?}");
    let ledger = rig.store.ledger("splunk").await;
    assert!(matches!(ledger, Err(StoreError::Closed)), "{ledger:?}");
    rig.store.close().await;
}

#[test]
fn the_folder_is_made_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b/store");
    let _store = Store::open(StoreConfig { ballast_bytes: 0, ..StoreConfig::new(&deep) }).unwrap();
    assert_eq!((mode(&deep), mode(&folder.path().join("a"))), (0o700, 0o700));
}

#[tokio::test]
async fn files_of_other_formats_are_refused_and_left_alone() {
    let rig = Rig::new();
    rig.store.close().await;
    rig.database().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(rig.config.clone()).err().unwrap();
    assert!(matches!(error, StoreError::FormatVersion { found: 99, supported: 2, .. }), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE photos (name TEXT)").unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(StoreConfig::new(folder.path())).err().unwrap();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

const HELD: &str = "STORE_TO_HOLD";

/// Not a test of its own: the second process of the next one.
#[test]
fn a_process_that_holds_a_store_until_it_is_killed() {
    let Some(folder) = std::env::var_os(HELD) else { return };
    let _store = Store::open(StoreConfig { ballast_bytes: 0, ..StoreConfig::new(folder) }).unwrap();
    println!("\nheld");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_store_of_another_process_is_refused_with_its_number_until_that_one_is_gone() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let folder = tempfile::tempdir().unwrap();
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durability::a_process_that_holds_a_store_until_it_is_killed", "--nocapture"])
        .env(HELD, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "held"), "the other process did not open the store");

    let config = StoreConfig { ballast_bytes: 0, ..StoreConfig::new(folder.path()) };
    let error = Store::open(config.clone()).err().unwrap();
    let message = error.to_string();
    assert!(matches!(&error, StoreError::Locked { pid, .. } if *pid == other.id().to_string()), "{message}");
    assert!(message.contains("stop that one"), "{message}");
    other.kill().unwrap();
    other.wait().unwrap();
    Store::open(config).unwrap();
}
