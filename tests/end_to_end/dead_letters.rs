//! Events that were given up: shown, sent again, dropped, written out, with and without a running host.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use siemaphore_receiver::Fault;

use crate::support::events::{numbered, numbered_ids};
use crate::support::{Destination, Host, Kind, Scene, ids, output, run, spawn};

/// A scene in which Splunk has refused the second of three events; gives the dead letter's id.
async fn with_a_dead_letter() -> (Scene, String) {
    let scene = Scene::new().splunk().start().await;
    scene.splunk().script(vec![Fault::StopAt(1)]);
    scene.send(&numbered("given-up", 3)).await;
    scene.until("splunk", "settled", |view| view["ledger"]["waiting"] == 0).await;
    let letters = scene.ask(&["dead-letters", "list", "--json"]).await.expect(0).json();
    assert_eq!(letters.as_array().unwrap().len(), 1, "{letters:#}");
    let id = letters[0]["id"].to_string();
    (scene, id)
}

#[tokio::test]
async fn a_dead_letter_shows_its_event_its_cause_and_every_attempt() {
    let (scene, id) = with_a_dead_letter().await;
    let shown = scene.ask(&["dead-letters", "show", &id]).await.expect(0);
    shown.shows(&["acme/splunk", "Invalid data format", "400", "given-up-1", "dlp.pii_blocked", "splunk"]);
    let shown = scene.ask(&["dead-letters", "show", &id, "--json"]).await.expect(0).json();
    assert_eq!(shown["event"]["request_id"], "given-up-1", "{shown:#}");
    assert_eq!(shown["siemaphore"]["source"], "gateway", "{shown:#}");
    let letter = &shown["dead_letter"];
    assert_eq!(letter["latest_attempts"][0]["status"], 400, "{shown:#}");
    assert!(letter["latest_attempts"][0]["answer"].as_str().unwrap().contains("invalid-event-number"));
    assert_eq!(letter["plugin_digest"].as_str().unwrap().len(), 64, "{shown:#}");
    let (name, other) = ("splunk", "dead-letters");
    scene.ask(&[other, "show", "4711"]).await.expect(1).shows(&["no dead letter 4711", "hint: "]);
    let listed = scene.ask(&[other, "list", "--destination", name]).await.expect(0);
    listed.shows(&[&id, "acme/splunk", "Invalid data format"]);
    scene.stop().await;
}

#[tokio::test]
async fn a_replay_that_arrives_ends_the_dead_letter_and_one_that_fails_keeps_it_with_the_new_attempt() {
    let (scene, id) = with_a_dead_letter().await;
    scene.splunk().script(vec![Fault::StopAt(0)]);
    let replayed = scene.ask(&["dead-letters", "replay", &id]).await.expect(1);
    replayed.shows(&["0 arrived, 1 failed again", "dead-letters list"]);
    let shown = scene.ask(&["dead-letters", "show", &id, "--json"]).await.expect(0).json();
    assert_eq!(shown["dead_letter"]["attempts"], 2, "{shown:#}");
    assert_eq!(shown["dead_letter"]["replay_requested"], false, "{shown:#}");

    scene.ask(&["dead-letters", "replay", "--all"]).await.expect(0).shows(&["1 arrived, 0 failed again"]);
    assert_eq!(ids(&scene.splunk().arrived(3).await), numbered_ids("given-up", 3));
    let ledger = scene.destination("splunk").await["ledger"].clone();
    assert_eq!((&ledger["delivered"], &ledger["dead_lettered"]), (&json!(3), &json!(0)), "{ledger:#}");
    let nothing = scene.ask(&["dead-letters", "replay", "--all", "--json"]).await.expect(0).json();
    assert_eq!(nothing["requested"], 0);
    scene.stop().await;
}

#[tokio::test]
async fn a_replay_that_nobody_waits_for_can_be_taken_back() {
    let (scene, id) = with_a_dead_letter().await;
    scene.splunk().fail_always(Some(Fault::Status(503)));
    let asked = scene.ask(&["dead-letters", "replay", "--destination", "splunk", "--all", "--no-wait"]).await;
    asked.expect(0).shows(&["1 dead letter on the way"]);
    let shown = scene.ask(&["dead-letters", "show", &id, "--json"]).await.expect(0).json();
    assert_eq!(shown["dead_letter"]["replay_requested"], true, "{shown:#}");
    let cancelled = scene.ask(&["dead-letters", "replay", "--cancel", "--json"]).await.expect(0).json();
    assert_eq!(cancelled, json!({ "cancelled": 1 }));
    let shown = scene.ask(&["dead-letters", "show", &id, "--json"]).await.expect(0).json();
    assert_eq!(shown["dead_letter"]["replay_requested"], false, "{shown:#}");
    scene.stop().await;
}

#[tokio::test]
async fn whoever_stops_watching_a_replay_is_told_that_the_host_goes_on_and_it_does() {
    let (scene, id) = with_a_dead_letter().await;
    scene.splunk().fail_always(Some(Fault::Status(503)));
    let configuration = scene.configuration();
    let watching = spawn(&["dead-letters", "replay", &id, "--config", configuration.to_str().unwrap()]);
    // The letter has been sent again, so the command has asked for it.
    scene.splunk().requested(3).await;
    let pid = Pid::from_raw(watching.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let told = output(watching).await.expect(0);
    told.shows(&["0 arrived, 0 failed again", "no longer watched, the host goes on: 1 dead letter to go"]);
    scene.splunk().fail_always(None);
    scene.until_test_succeeds("splunk").await;
    scene.until("splunk", "replayed", |view| view["ledger"]["dead_lettered"] == 0).await;
    scene.stop().await;
}

#[tokio::test]
async fn discarding_needs_somebody_to_confirm_it_and_is_counted() {
    let (scene, id) = with_a_dead_letter().await;
    scene.ask(&["dead-letters", "discard", &id]).await.expect(1).shows(&["--yes"]);
    scene.ask(&["dead-letters", "discard"]).await.expect(1).shows(&["--all"]);
    assert_eq!(scene.destination("splunk").await["ledger"]["dead_lettered"], 1, "it is still there");
    scene.ask(&["dead-letters", "discard", &id, "--yes"]).await.expect(0).shows(&["1 dead letter discarded"]);
    let ledger = scene.destination("splunk").await["ledger"].clone();
    assert_eq!((&ledger["discarded"], &ledger["dead_lettered"]), (&json!(1), &json!(0)), "{ledger:#}");
    assert_eq!(ledger["difference"], 0);
    scene.stop().await;
}

#[tokio::test]
async fn dead_letters_are_exported_with_everything_and_sent_again_from_the_file() {
    let (scene, id) = with_a_dead_letter().await;
    let file = scene.path("letters.jsonl");
    let path = file.to_str().unwrap();
    scene.ask(&["dead-letters", "export", path]).await.expect(0).shows(&["1 dead letter, ", path]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(line["dead_letter"]["id"].to_string(), id);
    assert_eq!(line["event"]["request_id"], "given-up-1");
    assert_eq!(line["dead_letter"]["latest_attempts"][0]["status"], 400);
    scene.ask(&["dead-letters", "export", path]).await.expect(1).shows(&["is there already"]);

    let (to, token) = (format!("http://{}", scene.host.intake), scene.path("source.secret"));
    let token = format!("file:{}", token.display());
    run(&["send", path, "--to", &to, "--token", &token]).await.expect(0).shows(&["1 of 1 event accepted"]);
    assert_eq!(ids(&scene.splunk().arrived(3).await), numbered_ids("given-up", 3));
    scene.stop().await;
}

#[tokio::test]
async fn without_a_host_dead_letters_are_read_from_the_store_and_marked_for_the_next_start() {
    let (mut scene, id) = with_a_dead_letter().await;
    scene.host.terminate().await;
    let listed = scene.ask(&["dead-letters", "list"]).await.expect(0);
    listed.shows(&[
        "1 dead letter of 1 destination, with 1 cause",
        "acme/splunk",
        "[1] 1 letter of acme/splunk: ",
        "Invalid data format",
    ]);
    scene.ask(&["dead-letters", "list", "--limit", "0"]).await.expect(2).shows(&["--limit"]);
    scene.ask(&["dead-letters", "show", &id]).await.expect(0).shows(&["given-up-1"]);
    scene.ask(&["dead-letters", "export", "-"]).await.expect(0).shows(&["given-up-1"]);
    let marked = scene.ask(&["dead-letters", "replay", &id]).await.expect(0);
    marked.shows(&["1 dead letter marked, to be sent when the host runs"]);
    // What needs a running host still says so.
    scene.ask(&["destination", "list"]).await.expect(1).shows(&["no host answers"]);
    scene.restart().await;
    assert_eq!(ids(&scene.splunk().arrived(3).await), numbered_ids("given-up", 3));
    scene.until("splunk", "settled", |view| view["ledger"]["dead_lettered"] == 0).await;
    scene.stop().await;
}

#[tokio::test]
async fn a_store_that_is_not_there_is_not_made_by_a_question() {
    let stage = Scene::new().splunk().set().await;
    let file = stage.configuration();
    for command in [&["dead-letters", "list"][..], &["ledger"]] {
        let output = run(&[command, &["--config", file.to_str().unwrap()]].concat()).await.expect(1);
        output.shows(&["there is no store", "hint: "]);
    }
    assert!(!stage.path("state").exists());
    // And the folder is still good for a first start.
    let mut host = Host::start(&file).await;
    assert!(host.terminate().await.success());
}

#[tokio::test]
async fn an_event_is_given_up_after_the_attempts_that_the_operator_allows() {
    let impatient = "retry = { shortest = \"100ms\", longest = \"200ms\", give_up_attempts = 2 }";
    let scene = Scene::new().to(Destination::to(Kind::Splunk).with(impatient)).start().await;
    scene.splunk().script(vec![Fault::Status(503), Fault::Status(503)]);
    scene.send(&numbered("impatient", 1)).await;
    let view = scene.until("splunk", "given up", |view| view["ledger"]["dead_lettered"] == 1).await;
    assert_eq!(view["ledger"]["waiting"], 0, "{view:#}");
    let letters = scene.ask(&["dead-letters", "list", "--json"]).await.expect(0).json();
    assert_eq!(letters[0]["attempts"], 2, "{letters:#}");
    // The SIEM is well again, and so is what it had refused.
    scene.ask(&["dead-letters", "replay", "--all"]).await.expect(0).shows(&["1 arrived"]);
    assert_eq!(ids(&scene.splunk().arrived(1).await), numbered_ids("impatient", 1));
    scene.stop().await;
}
