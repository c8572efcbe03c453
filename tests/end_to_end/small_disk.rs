//! A disk that is full to the last byte: producers are told to come back, what was accepted is delivered, and nobody
//! has to restart anything.
//!
//! The file system is real, a `tmpfs` with a size. Where this user must not mount one, the tests run themselves again as
//! root of a user namespace of their own; where the machine forbids that too, they say so and prove nothing (the store's
//! fault tests make every single write fail, without a file system).

use std::collections::BTreeSet;
use std::env;
use std::io::Write;

use siemaphore_receiver::Fault;

use crate::support::events::{lines, numbered, numbered_ids};
use crate::support::{Answer, Destination, Kind, Scene, ids};

/// The reserve and the ballast are 64 MiB each; so much is left for the log.
const DISK_MIB: u32 = 256;
const BATCH: usize = 500;
/// Enough that the backlog cannot be settled out of the ballast alone in one commit.
const BATCHES: usize = 20;

#[tokio::test]
async fn on_a_full_disk_producers_get_503_and_the_backlog_is_delivered_without_a_restart() {
    let name = "on_a_full_disk_producers_get_503_and_the_backlog_is_delivered_without_a_restart";
    let Some(scene) = on_a_small_disk(name).await else { return };
    scene.splunk().fail_always(Some(Fault::Status(503)));
    let accepted = send_backlog(&scene).await;
    scene.disk().fill().await;
    assert_eq!(scene.disk().free_bytes(), 0);
    assert_is_turned_away(&send_one(&scene, "full").await);

    scene.splunk().fail_always(None);
    scene.until("splunk", "drained", |view| view["ledger"]["waiting"] == 0).await;
    assert_all_arrived(&scene, &accepted);

    // Settling took the ballast, and now that is gone too.
    scene.disk().fill().await;
    assert_is_turned_away(&send_one(&scene, "full-again").await);
    scene.disk().free();
    send_one(&scene, "free-again").await.expect(200);
    let view = scene.until("splunk", "delivered", |view| view["ledger"]["waiting"] == 0).await;
    assert_eq!(view["ledger"]["accepted"], accepted.len() + 1, "{view:#}");
    scene.stop().await;
}

#[tokio::test]
async fn a_host_that_was_killed_on_a_full_disk_starts_on_it_and_delivers() {
    let name = "a_host_that_was_killed_on_a_full_disk_starts_on_it_and_delivers";
    let Some(mut scene) = on_a_small_disk(name).await else { return };
    scene.splunk().fail_always(Some(Fault::Status(503)));
    let accepted = send_backlog(&scene).await;
    scene.disk().fill().await;
    assert_is_turned_away(&send_one(&scene, "full").await);
    scene.host.kill().await;

    scene.splunk().fail_always(None);
    scene.restart().await;
    scene.until("splunk", "drained", |view| view["ledger"]["waiting"] == 0).await;
    assert_all_arrived(&scene, &accepted);
    scene.disk().free();
    send_one(&scene, "free-again").await.expect(200);
    scene.until("splunk", "delivered", |view| view["ledger"]["waiting"] == 0).await;
    scene.stop().await;
}

/// The last byte goes while events are being sent, comes back and goes again: each answer has to be kept.
#[tokio::test]
async fn what_is_acknowledged_while_the_disk_fills_and_frees_arrives() {
    let name = "what_is_acknowledged_while_the_disk_fills_and_frees_arrives";
    let Some(scene) = on_a_small_disk(name).await else { return };
    let (mut accepted, mut turned_away) = (BTreeSet::new(), 0);
    for round in 0..3 {
        let sending = send_while_it_lasts(&scene, round);
        let ((), answered) = tokio::join!(scene.disk().fill(), sending);
        scene.disk().free();
        accepted.extend(answered.accepted);
        turned_away += answered.turned_away;
        let prefix = format!("free{round}");
        scene.send(&numbered(&prefix, 50)).await;
        accepted.extend(numbered_ids(&prefix, 50));
    }
    assert!(turned_away > 0);
    scene.until("splunk", "drained", |view| view["ledger"]["waiting"] == 0).await;
    assert_all_arrived(&scene, &accepted);
    scene.stop().await;
}

/// What producers were told.
#[derive(Default)]
struct Answered {
    accepted: BTreeSet<String>,
    turned_away: u32,
}

async fn send_while_it_lasts(scene: &Scene, round: u32) -> Answered {
    let mut answered = Answered::default();
    for request in 0..40 {
        let prefix = format!("round{round}-{request}");
        let events = lines(&numbered(&prefix, 50));
        let answer = scene.post(&[("content-type", "application/x-ndjson")], events).await;
        if answer.status == 200 {
            answered.accepted.extend(numbered_ids(&prefix, 50));
        } else {
            assert_is_turned_away(&answer);
            answered.turned_away += 1;
        }
    }
    answered
}

/// A scene with its state on a small file system; none where there can be none, or where the test has been run in a
/// namespace instead.
async fn on_a_small_disk(test: &str) -> Option<Scene> {
    let splunk = Destination::to(Kind::Splunk).with("batch_events = 100");
    match Scene::new().to(splunk).start_on_a_small_disk(DISK_MIB).await {
        Ok(scene) => Some(scene),
        Err(reason) if env::var_os(IN_NAMESPACE).is_some() => panic!("mounting in a namespace: {reason}"),
        Err(reason) => {
            run_in_namespace(test, &reason).await;
            None
        }
    }
}

/// Set in a test that runs as root of a namespace.
const IN_NAMESPACE: &str = "SIEMAPHORE_TEST_IN_NAMESPACE";

async fn run_in_namespace(test: &str, why: &str) {
    let this = env::current_exe().expect("a path");
    let name = format!("small_disk::{test}");
    let unshare = |command: &[&std::ffi::OsStr]| {
        let mut unshare = tokio::process::Command::new("unshare");
        unshare.args(["--map-root-user", "--mount"]).args(command).env(IN_NAMESPACE, "1");
        unshare
    };
    let possible = unshare(&["true".as_ref()]).output().await.is_ok_and(|output| output.status.success());
    if !possible {
        let said =
            format!("SKIPPED, nothing is proven: {name}: mounting is not allowed ({why}), nor is `unshare`");
        // Not with a macro: what those print is shown of tests that fail only.
        writeln!(std::io::stderr(), "{said}").expect("standard error");
        return;
    }
    let command = [this.as_os_str(), "--exact".as_ref(), name.as_ref(), "--nocapture".as_ref()];
    let status = unshare(&command).status().await.expect("unshare starts");
    assert!(status.success(), "{name} failed in a namespace of its own");
}

/// Sends what waits then, and gives the ids.
async fn send_backlog(scene: &Scene) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    for batch in 0..BATCHES {
        let prefix = format!("backlog{batch}");
        scene.send(&numbered(&prefix, BATCH)).await;
        accepted.extend(numbered_ids(&prefix, BATCH));
    }
    accepted
}

async fn send_one(scene: &Scene, prefix: &str) -> Answer {
    let event = lines(&numbered(prefix, 1));
    scene.post(&[("content-type", "application/x-ndjson")], event).await
}

#[track_caller]
fn assert_is_turned_away(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(wait > 0, "{wait}");
}

/// Every accepted event, none that was turned away.
#[track_caller]
fn assert_all_arrived(scene: &Scene, accepted: &BTreeSet<String>) {
    let arrived: BTreeSet<String> = ids(&scene.splunk().received()).into_iter().collect();
    assert_eq!(arrived, *accepted);
}
