use crate::support::{HOUR, Rig, START_MS, WEEK, events};
use siemaphore_store::{BlockId, LoadError, StorageError, StoreError};

fn flip_a_bit(rig: &Rig, first: u64) {
    let database = rig.database();
    let mut data: Vec<u8> = database
        .query_row("SELECT data FROM block_data WHERE first = ?1", [first], |row| row.get(0))
        .unwrap();
    let middle = data.len() / 2;
    data[middle] ^= 1;
    database
        .execute("UPDATE block_data SET data = ?2 WHERE first = ?1", rusqlite::params![first, data])
        .unwrap();
}

#[tokio::test]
async fn a_damaged_block_is_noticed_counted_and_out_of_the_way() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    rig.open("sentinel", "acme").await;
    let bad = rig.append("acme", 5).await;
    let good = rig.append("acme", 2).await;
    rig.deliver("sentinel", bad.start..bad.start + 2).await;
    flip_a_bit(&rig, bad.start);
    rig.advance(HOUR);

    let block = rig.next("splunk").await.unwrap().block;
    let loaded = rig.store.load(block).await;
    assert!(matches!(loaded, Err(LoadError::Damaged { .. })), "{loaded:?}");
    rig.store.drop_damaged(block).await.unwrap();
    rig.store.drop_damaged(block).await.unwrap();

    assert_eq!(rig.next("splunk").await.unwrap().first, good.start);
    let (splunk, sentinel) = (rig.ledger("splunk").await, rig.ledger("sentinel").await);
    assert_eq!((splunk.damaged, splunk.waiting), (5, 2));
    assert_eq!((sentinel.damaged, sentinel.delivered, sentinel.waiting), (3, 2, 2));
    let loaded = rig.store.load(block).await;
    assert!(matches!(loaded, Err(LoadError::Gone(_))), "{loaded:?}");
    assert_eq!(rig.store.status().await.unwrap().damaged_blocks, 1);
    let listed = rig.store.damaged_blocks().await.unwrap().remove(0);
    assert_eq!((listed.first, listed.count, listed.organization.as_str()), (bad.start, 5, "acme"));
    assert_eq!((listed.stored_ms, listed.found_ms), (START_MS, START_MS + 3_600_000));
    assert!(listed.reason.contains("checksum"), "{}", listed.reason);
    let kept = rig.store.damaged_data(block).await.unwrap().unwrap();
    assert_eq!(kept.len() as u64, listed.bytes);
    assert_eq!(rig.store.damaged_data(BlockId(good.start)).await.unwrap(), None);
}

#[tokio::test]
async fn a_sound_block_cannot_be_dropped() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let stored = events("acme", 5);
    rig.append_events("acme", stored.clone()).await;
    let block = rig.next("splunk").await.unwrap().block;
    let refused = rig.store.drop_damaged(block).await;
    assert!(matches!(refused, Err(StoreError::NotDamaged(_))), "{refused:?}");
    assert_eq!(*rig.store.load(block).await.unwrap(), stored);
}

#[tokio::test]
async fn the_damaged_row_of_one_destination_does_not_stop_intake_or_its_neighbours() {
    let rig = Rig::new();
    rig.open("bad", "acme").await;
    rig.open("good", "acme").await;
    rig.append("acme", 2).await;
    rig.database().execute("UPDATE destinations SET settled_runs = x'05' WHERE name = 'bad'", []).unwrap();
    rig.advance(WEEK);
    let second = rig.append("acme", 3).await;
    rig.deliver("good", second).await;
    assert_eq!(rig.ledger("good").await.delivered, 3);
    let ledger = rig.store.ledger("bad").await;
    let named = matches!(ledger, Err(StoreError::Storage(StorageError::DamagedRow { .. })));
    assert!(named, "{ledger:?}");
}
