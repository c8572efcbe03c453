use crate::support::{Rig, events, plain};
use siemaphore_store::{AppendError, FreeSpace};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[tokio::test]
async fn below_the_reserve_appends_are_refused_and_settling_goes_on() {
    let free = Arc::new(AtomicU64::new(1000));
    let probe = Arc::clone(&free);
    let rig = Rig::with(move |config| {
        config.disk_reserve_bytes = 500;
        config.free_space = FreeSpace::new(move |_| Ok(probe.load(Ordering::Relaxed)));
    });
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 3).await;
    free.store(499, Ordering::Relaxed);
    let refused = rig.store.append(plain("acme", events("acme", 1))).await;
    let expected = matches!(refused, Err(AppendError::DiskReserve { free_bytes: 499, reserve_bytes: 500 }));
    assert!(expected, "{refused:?}");
    assert!(!rig.store.status().await.unwrap().accepting);
    rig.deliver("splunk", all).await;
    free.store(500, Ordering::Relaxed);
    rig.append("acme", 1).await;
    let ledger = rig.ledger("splunk").await;
    assert_eq!((ledger.delivered, ledger.waiting), (3, 1));
    assert!(rig.store.status().await.unwrap().accepting);
}

#[tokio::test]
async fn the_ballast_is_really_allocated_and_returns_when_there_is_room() {
    use std::os::unix::fs::MetadataExt;
    let free = Arc::new(AtomicU64::new(0));
    let probe = Arc::clone(&free);
    let rig = Rig::with(move |config| {
        config.ballast_bytes = 1 << 20;
        config.disk_reserve_bytes = 100;
        config.free_space = FreeSpace::new(move |_| Ok(probe.load(Ordering::Relaxed)));
    });
    let ballast = rig.config.folder.join("ballast");
    rig.store.expire().await.unwrap();
    assert!(!ballast.exists());
    free.store(100 + (1 << 20), Ordering::Relaxed);
    rig.store.expire().await.unwrap();
    let file = std::fs::metadata(ballast).unwrap();
    assert!(file.blocks() * 512 >= 1 << 20, "{} blocks", file.blocks());
}
