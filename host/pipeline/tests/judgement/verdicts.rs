//! Formatters that break on events or say what is not so of answers, and what is made of it.

use std::collections::BTreeSet;
use std::time::Duration;

use siemaphore_model::formatter::{Fate, Note, Partial, Pending, Refusal, Run, Verdict};
use siemaphore_pipeline::State;
use siemaphore_receiver::{Fault, Siem};

use crate::misbehaving::{FORBIDDEN_INDEX, LAST_WORDS, Misbehaving, Poison, REJECTION};
use crate::scene::{Cast, Scene, TOKEN};

const PATIENCE: Duration = Duration::from_secs(60);

/// Five hundred events, one of them poison.
const EVENTS: u64 = 500;
const POISON_AT: u64 = 137;

async fn append_with_poison(scene: &Scene) {
    let kind = |number| if number == POISON_AT { "poison" } else { "test.event" };
    scene.append_typed((0..EVENTS).map(|number| (number, kind(number)))).await;
}

/// The only dead letter is the poison; returns its cause.
async fn cause_of_the_poison(scene: &Scene) -> String {
    let letters = scene.store.dead_letters(None, None, 10).await.unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    // Positions begin at 1.
    assert_eq!(letters[0].position, POISON_AT + 1);
    letters[0].cause.clone()
}

fn texts(scene: &Scene) -> Vec<String> {
    scene.receiver.received().into_iter().map(|received| received.raw).collect()
}

/// How many records have arrived, and that none came twice.
fn arrived_once(scene: &Scene) -> u64 {
    let texts = texts(scene);
    let different: BTreeSet<&String> = texts.iter().collect();
    assert_eq!(different.len(), texts.len(), "a record arrived twice");
    texts.len() as u64
}

fn refusal(reason: &str, hint: &str) -> Refusal {
    Refusal { reason: reason.to_owned(), hint: hint.to_owned() }
}

// ---- Formatters that break on events ----

#[tokio::test(flavor = "multi_thread")]
async fn one_event_of_five_hundred_that_the_formatter_traps_on_is_dead_lettered_with_its_last_words() {
    let scene = Scene::start_formatting(Misbehaving::honest().poison(Poison::Traps).component()).await;
    append_with_poison(&scene).await;
    scene.until(|ledger| ledger.waiting == 0).await;
    let ledger = scene.ledger().await;
    assert_eq!((ledger.delivered, ledger.dead_lettered), (EVENTS - 1, 1));
    assert_eq!(arrived_once(&scene), EVENTS - 1);
    let cause = cause_of_the_poison(&scene).await;
    assert!(cause.contains("trapped") && cause.contains(LAST_WORDS), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_formatter_rejects_is_dead_lettered_with_its_reason() {
    let scene = Scene::start_formatting(Misbehaving::honest().poison(Poison::IsRejected).component()).await;
    append_with_poison(&scene).await;
    scene.until(|ledger| ledger.waiting == 0).await;
    assert_eq!(arrived_once(&scene), EVENTS - 1);
    let cause = cause_of_the_poison(&scene).await;
    assert!(cause.contains(REJECTION), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_formatter_that_breaks_on_everything_dead_letters_nothing_and_holds() {
    let scene = Scene::start_formatting(Misbehaving::breaking_on_everything().component()).await;
    scene.append(EVENTS).await;
    scene.until_state(State::Holding).await;
    let ledger = scene.ledger().await;
    assert_eq!((ledger.delivered, ledger.dead_lettered, ledger.waiting), (0, 0, EVENTS));
    assert_eq!(scene.receiver.totals().requests, 0);
}

// ---- Halving ----

#[tokio::test(flavor = "multi_thread")]
async fn halving_finds_the_one_event_that_the_siem_refuses_without_naming_it() {
    let rejected = Verdict::Rejected(refusal("an index is not allowed", "allow it"));
    let formatter = Misbehaving::honest().poison(Poison::IsForbidden).says(400, rejected);
    let siem = Siem::splunk_hec_for_indexes(TOKEN, &["main"]);
    let cast = Cast { siem, formatter: formatter.component().leak(), ..Cast::default() };
    let scene = Scene::build(cast, |_, _| {}).await;
    append_with_poison(&scene).await;
    // The others of its request that went through meanwhile are the proof: nothing else need come.
    scene.until(|ledger| ledger.waiting == 0).await;
    let refused = scene.receiver.requests().iter().filter(|request| request.records == 0).count();
    assert!(refused <= 12, "{refused} requests to find one of {EVENTS}");
    assert_eq!((scene.ledger().await.delivered, arrived_once(&scene)), (EVENTS - 1, EVENTS - 1));
    assert!(texts(&scene).iter().all(|text| !text.contains(FORBIDDEN_INDEX)));
    let cause = cause_of_the_poison(&scene).await;
    assert!(cause.contains("an index is not allowed"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_event_that_should_be_split_waits_until_others_show_that_it_is_to_blame() {
    let formatter = Misbehaving::honest().says(503, Verdict::Split);
    let scene = Scene::start_formatting(formatter.component()).await;
    scene.receiver.script(vec![Fault::Status(503)]);
    scene.append_numbered(0..1).await;
    scene.until_suspects(1).await;
    assert_eq!((scene.ledger().await.waiting, scene.ledger().await.dead_lettered), (1, 0));
    scene.append_numbered(1..2).await;
    scene.until(|ledger| ledger.delivered == 2).await;
    assert_eq!(arrived_once(&scene), 2);
}

// ---- Verdicts that are not so ----

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_claimed_of_a_failure_is_sent_again() {
    let formatter = Misbehaving::honest().says(500, Verdict::Delivered(None));
    let scene = Scene::start_formatting(formatter.component()).await;
    scene.receiver.script(vec![Fault::Status(500)]);
    scene.append(5).await;
    scene.until_failures(1).await;
    let error = scene.pipeline().status().last_error.unwrap();
    assert!(error.reason.contains("not believed"), "{error:?}");
    scene.until(|ledger| ledger.delivered == 5).await;
    assert_eq!(arrived_once(&scene), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_overlap_leave_the_judgement_to_the_status() {
    let runs = vec![
        Run { first: 0, count: 4, fate: Fate::Delivered },
        Run { first: 3, count: 2, fate: Fate::Rejected("made up".to_owned()) },
    ];
    let overlapping = Verdict::Partial(Partial { runs, rest: Fate::Delivered, note: None });
    let formatter = Misbehaving::honest().says(503, overlapping);
    let scene = Scene::start_formatting(formatter.component()).await;
    scene.receiver.script(vec![Fault::Status(503)]);
    scene.append(5).await;
    scene.until(|ledger| ledger.waiting == 0).await;
    assert_eq!((scene.ledger().await.delivered, scene.ledger().await.dead_lettered), (5, 0));
    assert_eq!(arrived_once(&scene), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_within_a_success_is_not_a_delivery() {
    let scene = Scene::start().await;
    let busy = r#"{"text":"Server is busy","code":9}"#;
    scene.receiver.script(vec![Fault::answer(200, busy), Fault::answer(200, "<html>Sign in</html>")]);
    scene.append(5).await;
    scene.until_failures(1).await;
    assert_eq!(scene.ledger().await.delivered, 0);
    scene.until(|ledger| ledger.delivered == 5).await;
    assert_eq!(arrived_once(&scene), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_formatter_that_breaks_on_answers_leaves_them_to_the_status() {
    let scene = Scene::start_formatting(Misbehaving::breaking_on_answers().component()).await;
    scene.receiver.script(vec![Fault::Status(503)]);
    scene.append(5).await;
    scene.until(|ledger| ledger.delivered == 5).await;
    assert_eq!(arrived_once(&scene), 5);
}

/// A formatter that asks for as long as it is answered with 200.
fn waiting_for_ever() -> Misbehaving {
    let pending = Pending { after_ms: 0, query: Vec::new(), body: Vec::new(), state: b"for ever".to_vec() };
    Misbehaving::honest().says(200, Verdict::Pending(pending))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_that_nobody_reads_confirms_nothing() {
    for formatter in [waiting_for_ever().breaking_on_follow_ups(), waiting_for_ever().silent_on_follow_ups()]
    {
        let scene = Scene::start_formatting(formatter.component()).await;
        scene.append(3).await;
        scene.receiver.wait_for_requests(3, PATIENCE).await.unwrap();
        assert_eq!((scene.ledger().await.delivered, scene.ledger().await.waiting), (0, 3));
        assert_eq!(arrived_once(&scene), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_refused_does_not_condemn_the_events() {
    let scene = Scene::start_formatting(waiting_for_ever().component()).await;
    scene.receiver.script(vec![Fault::HangFor(Duration::ZERO), Fault::Status(400)]);
    scene.append(3).await;
    scene.until_state(State::Holding).await;
    let ledger = scene.ledger().await;
    assert_eq!((ledger.dead_lettered, ledger.waiting), (0, 3));
    let status = scene.pipeline().status();
    assert_eq!((status.suspects, status.waiting_for_confirmation), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_never_comes_ends_with_the_batch_being_sent_again() {
    let formatter = waiting_for_ever();
    let scene = Scene::start_formatting(formatter.component()).await;
    scene.append(3).await;
    scene.receiver.wait_for(6, PATIENCE).await.unwrap();
    let questions =
        scene.receiver.requests().iter().filter(|request| request.path.ends_with("/health")).count();
    assert_eq!(questions, 60);
    assert_eq!((scene.ledger().await.delivered, scene.ledger().await.waiting), (0, 3));
}

// ---- Verdicts that the host acts on ----

#[tokio::test(flavor = "multi_thread")]
async fn what_a_siem_has_taken_before_a_bad_event_is_not_sent_again() {
    let scene = Scene::start().await;
    scene.receiver.script(vec![Fault::StopAt(2), Fault::StopAt(1)]);
    scene.append(8).await;
    scene.until(|ledger| ledger.waiting == 0).await;
    let ledger = scene.ledger().await;
    assert_eq!((ledger.delivered, ledger.dead_lettered, ledger.difference()), (6, 2, 0));
    assert_eq!(arrived_once(&scene), 6);
    let letters = scene.store.dead_letters(None, None, 10).await.unwrap();
    let positions: BTreeSet<u64> = letters.iter().map(|letter| letter.position).collect();
    // The third, and of the five after it, which were sent again, the second.
    assert_eq!(positions, BTreeSet::from([3, 5]));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_knows_which_records_are_lost_the_batch_is_dead_lettered_with_that_cause() {
    let uncertain = Verdict::Uncertain { lost: 2, reason: "two documents were dropped".to_owned() };
    let scene = Scene::start_formatting(Misbehaving::honest().says(200, uncertain).component()).await;
    scene.append(5).await;
    scene.until(|ledger| ledger.waiting == 0).await;
    let ledger = scene.ledger().await;
    assert_eq!((ledger.delivered, ledger.dead_lettered, ledger.difference()), (0, 5, 0));
    for letter in scene.store.dead_letters(None, None, 10).await.unwrap() {
        assert!(letter.cause.contains("two documents were dropped"), "{}", letter.cause);
        assert!(letter.cause.contains('2') && letter.cause.contains('5'), "{}", letter.cause);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_delivered_and_counted_beside() {
    let runs = vec![Run { first: 1, count: 2, fate: Fate::Delivered }];
    let partial = Verdict::Partial(Partial { runs, rest: Fate::Duplicate, note: None });
    let scene = Scene::start_formatting(Misbehaving::honest().says(200, partial).component()).await;
    scene.append(5).await;
    scene.until(|ledger| ledger.waiting == 0).await;
    let ledger = scene.ledger().await;
    assert_eq!((ledger.delivered, ledger.duplicates, ledger.difference()), (5, 3, 0));
    assert_eq!(arrived_once(&scene), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_keeps_everything_and_shows_the_formatters_words() {
    let hold = Verdict::Hold(refusal("the licence has run out", "renew the licence"));
    let scene = Scene::start_formatting(Misbehaving::honest().says(503, hold).component()).await;
    scene.receiver.script(vec![Fault::Status(503)]);
    scene.append(5).await;
    scene.until_state(State::Holding).await;
    let error = scene.pipeline().status().last_error.unwrap();
    assert_eq!(
        (error.reason.as_str(), error.hint.as_str()),
        ("the licence has run out", "renew the licence")
    );
    assert_eq!((scene.ledger().await.waiting, scene.ledger().await.dead_lettered), (5, 0));
    scene.until(|ledger| ledger.delivered == 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_formatter_makes_a_destination_wait_for_longer_than_ten_minutes() {
    let retry = Verdict::Retry { after_ms: Some(u64::MAX), reason: "come back some day".to_owned() };
    let scene = Scene::start_formatting(Misbehaving::honest().says(503, retry).component()).await;
    scene.receiver.fail_always(Some(Fault::Status(503)));
    scene.append(5).await;
    scene.until_failures(1).await;
    let status = scene.pipeline().status();
    let at_ms = status.last_error.unwrap().at_ms;
    let wait_ms = status.next_attempt_ms.unwrap().saturating_sub(at_ms);
    assert!((590_000..=610_000).contains(&wait_ms), "{wait_ms} ms");
    assert_eq!(scene.receiver.totals().requests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_asks_for_a_pause_gets_it_and_the_events_are_delivered() {
    let pause_ms = 1_500;
    let note = Note {
        reason: "the queue is nearly full".to_owned(),
        hint: "add indexers".to_owned(),
        pause_ms: Some(pause_ms),
    };
    let delivered = Verdict::Delivered(Some(note));
    let scene = Scene::start_formatting(Misbehaving::honest().says(200, delivered).component()).await;
    scene.append_numbered(0..1).await;
    scene.until(|ledger| ledger.delivered == 1).await;
    scene.append_numbered(1..2).await;
    scene.until(|ledger| ledger.delivered == 2).await;
    let requests = scene.receiver.requests();
    let gap = requests[1].at.duration_since(requests[0].at).unwrap();
    assert!(gap >= Duration::from_millis(pause_ms), "{gap:?}");
}
