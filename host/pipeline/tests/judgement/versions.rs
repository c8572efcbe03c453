//! New versions of a customer's formatter that are worse than the one before, which returns: what they did to events is
//! done anew, and nothing is given up for it.

use std::time::Duration;

use siemaphore_model::formatter::{Fate, Partial, Pending, Run, Verdict};
use siemaphore_pipeline::Schedule;
use siemaphore_receiver::Fault;
use siemaphore_registry::Artifact;
use siemaphore_store::{FullDeadLetter, Selection};

use crate::misbehaving::{FORBIDDEN_INDEX, LAST_WORDS, Misbehaving, Poison, REJECTION};
use crate::scene::{DESTINATION, Scene};

/// The version that works.
fn first() -> Misbehaving {
    Misbehaving::honest()
}

/// Marks its records of events of the type `poison`.
fn second() -> Misbehaving {
    Misbehaving::honest().poison(Poison::IsForbidden)
}

fn digest(version: &Misbehaving) -> String {
    Artifact::new("my-siem", version.component()).digest().to_owned()
}

/// The first version has worked, and the second has just replaced it.
async fn replaced(second: &Misbehaving) -> Scene {
    replaced_from(&first(), second).await
}

async fn replaced_from(first: &Misbehaving, second: &Misbehaving) -> Scene {
    let scene = Scene::start_with_file(first.component(), |pipeline| {
        pipeline.concurrency = 1;
        pipeline.retry.schedule = Schedule::Fixed(vec![Duration::from_millis(20)]);
        pipeline.batch_events = Some(20);
    })
    .await;
    scene.append_numbered(0..1).await;
    scene.until(|ledger| ledger.delivered == 1).await;
    scene.replace(&second.component()).await;
    scene
}

async fn append_poison(scene: &Scene, count: u64) {
    scene.append_typed((1_000..1_000 + count).map(|number| (number, "poison"))).await;
}

/// The first version formats again, everything has arrived, and nothing was given up.
async fn assert_returned(scene: &Scene, delivered: u64, reason: &str) {
    scene.until_version(&digest(&first())).await;
    let sent_back = scene.plugin().sent_back.unwrap();
    assert!(sent_back.reason.contains(reason), "{sent_back:?}");
    scene.until(|ledger| ledger.waiting == 0).await;
    let ledger = scene.ledger().await;
    assert_eq!((ledger.delivered, ledger.dead_lettered, ledger.difference()), (delivered, 0, 0));
}

/// Records of the second version that have arrived.
fn of_the_second(scene: &Scene) -> usize {
    scene.receiver.received().iter().filter(|received| received.raw.contains(FORBIDDEN_INDEX)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_that_breaks_on_a_success_gives_way_and_the_success_is_not_believed() {
    let scene = replaced(&second().breaking_on_created()).await;
    // It may say that some were not taken; nobody has read it.
    scene.receiver.script(vec![Fault::answer(201, "")]);
    append_poison(&scene, 5).await;
    assert_returned(&scene, 6, "trapped").await;
    assert_eq!(scene.receiver.received().len(), 6, "the five have arrived with the version that returned");
    assert_eq!(of_the_second(&scene), 0);
    assert_eq!(scene.ledger().await.duplicates, 5, "the SIEM may have kept them");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_a_version_has_left_in_the_queue_are_not_sent_after_it_has_given_way() {
    let scene = replaced(&second().breaking_on_created()).await;
    scene.receiver.script(vec![Fault::answer(201, "")]);
    // Three requests, of which one may be under way.
    append_poison(&scene, 60).await;
    assert_returned(&scene, 61, "`interpret`").await;
    assert_eq!((scene.receiver.received().len(), of_the_second(&scene)), (61, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_that_breaks_on_a_confirmation_gives_way_at_once() {
    let pending = Pending { after_ms: 0, query: Vec::new(), body: Vec::new(), state: Vec::new() };
    let asking = second().says(200, Verdict::Pending(pending)).breaking_on_follow_ups();
    let scene = replaced(&asking).await;
    append_poison(&scene, 3).await;
    assert_returned(&scene, 4, "`interpret`").await;
    // The SIEM had taken the three before it was asked what became of them.
    assert_eq!((of_the_second(&scene), scene.ledger().await.duplicates), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_only_a_new_version_knows_to_be_lost_are_formatted_anew() {
    let uncertain = Verdict::Uncertain { lost: 9, reason: "nine documents were dropped".to_owned() };
    let scene = replaced(&second().says(201, uncertain)).await;
    scene.receiver.script(vec![Fault::answer(201, "")]);
    append_poison(&scene, 20).await;
    assert_returned(&scene, 21, "9 of its events were refused").await;
    assert_eq!((of_the_second(&scene), scene.ledger().await.duplicates), (0, 11));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_formatted_anew_fills_requests_as_ever() {
    let scene = replaced(&Misbehaving::honest().poison(Poison::Traps)).await;
    let before = scene.receiver.requests().len();
    // The second version was tried on each by itself.
    append_poison(&scene, 40).await;
    assert_returned(&scene, 41, "trapped").await;
    assert_eq!(scene.receiver.requests().len() - before, 2, "of twenty events each");
}

/// How long an answer is held back. Nothing is asserted of it: a slow machine tests less.
const HELD_BACK: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_refused_after_its_version_has_gone_is_formatted_anew() {
    let runs = vec![Run { first: 0, count: 1, fate: Fate::Delivered }];
    let rest = Fate::Rejected("made by the wrong version".to_owned());
    let partial = Verdict::Partial(Partial { runs, rest, note: None });
    let scene = replaced(&second().says(200, partial)).await;
    scene.receiver.script(vec![Fault::HangFor(HELD_BACK)]);
    scene.while_it_formats(append_poison(&scene, 3)).await;
    scene.registry.roll_back("my-siem").unwrap();
    assert_returned(&scene, 4, "an operator").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_names_the_version_that_made_its_records() {
    let uncertain = Verdict::Uncertain { lost: 1, reason: "one document was dropped".to_owned() };
    let first = first().says(200, uncertain);
    let scene = Scene::start_with_file(first.component(), |_| {}).await;
    scene.receiver.script(vec![Fault::HangFor(HELD_BACK)]);
    scene.while_it_formats(scene.append(2)).await;
    scene.replace(&second().component()).await;
    scene.until(|ledger| ledger.dead_lettered == 2).await;
    let id = scene.store.dead_letters(None, None, 10).await.unwrap()[0].id;
    let letter = scene.store.dead_letter(id).await.unwrap().unwrap();
    assert_eq!(letter.plugin_digest, digest(&first));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_only_with_a_new_version_is_formatted_anew() {
    let scene = replaced_from(&first().with_small_records(), &second().with_small_records()).await;
    append_poison(&scene, 8).await;
    scene.until_version(&digest(&first().with_small_records())).await;
    scene.until(|ledger| ledger.waiting == 0).await;
    assert_eq!((scene.ledger().await.delivered, scene.ledger().await.dead_lettered), (9, 0));
}

// ---- Too few refusals to say anything ----

/// Three events that the new version rejects, and five that it delivers.
async fn append_some_poison(scene: &Scene) {
    let kind = |number| if number % 3 == 1 { "poison" } else { "test.event" };
    scene.append_typed((100..108).map(|number| (number, kind(number)))).await;
    scene.until(|ledger| ledger.delivered == 6).await;
    scene.until_suspects(3).await;
    let error = scene.pipeline().status().last_error.unwrap();
    assert!(error.reason.contains("withheld until this version has proven itself"), "{error:?}");
    assert_eq!((scene.ledger().await.waiting, scene.ledger().await.dead_lettered), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_events_that_a_new_version_refuses_wait_and_are_formatted_by_the_one_that_returns() {
    let scene = replaced(&Misbehaving::honest().poison(Poison::IsRejected)).await;
    append_some_poison(&scene).await;
    scene.registry.roll_back("my-siem").unwrap();
    assert_returned(&scene, 9, "an operator").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_events_that_a_new_version_refuses_are_dead_letters_once_it_has_proven_itself() {
    let second = Misbehaving::honest().poison(Poison::IsRejected);
    let scene = replaced(&second).await;
    append_some_poison(&scene).await;
    assert!(scene.plugin().is_new);
    for thousand in 1..=10 {
        scene.append_numbered(thousand * 1_000..(thousand + 1) * 1_000).await;
    }
    scene.until(|ledger| ledger.waiting == 0).await;
    assert!(!scene.plugin().is_new);
    let ledger = scene.ledger().await;
    assert_eq!((ledger.delivered, ledger.dead_lettered, ledger.difference()), (10_006, 3, 0));
    let id = scene.store.dead_letters(None, None, 10).await.unwrap()[0].id;
    let FullDeadLetter { letter, plugin_digest, .. } = scene.store.dead_letter(id).await.unwrap().unwrap();
    assert_eq!(plugin_digest, digest(&second));
    assert!(letter.cause.contains(REJECTION), "{}", letter.cause);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_few_lost_events_waits_until_the_new_version_has_gone() {
    let uncertain = Verdict::Uncertain { lost: 2, reason: "two documents were dropped".to_owned() };
    let scene = replaced(&second().says(201, uncertain)).await;
    scene.receiver.script(vec![Fault::answer(201, "")]);
    append_poison(&scene, 5).await;
    scene.until_suspects(5).await;
    assert_eq!((scene.ledger().await.waiting, scene.ledger().await.dead_lettered), (5, 0));
    scene.registry.roll_back("my-siem").unwrap();
    assert_returned(&scene, 6, "an operator").await;
}

// ---- Nothing goes through ----

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_none_of_whose_requests_is_taken_gives_way() {
    let scene = replaced(&second()).await;
    scene.receiver.script(vec![Fault::Status(415); 3]);
    append_poison(&scene, 5).await;
    assert_returned(&scene, 6, "415").await;
    assert_eq!(of_the_second(&scene), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_stays_when_the_siem_is_away_or_the_credential_is_wrong() {
    let scene = replaced(&second()).await;
    let outage = [500, 503, 429].map(Fault::Status);
    scene.receiver.script([outage.to_vec(), vec![Fault::Status(401); 4]].concat());
    append_poison(&scene, 5).await;
    scene.until(|ledger| ledger.delivered == 6).await;
    assert_eq!((of_the_second(&scene), scene.plugin().sent_back.is_none()), (5, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_of_the_way_back_names_the_event() {
    let scene = replaced_from(&second(), &Misbehaving::honest().poison(Poison::Traps)).await;
    let kind = |number| if number == 7 { "poison" } else { "test.event" };
    scene.append_typed((0..20).map(|number| (number, kind(number)))).await;
    scene.until(|ledger| ledger.delivered == 21).await;
    let reason = scene.plugin().sent_back.unwrap().reason;
    let (fault, key) = reason.rsplit_once(", on event ").unwrap();
    assert!(fault.contains(LAST_WORDS), "{reason}");
    let received = scene.receiver.received();
    let poison = received.iter().find(|received| received.raw.contains(FORBIDDEN_INDEX)).unwrap();
    assert!(poison.raw.contains(key), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_on_which_the_version_before_has_failed_too_send_no_new_version_back() {
    let traps = || Misbehaving::honest().poison(Poison::Traps);
    let scene = Scene::start_with_file(traps().component(), |pipeline| pipeline.concurrency = 1).await;
    append_poison(&scene, 1).await;
    scene.append_numbered(0..1).await;
    scene.until(|ledger| (ledger.delivered, ledger.dead_lettered) == (1, 1)).await;
    // The author has mended something else.
    let second = traps().says(599, Verdict::Standard);
    scene.replace(&second.component()).await;
    scene.store.request_replay(DESTINATION, Selection::All).await.unwrap();
    scene.until_replayed().await;
    scene.append_numbered(1..2).await;
    scene.until(|ledger| ledger.delivered == 2).await;
    let status = scene.plugin();
    assert_eq!((status.digest, status.sent_back), (Some(digest(&second)), None));
}
