use crate::support::{Rig, dead_letter, events, settlement};
use siemaphore_store::{AttemptRecord, Ledger, Settlement, StoreError};

#[tokio::test]
async fn settling_out_of_order_leaves_the_gaps_waiting() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 10).await;
    let at = |offset: u64| all.start + offset;
    rig.deliver("splunk", at(6)..at(8)).await;
    rig.deliver("splunk", at(1)..at(3)).await;
    let block = rig.next("splunk").await.unwrap();
    assert_eq!(block.unsettled, [at(0)..at(1), at(3)..at(6), at(8)..at(10)]);
    let from_inside = rig.store.next_block("splunk", at(4)).await.unwrap().unwrap();
    assert_eq!(from_inside.unsettled, [at(4)..at(6), at(8)..at(10)]);
    rig.deliver("splunk", all.clone()).await;
    assert_eq!(rig.next("splunk").await, None);
    let ledger = rig.ledger("splunk").await;
    assert_eq!((ledger.delivered, ledger.waiting), (10, 0));
}

#[tokio::test]
async fn every_end_of_an_event_is_counted_once() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 10).await;
    let at = |offset: u64| all.start + offset;
    let first = Settlement {
        delivered: vec![at(0)..at(3)],
        filtered: vec![at(2)..at(6)],
        dead_letters: vec![dead_letter(at(5)), dead_letter(at(7))],
        duplicates: 2,
        ..settlement("splunk")
    };
    rig.store.settle(first.clone()).await.unwrap();
    rig.store.settle(first).await.unwrap();
    let expected = Ledger {
        accepted: 10,
        delivered: 3,
        filtered: 3,
        dead_lettered: 1,
        waiting: 3,
        duplicates: 4,
        oldest_waiting_ms: Some(crate::support::START_MS),
        ..Ledger::default()
    };
    assert_eq!(rig.ledger("splunk").await, expected);
    assert_eq!(rig.store.dead_letters(None, None, 100).await.unwrap().len(), 1);
}

#[tokio::test]
async fn positions_that_hold_no_event_of_the_organisation_are_ignored() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let ours = rig.append("acme", 2).await;
    rig.append("other", 3).await;
    rig.deliver("splunk", 0..u64::MAX).await;
    assert_eq!(rig.ledger("splunk").await.delivered, ours.end - ours.start);
    rig.append("acme", 4).await;
    assert_eq!(rig.ledger("splunk").await.waiting, 4, "a settlement must not reach events that come later");
}

#[tokio::test]
async fn interleaved_organisations_do_not_break_the_runs_into_pieces() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let stuck = rig.append("acme", 2).await;
    for _ in 0..20 {
        rig.append("other", 1).await;
        let ours = rig.append("acme", 1).await;
        rig.deliver("splunk", ours).await;
    }
    let runs: Vec<u8> = rig
        .database()
        .query_row("SELECT settled_runs FROM destinations WHERE name = 'splunk'", [], |row| row.get(0))
        .unwrap();
    assert!(runs.len() <= 4, "more than one run: {runs:?}");
    assert_eq!(rig.next("splunk").await.unwrap().unsettled, [stuck]);
    assert_eq!(rig.ledger("splunk").await.delivered, 20);
}

#[tokio::test]
async fn too_many_separate_runs_are_refused_until_gaps_close() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 10_000).await;
    let odd =
        |count: u64| (0..count).map(|n| all.start + 2 * n + 1..all.start + 2 * n + 2).collect::<Vec<_>>();
    let refused = rig.store.settle(Settlement { delivered: odd(4097), ..settlement("splunk") }).await;
    assert!(matches!(refused, Err(StoreError::TooFragmented { runs: 4097, .. })), "{refused:?}");
    assert_eq!(rig.ledger("splunk").await.delivered, 0, "a refused settlement leaves nothing behind");
    rig.store.settle(Settlement { delivered: odd(4096), ..settlement("splunk") }).await.unwrap();
    rig.deliver("splunk", all.start..all.start + 1).await;
    rig.deliver("splunk", all.clone()).await;
    assert_eq!(rig.ledger("splunk").await.delivered, 10_000);
}

#[tokio::test]
async fn one_refused_settlement_does_not_fail_its_neighbours() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 2).await;
    let good = rig.store.settle(Settlement { delivered: vec![all], ..settlement("splunk") });
    let bad = rig.store.settle(settlement("nobody"));
    let (good, bad) = tokio::join!(good, bad);
    good.unwrap();
    assert!(matches!(bad, Err(StoreError::UnknownDestination { .. })), "{bad:?}");
    assert_eq!(rig.ledger("splunk").await.delivered, 2);
}

#[tokio::test]
async fn a_dead_letter_keeps_what_is_needed_to_judge_it() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 2).await;
    let attempt = |answer: String| AttemptRecord {
        at_ms: 5,
        status: Some(400),
        answer,
        reason: "invalid data".to_owned(),
    };
    let mut letter = dead_letter(all.start);
    letter.attempts = vec![attempt("é".repeat(3000)), attempt("short".to_owned())];
    let event = letter.event.clone();
    rig.store.settle(Settlement { dead_letters: vec![letter], ..settlement("splunk") }).await.unwrap();
    let rig = rig.crashed();

    let listed = rig.store.dead_letters(Some("splunk"), None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].position, listed[0].attempts, listed[0].event_type.as_str()),
        (all.start, 2, "dlp.blocked")
    );
    assert_eq!(rig.store.dead_letters(Some("splunk"), Some(listed[0].id), 10).await.unwrap(), []);
    assert_eq!(rig.store.dead_letters(Some("other"), None, 10).await.unwrap(), []);
    let full = rig.store.dead_letter(listed[0].id).await.unwrap().unwrap();
    assert_eq!((&full.letter, &full.event), (&listed[0], &event));
    assert_eq!(full.attempts[0].answer, "é".repeat(1024));
    assert_eq!(full.attempts[1], attempt("short".to_owned()));
    assert_eq!(rig.store.dead_letter(listed[0].id + 1).await.unwrap(), None);
}

#[tokio::test]
async fn a_dead_letter_without_its_one_event_is_refused_as_a_whole() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 2).await;
    let mut letter = dead_letter(all.start);
    letter.event = events("acme", 2);
    let refused = rig
        .store
        .settle(Settlement {
            delivered: vec![all.start + 1..all.end],
            dead_letters: vec![letter],
            ..settlement("splunk")
        })
        .await;
    assert!(matches!(refused, Err(StoreError::NotOneEvent { events: 2, .. })), "{refused:?}");
    assert_eq!(rig.ledger("splunk").await.waiting, 2);
}
