use crate::support::{Rig, dead_letter, registration, settlement};
use siemaphore_store::{
    AttemptRecord, DeadLetterLimit, FailedReplay, NewDeadLetter, Registration, Selection, Settlement,
    StoreError, WhenFull,
};

/// A destination with `count` dead letters; gives their ids.
async fn with_letters(rig: &Rig, destination: &str, count: u64) -> Vec<i64> {
    rig.open(destination, "acme").await;
    let all = rig.append("acme", count).await;
    let dead_letters = all.map(dead_letter).collect();
    rig.store.settle(Settlement { dead_letters, ..settlement(destination) }).await.unwrap();
    ids(rig, destination).await
}

async fn ids(rig: &Rig, destination: &str) -> Vec<i64> {
    let letters = rig.store.dead_letters(Some(destination), None, 1000).await.unwrap();
    letters.into_iter().map(|letter| letter.id).collect()
}

async fn marked(rig: &Rig, destination: &str) -> Vec<i64> {
    let letters = rig.store.replays(destination, 0, 100).await.unwrap();
    letters.into_iter().map(|full| full.letter.id).collect()
}

fn failed(id: i64) -> FailedReplay {
    FailedReplay {
        id,
        cause: "refused again".to_owned(),
        hint: "ask the SIEM's operator".to_owned(),
        attempts: vec![attempt("again")],
        plugin: "splunk".to_owned(),
        plugin_version: "1.1.0".to_owned(),
        plugin_digest: "def".to_owned(),
    }
}

fn attempt(reason: &str) -> AttemptRecord {
    AttemptRecord { at_ms: 5, status: Some(400), answer: "no".to_owned(), reason: reason.to_owned() }
}

fn limited(destination: &str, bytes: u64, when_full: WhenFull) -> Registration {
    let dead_letter_limit = DeadLetterLimit { bytes, when_full };
    Registration { dead_letter_limit, ..registration(destination, "acme") }
}

#[tokio::test]
async fn a_replay_that_arrives_turns_a_dead_letter_into_a_delivery() {
    let rig = Rig::new();
    let ids = with_letters(&rig, "splunk", 3).await;
    assert_eq!(rig.store.request_replay("splunk", Selection::Ids(vec![ids[0], ids[2]])).await.unwrap(), 2);
    assert_eq!(rig.store.request_replay("splunk", Selection::All).await.unwrap(), 1);
    assert_eq!(rig.store.replays_waiting("splunk").await.unwrap(), 3);
    let letters = rig.store.dead_letters(Some("splunk"), None, 10).await.unwrap();
    assert!(letters.iter().all(|letter| letter.replay_requested), "{letters:?}");

    let rig = rig.crashed();
    assert_eq!(marked(&rig, "splunk").await, ids);
    assert_eq!(rig.ledger("splunk").await.dead_lettered, 3);
    let arrived = Settlement { replayed: vec![ids[0], ids[1]], ..settlement("splunk") };
    rig.store.settle(arrived.clone()).await.unwrap();
    rig.store.settle(arrived).await.unwrap();
    let ledger = rig.ledger("splunk").await;
    assert_eq!((ledger.dead_lettered, ledger.delivered, ledger.accepted), (1, 2, 3));
    assert_eq!(marked(&rig, "splunk").await, ids[2..]);
    assert_eq!(rig.store.replays_waiting("splunk").await.unwrap(), 1);
}

#[tokio::test]
async fn a_replay_that_fails_updates_its_row_and_loses_its_mark() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 1).await;
    let letter = NewDeadLetter { attempts: vec![attempt("first"); 31], ..dead_letter(all.start) };
    rig.store.settle(Settlement { dead_letters: vec![letter], ..settlement("splunk") }).await.unwrap();
    let before = rig.store.dead_letters(None, None, 1).await.unwrap().remove(0);
    rig.store.request_replay("splunk", Selection::All).await.unwrap();
    rig.advance(crate::support::HOUR);
    let again = FailedReplay { attempts: vec![attempt("again"); 3], ..failed(before.id) };
    rig.store.settle(Settlement { replay_failed: vec![again], ..settlement("splunk") }).await.unwrap();

    let after = rig.store.dead_letter(before.id).await.unwrap().unwrap();
    assert_eq!(
        (after.letter.cause.as_str(), after.letter.hint.as_str()),
        ("refused again", "ask the SIEM's operator")
    );
    assert_eq!((after.letter.attempts, after.attempts.len()), (34, 32));
    assert_eq!(after.attempts[28..], [vec![attempt("first")], vec![attempt("again"); 3]].concat());
    assert_eq!((after.plugin_version.as_str(), after.plugin_digest.as_str()), ("1.1.0", "def"));
    assert_eq!(after.letter.updated_ms, before.created_ms + 3_600_000);
    assert_eq!((after.letter.created_ms, after.letter.position), (before.created_ms, before.position));
    assert!(after.letter.bytes > before.bytes && !after.letter.replay_requested, "{:?}", after.letter);
    assert_eq!(rig.store.replays_waiting("splunk").await.unwrap(), 0);
    assert_eq!(rig.ledger("splunk").await.dead_lettered, 1);
}

#[tokio::test]
async fn a_letter_that_was_discarded_while_it_was_sent_stays_discarded() {
    let rig = Rig::new();
    let ids = with_letters(&rig, "splunk", 2).await;
    rig.store.request_replay("splunk", Selection::All).await.unwrap();
    assert_eq!(rig.store.discard("splunk", Selection::Ids(vec![ids[0]])).await.unwrap(), 1);
    assert_eq!(rig.store.discard("splunk", Selection::All).await.unwrap(), 1);
    let late =
        Settlement { replayed: vec![ids[0]], replay_failed: vec![failed(ids[1])], ..settlement("splunk") };
    rig.store.settle(late).await.unwrap();
    let ledger = rig.ledger("splunk").await;
    assert_eq!((ledger.discarded, ledger.delivered, ledger.dead_lettered, ledger.duplicates), (2, 0, 0, 0));
    assert_eq!(rig.store.replays_waiting("splunk").await.unwrap(), 0);
    assert_eq!(rig.store.status().await.unwrap().dead_letters, 0);
}

#[tokio::test]
async fn marks_can_be_taken_back_and_concern_one_destination() {
    let rig = Rig::new();
    let ours = with_letters(&rig, "splunk", 2).await;
    let others = with_letters(&rig, "sentinel", 1).await;
    let everything = Selection::Ids([ours.clone(), others.clone(), vec![99]].concat());
    assert_eq!(rig.store.request_replay("splunk", everything.clone()).await.unwrap(), 2);
    rig.store.request_replay("sentinel", Selection::All).await.unwrap();
    assert_eq!(rig.store.cancel_replay("splunk").await.unwrap(), 2);
    assert_eq!(rig.store.cancel_replay("splunk").await.unwrap(), 0);
    assert_eq!((marked(&rig, "splunk").await, marked(&rig, "sentinel").await), (vec![], others.clone()));
    assert_eq!(rig.store.discard("splunk", everything).await.unwrap(), 2);
    assert_eq!(ids(&rig, "sentinel").await, others);
}

#[tokio::test]
async fn whoever_replays_is_told_of_new_marks_and_of_nothing_else() {
    let rig = Rig::new();
    let ids = with_letters(&rig, "splunk", 1).await;
    let mut requests = rig.store.replay_requests();
    requests.borrow_and_update();
    rig.append("acme", 1).await;
    assert!(!requests.has_changed().unwrap());
    rig.store.request_replay("splunk", Selection::Ids(ids.clone())).await.unwrap();
    assert!(requests.has_changed().unwrap());
    requests.borrow_and_update();
    rig.store.request_replay("splunk", Selection::Ids(ids)).await.unwrap();
    assert!(!requests.has_changed().unwrap(), "the letter was marked already");
}

#[tokio::test]
async fn thousands_of_letters_are_marked_and_discarded_page_by_page() {
    let rig = Rig::new();
    with_letters(&rig, "splunk", 2500).await;
    assert_eq!(rig.store.request_replay("splunk", Selection::All).await.unwrap(), 2500);
    let first = rig.store.replays("splunk", 0, 10).await.unwrap();
    let next = rig.store.replays("splunk", first[9].letter.id, 5000).await.unwrap();
    assert_eq!((first.len(), next.len(), next[0].letter.id), (10, 1000, first[9].letter.id + 1));
    assert_eq!(rig.store.cancel_replay("splunk").await.unwrap(), 2500);
    assert_eq!(rig.store.discard("splunk", Selection::All).await.unwrap(), 2500);
    let ledger = rig.ledger("splunk").await;
    assert_eq!((ledger.discarded, ledger.dead_lettered), (2500, 0));
}

#[tokio::test]
async fn a_page_of_replays_is_bounded_by_the_bytes_of_its_events() {
    let rig = Rig::new();
    rig.open("splunk", "acme").await;
    let all = rig.append("acme", 5).await;
    let large = |position| NewDeadLetter {
        event: crate::support::noise("acme", 1, 2 << 20, position),
        ..dead_letter(position)
    };
    let dead_letters = all.map(large).collect();
    rig.store.settle(Settlement { dead_letters, ..settlement("splunk") }).await.unwrap();
    rig.store.request_replay("splunk", Selection::All).await.unwrap();
    assert_eq!(marked(&rig, "splunk").await.len(), 1, "two events of 2 MiB and their envelopes exceed 4 MiB");
}

#[tokio::test]
async fn a_damaged_letter_does_not_keep_the_others_from_being_replayed() {
    let rig = Rig::new();
    let ids = with_letters(&rig, "splunk", 3).await;
    rig.store.request_replay("splunk", Selection::All).await.unwrap();
    rig.database()
        .execute("UPDATE dead_letters SET checksum = checksum + 1 WHERE id <> ?1", [ids[1]])
        .unwrap();
    assert_eq!(marked(&rig, "splunk").await, [ids[1]]);
    assert_eq!(rig.store.replays_waiting("splunk").await.unwrap(), 1);
    rig.store.settle(Settlement { replayed: vec![ids[1]], ..settlement("splunk") }).await.unwrap();
    assert!(marked(&rig, "splunk").await.is_empty());
    assert_eq!(rig.ledger("splunk").await.dead_lettered, 2);
}

#[tokio::test]
async fn questions_about_an_unknown_destination_are_refused() {
    let rig = Rig::new();
    let requested = rig.store.request_replay("nobody", Selection::Ids(Vec::new())).await;
    assert!(matches!(requested, Err(StoreError::UnknownDestination { .. })), "{requested:?}");
    let discarded = rig.store.discard("nobody", Selection::All).await;
    assert!(matches!(discarded, Err(StoreError::UnknownDestination { .. })), "{discarded:?}");
    let waiting = rig.store.replays_waiting("nobody").await;
    assert!(matches!(waiting, Err(StoreError::UnknownDestination { .. })), "{waiting:?}");
}

#[tokio::test]
async fn full_dead_letters_hold_the_settlement_back_as_a_whole() {
    let rig = Rig::new();
    rig.store.open_destination(limited("splunk", 1000, WhenFull::Hold)).await.unwrap();
    let all = rig.append("acme", 4).await;
    let with_letter =
        |position| Settlement { dead_letters: vec![dead_letter(position)], ..settlement("splunk") };
    rig.store.settle(with_letter(all.start)).await.unwrap();
    rig.store.settle(with_letter(all.start + 1)).await.unwrap();
    let third = Settlement { delivered: vec![all.start + 3..all.end], ..with_letter(all.start + 2) };
    let full = rig.store.settle(third.clone()).await.unwrap_err();
    let named = matches!(&full, StoreError::DeadLettersFull { destination, limit_bytes: 1000 } if destination == "splunk");
    assert!(named, "{full}");
    let ledger = rig.ledger("splunk").await;
    assert_eq!((ledger.dead_lettered, ledger.delivered, ledger.waiting), (2, 0, 2));

    let first = ids(&rig, "splunk").await[0];
    rig.store.discard("splunk", Selection::Ids(vec![first])).await.unwrap();
    rig.store.settle(third).await.unwrap();
    let ledger = rig.ledger("splunk").await;
    assert_eq!((ledger.dead_lettered, ledger.delivered, ledger.waiting), (2, 1, 0));
}

#[tokio::test]
async fn a_letter_larger_than_the_limit_is_taken_when_it_is_the_only_one() {
    for when_full in [WhenFull::Hold, WhenFull::ExpireOldest] {
        let rig = Rig::new();
        rig.store.open_destination(limited("splunk", 0, when_full)).await.unwrap();
        let all = rig.append("acme", 1).await;
        let large = Settlement { dead_letters: vec![dead_letter(all.start)], ..settlement("splunk") };
        rig.store.settle(large).await.unwrap();
        assert_eq!(rig.ledger("splunk").await.dead_lettered, 1, "{when_full:?}");
    }
}

#[tokio::test]
async fn the_oldest_letters_expire_where_the_operator_wants_that() {
    let rig = Rig::new();
    rig.store.open_destination(limited("splunk", 3000, WhenFull::ExpireOldest)).await.unwrap();
    let all = rig.append("acme", 40).await;
    for position in all.clone() {
        let one = Settlement { dead_letters: vec![dead_letter(position)], ..settlement("splunk") };
        rig.store.settle(one).await.unwrap();
    }
    let letters = rig.store.dead_letters(Some("splunk"), None, 100).await.unwrap();
    let bytes: u64 = letters.iter().map(|letter| letter.bytes).sum();
    assert!(bytes <= 3000 && bytes + letters[0].bytes > 3000, "{bytes} bytes");
    assert_eq!(letters.last().unwrap().position, all.end - 1);
    let ledger = rig.ledger("splunk").await;
    assert_eq!((ledger.dead_lettered, ledger.expired), (letters.len() as u64, 40 - letters.len() as u64));
}

#[tokio::test]
async fn a_lowered_limit_is_applied_in_bounded_steps_until_it_holds() {
    let rig = Rig::new();
    with_letters(&rig, "splunk", 2500).await;
    rig.store.open_destination(limited("splunk", 1, WhenFull::ExpireOldest)).await.unwrap();
    let expired = async {
        while rig.ledger("splunk").await.expired < 2499 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), expired).await.unwrap();
    assert_eq!(rig.ledger("splunk").await.dead_lettered, 1);
}
