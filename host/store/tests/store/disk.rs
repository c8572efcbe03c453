use crate::support::{Rig, events, plain};
use siemaphore_store::{AppendError, FreeSpace, Settlement};
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

/// A store that asks for a ballast of 16 MiB, with a disk whose free space the test sets.
fn with_free_space(free: &Arc<AtomicU64>) -> Rig {
    let probe = Arc::clone(free);
    Rig::with(move |config| {
        config.ballast_bytes = 16 << 20;
        config.disk_reserve_bytes = 1 << 20;
        config.free_space = FreeSpace::new(move |_| Ok(probe.load(Ordering::Relaxed)));
    })
}

#[tokio::test]
async fn a_small_disk_gets_a_small_ballast_that_grows_with_it() {
    let free = Arc::new(AtomicU64::new((1 << 20) + (4 << 20)));
    let rig = with_free_space(&free);
    let ballast = rig.config.folder.join("ballast");
    let size = || std::fs::metadata(&ballast).map_or(0, |file| file.len());
    rig.store.expire().await.unwrap();
    assert_eq!(size(), 2 << 20);
    // A little more room does not make it grow with each commit.
    free.store((1 << 20) + (5 << 20), Ordering::Relaxed);
    rig.store.expire().await.unwrap();
    assert_eq!(size(), 2 << 20);
    free.store((1 << 20) + (14 << 20), Ordering::Relaxed);
    rig.store.expire().await.unwrap();
    assert_eq!(size(), 16 << 20);
}

#[tokio::test]
async fn a_disk_without_room_beside_the_reserve_gets_no_ballast() {
    let free = Arc::new(AtomicU64::new((1 << 20) + 1000));
    let rig = with_free_space(&free);
    rig.append("acme", 1).await;
    assert!(!rig.config.folder.join("ballast").exists());
}

#[tokio::test]
async fn the_ballast_is_thrown_off_for_settling_and_comes_back_with_the_space() {
    let (disk, vfs) = crate::faulty_vfs::register();
    let free = Arc::new(AtomicU64::new(1 << 30));
    let probe = Arc::clone(&free);
    let rig = Rig::with(move |config| {
        config.ballast_bytes = 1 << 20;
        config.free_space = FreeSpace::new(move |_| Ok(probe.load(Ordering::Relaxed)));
        config.vfs = Some(vfs);
    });
    let ballast = rig.config.folder.join("ballast");
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 2).await;
    assert!(ballast.exists());
    // The commit fails, then the one without appends; the third finds the ballast's space.
    free.store(0, Ordering::Relaxed);
    disk.fail(disk.calls(), 1, crate::faulty_disk::Fault::Full);
    let delivered = Settlement { delivered: vec![all], ..crate::support::settlement("splunk") };
    rig.store.settle(delivered).await.unwrap();
    assert!(!ballast.exists());
    assert_eq!(rig.ledger("splunk").await.delivered, 2);
    free.store(1 << 30, Ordering::Relaxed);
    rig.append("acme", 1).await;
    assert!(ballast.exists());
}
