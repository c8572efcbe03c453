use crate::support::{HOUR, Rig, START_MS, WEEK, dead_letter, keep, noise, registration, settlement};
use siemaphore_store::{Clock, NewDeadLetter, Registration, Settlement};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[tokio::test]
async fn the_age_limit_expires_events_for_its_destination_only() {
    let rig = Rig::new();
    let impatient = Registration { age_limit: HOUR, ..registration("impatient", "acme") };
    rig.store.open_destination(impatient).await.unwrap();
    rig.open("patient", "acme").await;
    rig.append("acme", 3).await;
    rig.advance(HOUR / 2);
    rig.append("acme", 2).await;
    rig.advance(HOUR / 2);
    rig.expire_all().await;
    let ledger = rig.ledger("impatient").await;
    assert_eq!((ledger.expired, ledger.waiting), (3, 2));
    assert_eq!(rig.ledger("patient").await.waiting, 5);
}

#[tokio::test]
async fn a_commit_is_enough_to_make_expiry_happen() {
    let rig = Rig::new();
    let impatient = Registration { age_limit: HOUR, ..registration("impatient", "acme") };
    rig.store.open_destination(impatient).await.unwrap();
    rig.append("acme", 3).await;
    rig.advance(HOUR);
    rig.append("acme", 1).await;
    assert_eq!(rig.ledger("impatient").await.expired, 3);
}

#[tokio::test]
async fn a_timer_makes_expiry_happen_without_a_commit() {
    // The one test with the real clock: what is due is a tenth of a second away.
    let rig = Rig::with(|config| config.clock = Clock::default());
    let age_limit = Duration::from_millis(100);
    let hasty = Registration { age_limit, ..registration("hasty", "acme") };
    rig.store.open_destination(hasty).await.unwrap();
    rig.append("acme", 3).await;
    let expired = async {
        while rig.ledger("hasty").await.expired < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), expired).await.unwrap();
}

#[tokio::test]
async fn an_event_that_expired_in_flight_stays_expired() {
    let rig = Rig::new();
    let impatient = Registration { age_limit: HOUR, ..registration("impatient", "acme") };
    rig.store.open_destination(impatient).await.unwrap();
    let all = rig.append("acme", 3).await;
    rig.advance(HOUR);
    rig.expire_all().await;
    let late = Settlement {
        delivered: vec![all.start..all.end - 1],
        dead_letters: vec![dead_letter(all.end - 1)],
        ..settlement("impatient")
    };
    rig.store.settle(late).await.unwrap();
    let ledger = rig.ledger("impatient").await;
    assert_eq!((ledger.expired, ledger.delivered, ledger.dead_lettered), (3, 0, 0));
    assert_eq!(rig.store.dead_letters(None, None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn delivered_blocks_are_kept_for_their_age_and_then_deleted() {
    let rig = Rig::with(|config| config.keep = keep(HOUR, u64::MAX));
    rig.open("splunk", "acme").await;
    let first = rig.append("acme", 3).await;
    rig.append("nobody", 3).await;
    rig.deliver("splunk", first).await;
    rig.advance(HOUR - Duration::from_millis(1));
    rig.expire_all().await;
    assert_eq!(rig.blocks().await, 2);
    rig.advance(Duration::from_millis(1));
    rig.expire_all().await;
    assert_eq!(rig.blocks().await, 0);
    assert_eq!(rig.ledger("splunk").await.expired, 0);
}

#[tokio::test]
async fn delivered_blocks_are_kept_up_to_their_size() {
    let rig = Rig::with(|config| config.keep = keep(WEEK, 300 << 10));
    for seed in 0..8 {
        rig.append_events("acme", noise("acme", 1, 100 << 10, seed)).await;
    }
    rig.expire_all().await;
    let blocks = rig.blocks().await;
    assert!((2..=4).contains(&blocks), "{blocks} blocks of about 75 KiB each in 300 KiB");
}

#[tokio::test]
async fn a_block_in_the_middle_goes_while_an_older_one_is_stuck() {
    let rig = Rig::with(|config| config.keep.bytes = 0);
    rig.open("splunk", "acme").await;
    let stuck = rig.append("acme", 1).await;
    for _ in 0..3 {
        let next = rig.append("acme", 1).await;
        rig.deliver("splunk", next).await;
    }
    rig.expire_all().await;
    assert_eq!(rig.blocks().await, 1);
    assert_eq!(rig.next("splunk").await.unwrap().unsettled, [stuck]);
}

#[tokio::test]
async fn the_size_limit_takes_from_the_organisation_that_holds_most() {
    let rig = Rig::with(|config| config.size_limit_bytes = 3 << 20);
    rig.open("small", "modest").await;
    rig.open("large", "greedy").await;
    rig.append_events("modest", noise("modest", 4, 100 << 10, 1)).await;
    for seed in 0..40 {
        rig.append_events("greedy", noise("greedy", 1, 200 << 10, seed)).await;
    }
    rig.expire_all().await;
    let status = rig.store.status().await.unwrap();
    assert!(status.size_bytes <= 3 << 20, "{status:?}");
    assert_eq!(rig.ledger("small").await.waiting, 4);
    let large = rig.ledger("large").await;
    assert!(large.expired > 15 && large.waiting > 10, "{large:?}");
    let oldest_left = rig.next("large").await.unwrap();
    assert_eq!(oldest_left.unsettled, [oldest_left.first..oldest_left.first + 1]);
    assert!(oldest_left.first > 5 + large.expired - 1, "the oldest go first");
}

#[tokio::test]
async fn what_nobody_waits_for_goes_before_what_somebody_waits_for() {
    let rig = Rig::with(|config| config.size_limit_bytes = 2 << 20);
    rig.open("splunk", "acme").await;
    rig.append_events("acme", noise("acme", 8, 100 << 10, 1)).await;
    for seed in 0..30 {
        rig.append_events("unsubscribed", noise("unsubscribed", 1, 200 << 10, seed)).await;
    }
    rig.expire_all().await;
    assert!(rig.store.status().await.unwrap().size_bytes <= 2 << 20);
    assert_eq!(rig.ledger("splunk").await.waiting, 8);
}

#[tokio::test]
async fn the_file_shrinks_after_deletes() {
    let rig = Rig::with(|config| config.keep.bytes = 0);
    rig.open("splunk", "acme").await;
    for seed in 0..16 {
        rig.append_events("acme", noise("acme", 10, 100 << 10, seed)).await;
    }
    let full = rig.store.status().await.unwrap().file_bytes;
    assert!(full > 10 << 20, "{full}");
    rig.deliver("splunk", 0..u64::MAX).await;
    rig.expire_all().await;
    let empty = rig.store.status().await.unwrap().file_bytes;
    assert!(empty < full / 10, "{empty} bytes left of {full}");
    let rig = rig.reopened().await;
    let on_disk = std::fs::metadata(rig.config.folder.join("store.db")).unwrap().len();
    assert!(on_disk < full / 10, "{on_disk} bytes on disk of {full}");
}

#[tokio::test]
async fn a_long_backlog_expires_in_several_transactions_by_itself() {
    let rig = Rig::new();
    let impatient = Registration { age_limit: HOUR, ..registration("impatient", "acme") };
    rig.store.open_destination(impatient).await.unwrap();
    for _ in 0..150 {
        rig.append("acme", 1).await;
    }
    rig.advance(HOUR);
    rig.store.expire().await.unwrap();
    let expired = async {
        while rig.ledger("impatient").await.expired < 150 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), expired).await.unwrap();
}

#[tokio::test]
async fn of_three_organisations_under_uneven_load_only_the_greedy_pay() {
    let rig = Rig::with(|config| config.size_limit_bytes = 4 << 20);
    for organization in ["quiet", "steady", "flooding"] {
        rig.open(&format!("{organization}-siem"), organization).await;
    }
    for round in 0..60 {
        if round % 10 == 0 {
            rig.append_events("quiet", noise("quiet", 1, 20 << 10, round)).await;
        }
        if round % 3 == 0 {
            rig.append_events("steady", noise("steady", 1, 60 << 10, round)).await;
        }
        rig.append_events("flooding", noise("flooding", 2, 100 << 10, round)).await;
    }
    rig.expire_all().await;
    assert!(rig.store.status().await.unwrap().size_bytes <= 4 << 20);
    let (quiet, steady) = (rig.ledger("quiet-siem").await, rig.ledger("steady-siem").await);
    assert_eq!((quiet.expired, quiet.waiting), (0, 6));
    assert_eq!((steady.expired, steady.waiting), (0, 20));
    let flooding = rig.ledger("flooding-siem").await;
    assert!(flooding.expired > 60 && flooding.waiting > 10, "{flooding:?}");
    assert_eq!(flooding.expired + flooding.waiting, 120);
}

#[tokio::test]
async fn dead_letters_that_fill_the_store_do_not_make_new_events_expire_at_once() {
    let rig = Rig::with(|config| config.size_limit_bytes = 2 << 20);
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 30).await;
    for position in all {
        let event = noise("acme", 1, 100 << 10, position);
        let letter = NewDeadLetter { event, ..dead_letter(position) };
        rig.store.settle(Settlement { dead_letters: vec![letter], ..settlement("splunk") }).await.unwrap();
    }
    assert!(rig.store.status().await.unwrap().size_bytes > 2 << 20);
    for seed in 0..20 {
        rig.append_events("acme", noise("acme", 1, 100 << 10, seed)).await;
    }
    rig.expire_all().await;
    let ledger = rig.ledger("splunk").await;
    assert!(
        ledger.waiting >= 5 && ledger.expired >= 10,
        "a quarter of the limit is left to blocks: {ledger:?}"
    );
    assert_eq!(ledger.dead_lettered, 30);
}

#[tokio::test]
async fn an_idle_store_does_nothing() {
    let looks = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&looks);
    let rig = Rig::with(|config| {
        config.clock = Clock::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            START_MS
        });
    });
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 3).await;
    rig.deliver("splunk", all).await;
    // Whatever was left to do is done when this is answered.
    rig.store.expire().await.unwrap();
    let commits = rig.store.status().await.unwrap().commits;
    let looked = looks.load(Ordering::Relaxed);
    let idle = tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>()).await;
    assert!(idle.is_err());
    assert_eq!(rig.store.status().await.unwrap().commits, commits);
    // The writer may have been about to wait, for which it looks at the clock once.
    assert!(looks.load(Ordering::Relaxed) <= looked + 1);
}

#[tokio::test]
async fn the_alert_before_the_size_limit_counts_only_what_somebody_waits_for() {
    let rig = Rig::with(|config| config.size_limit_bytes = 1200 << 10);
    rig.open("siem", "acme").await;
    let all = rig.append_events("acme", noise("acme", 7, 100 << 10, 1)).await;
    let status = rig.store.status().await.unwrap();
    assert!(!status.near_limit, "{status:?}");
    let more = rig.append_events("acme", noise("acme", 4, 100 << 10, 2)).await;
    let status = rig.store.status().await.unwrap();
    assert!(status.near_limit && status.size_bytes <= 1200 << 10, "{status:?}");

    rig.store
        .settle(Settlement { delivered: vec![all.start..more.end], ..settlement("siem") })
        .await
        .unwrap();
    let status = rig.store.status().await.unwrap();
    assert!(!status.near_limit && status.size_bytes > 600_000, "{status:?}");
}
