use crate::support::{Rig, dead_letter, mode, noise, settlement};
use siemaphore_store::{BackupProgress, FreeSpace, Settlement, Store, StoreConfig, StoreError};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Opens a backup the way an operator restores it: as `store.db` in an empty folder.
fn restored(backup: &Path, folder: &Path) -> Store {
    std::fs::copy(backup, folder.join("store.db")).unwrap();
    Store::open(StoreConfig { ballast_bytes: 0, ..StoreConfig::new(folder) }).unwrap()
}

#[tokio::test]
async fn a_backup_is_the_store_at_one_moment_while_appends_go_on() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    for seed in 0..20 {
        let positions = rig.append_events("acme", noise("acme", 10, 100 << 10, seed)).await;
        let dead = Settlement {
            delivered: vec![positions.start..positions.start + 4],
            dead_letters: vec![dead_letter(positions.start + 4)],
            ..settlement("splunk")
        };
        rig.store.settle(dead).await.unwrap();
    }
    let before = rig.ledger("splunk").await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy.db");
    let steps: Arc<Mutex<Vec<BackupProgress>>> = Arc::default();
    let seen = Arc::clone(&steps);
    let (more, again) = (rig.store.clone(), tokio::runtime::Handle::current());
    let append = || noise("acme", 1, 100 << 10, 99);
    // Between two steps of the copy another commit is made and waited for.
    let progress = move |step| {
        seen.lock().unwrap().push(step);
        again.block_on(more.append(crate::support::plain("acme", append()))).unwrap();
    };
    let summary = rig.store.backup(to.clone(), progress).await.unwrap();
    let after = rig.ledger("splunk").await;

    let steps = steps.lock().unwrap().clone();
    assert!(
        steps.len() > 1 && steps.windows(2).all(|pair| pair[0].done_bytes < pair[1].done_bytes),
        "{steps:?}"
    );
    assert_eq!(steps.last().unwrap().done_bytes, steps.last().unwrap().total_bytes);
    assert_eq!((summary.bytes, mode(&to)), (std::fs::metadata(&to).unwrap().len(), 0o600));
    assert_eq!((summary.events, summary.dead_letters), (200, 20));
    assert_eq!(after.accepted, 200 + steps.len() as u64);
    let restore = tempfile::tempdir().unwrap();
    let store = restored(&to, restore.path());
    assert_eq!(store.ledger("splunk").await.unwrap(), before);
    let block = store.next_block("splunk", 0).await.unwrap().unwrap();
    assert_eq!(store.load(block.block).await.unwrap().len() as u64, block.count);
    assert_eq!(store.dead_letters(None, None, 100).await.unwrap().len(), 20);
}

#[tokio::test]
async fn a_file_that_is_there_is_not_overwritten() {
    let rig = Rig::new();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("precious");
    std::fs::write(&to, "mine").unwrap();
    let refused = rig.store.backup(to.clone(), |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("precious"), "{refused}");
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "mine");
}

#[tokio::test]
async fn a_backup_needs_room_beside_the_reserve() {
    let rig = Rig::with(|config| {
        config.disk_reserve_bytes = 1 << 20;
        config.free_space = FreeSpace::new(|_| Ok((1 << 20) + 1));
    });
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy.db");
    let refused = rig.store.backup(to.clone(), |_| {}).await;
    assert!(matches!(refused, Err(StoreError::NoRoom { .. })), "{refused:?}");
    assert!(!to.exists());
}

#[tokio::test]
async fn a_backup_that_nobody_waits_for_ends_and_leaves_no_file() {
    let rig = Rig::new();
    for seed in 0..20 {
        rig.append_events("acme", noise("acme", 10, 100 << 10, seed)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy.db");
    let (stepped, mut first_step) = tokio::sync::mpsc::unbounded_channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let progress = move |_| {
        stepped.send(()).ok();
        wait.recv().ok();
    };
    let backup = rig.store.backup(to.clone(), progress);
    tokio::select! {
        _ = backup => panic!("the backup went past its first step"),
        _ = first_step.recv() => {}
    }
    drop(go_on);
    let gone = async { while first_step.recv().await.is_some() {} };
    gone.await;
    assert!(!to.exists());
}

#[tokio::test]
async fn an_export_pages_through_the_blocks_since_a_time() {
    let rig = Rig::new();
    rig.append("acme", 1).await;
    rig.advance(crate::support::HOUR);
    let since = crate::support::START_MS + 3_600_000;
    let second = rig.append("acme", 2).await;
    let third = rig.append("globex", 3).await;
    let all = rig.store.blocks_since(since, None, 0, 10).await.unwrap();
    let firsts: Vec<u64> = all.iter().map(|block| block.first).collect();
    assert_eq!(firsts, [second.start, third.start]);
    assert_eq!((all[1].organization.as_str(), all[1].count, all[1].stored_ms), ("globex", 3, since));
    assert_eq!(rig.store.load(all[1].block).await.unwrap().len(), 3);
    assert_eq!(rig.store.blocks_since(since, None, second.start, 10).await.unwrap(), all[1..]);
    assert_eq!(rig.store.blocks_since(since, Some("acme"), 0, 10).await.unwrap(), all[..1]);
    assert_eq!(rig.store.blocks_since(0, None, 0, 1).await.unwrap().len(), 1);
}
