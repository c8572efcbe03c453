//! Files as they are written, rotated and truncated, read by a source as the host runs it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

#[path = "../support/rig.rs"]
mod rig;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use rig::Rig;
use siemaphore_sources::Kind;
use siemaphore_sources::file::{FileConfig, From, Pattern};

fn following(name: &str) -> Rig {
    following_from(name, From::Beginning)
}

fn following_from(name: &str, from: From) -> Rig {
    Rig::new(|folder| Kind::File(FileConfig { pattern: Pattern::new(&folder.join(name)).unwrap(), from }))
}

fn line(id: impl std::fmt::Display) -> String {
    format!("{{\"id\":\"{id}\"}}\n")
}

fn append(path: &Path, text: impl AsRef<[u8]>) {
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_ref()).unwrap();
}

#[tokio::test]
async fn what_is_there_and_what_is_added_is_read_once_and_a_restart_goes_on() {
    let mut rig = following("app.jsonl");
    append(&rig.path("app.jsonl"), line("a") + &line("b"));
    append(&rig.path("other.jsonl"), line("not wanted"));
    rig.start();
    rig.has(&["a", "b"]).await;
    append(&rig.path("app.jsonl"), line("c"));
    rig.has(&["a", "b", "c"]).await;
    rig.stop().await;
    append(&rig.path("app.jsonl"), line("d"));
    rig.start();
    rig.has(&["a", "b", "c", "d"]).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_file_that_appears_later_is_read_from_its_beginning() {
    let mut rig = following_from("*.jsonl", From::End);
    append(&rig.path("old.jsonl"), line("old") + "{\"id\":\"half");
    // It looks before it stops.
    rig.start();
    rig.stop().await;
    rig.start();
    append(&rig.path("old.jsonl"), " and half\"}\n");
    rig.has(&["half and half"]).await;
    append(&rig.path("new.jsonl"), line("new"));
    rig.has(&["half and half", "new"]).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_last_line_without_its_end_waits_until_it_is_whole() {
    let mut rig = following("app.jsonl");
    append(&rig.path("app.jsonl"), "{\"id\":\"a\"");
    rig.start();
    append(&rig.path("app.jsonl"), ",\"b\":{}");
    append(&rig.path("app.jsonl"), "}");
    rig.has(&["a"]).await;
    append(&rig.path("app.jsonl"), "\r\n{\"id\":\"b\"}\r\n\r\n");
    rig.has(&["a", "b"]).await;
    rig.stop().await;
    assert_eq!(rig.counters().refused, 0);
}

#[tokio::test]
async fn a_renamed_file_is_read_to_its_end_and_the_one_in_its_place_from_its_beginning() {
    let mut rig = following("app.jsonl");
    let (app, rotated) = (rig.path("app.jsonl"), rig.path("app.jsonl.1"));
    append(&app, line("a"));
    rig.start();
    rig.has(&["a"]).await;
    let mut writer = File::options().append(true).open(&app).unwrap();
    fs::rename(&app, &rotated).unwrap();
    append(&app, line("c"));
    rig.has(&["a", "c"]).await;
    // A writer may keep the old file open for a while.
    writer.write_all(line("b").as_bytes()).unwrap();
    rig.has(&["a", "b", "c"]).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_file_that_is_renamed_while_nobody_reads_is_finished_after_the_restart() {
    let mut rig = following("app.jsonl");
    let (app, rotated) = (rig.path("app.jsonl"), rig.path("app.jsonl.1"));
    append(&app, line("a"));
    rig.start();
    rig.has(&["a"]).await;
    rig.stop().await;
    append(&app, line("b"));
    fs::rename(&app, &rotated).unwrap();
    append(&app, line("c"));
    rig.start();
    rig.has(&["a", "b", "c"]).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_truncated_file_is_read_anew_and_its_copy_from_where_it_was_read_to() {
    let mut rig = following("app.jsonl*");
    let app = rig.path("app.jsonl");
    append(&app, line("a") + &line("b"));
    rig.start();
    rig.has(&["a", "b"]).await;
    rig.stop().await;
    // Not read yet when it is rotated by copy and truncation.
    append(&app, line("c"));
    fs::copy(&app, rig.path("app.jsonl.1")).unwrap();
    File::create(&app).unwrap();
    append(&app, line("d"));
    rig.start();
    rig.has(&["a", "b", "c", "d"]).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_file_that_was_truncated_and_has_grown_beyond_is_noticed() {
    let mut rig = following("app.jsonl");
    let app = rig.path("app.jsonl");
    append(&app, line("a"));
    rig.start();
    rig.has(&["a"]).await;
    rig.stop().await;
    fs::write(&app, line("b") + &line("c") + &line("d")).unwrap();
    rig.start();
    rig.has(&["a", "b", "c", "d"]).await;
    // And while it is followed.
    fs::write(&app, line("e")).unwrap();
    rig.has(&["a", "b", "c", "d", "e"]).await;
    rig.stop().await;
}

#[tokio::test]
async fn what_is_no_event_is_counted_and_passed_over() {
    let mut rig = following("app.jsonl");
    let long = "x".repeat(3 * 1024 * 1024);
    let large = format!("{{\"id\":\"large\",\"text\":\"{}\"}}\n", "y".repeat(300 * 1024));
    append(&rig.path("app.jsonl"), line("a") + "oops\n[]\n" + &long + "\n" + &large);
    append(&rig.path("app.jsonl"), b"{\"id\":\"\xff\"}\n\xef\xbb\xbf\n");
    append(&rig.path("app.jsonl"), line("b"));
    rig.start();
    rig.has(&["a", "b"]).await;
    rig.stop().await;
    assert_eq!(rig.counters().refused, 6);
}

#[tokio::test]
async fn a_checkpoint_that_is_behind_the_store_doubles_nothing() {
    let mut rig = following("*.jsonl");
    append(&rig.path("app.jsonl"), line("a"));
    rig.start();
    rig.has(&["a"]).await;
    rig.stop().await;
    let behind = fs::read(rig.checkpoint()).unwrap();
    rig.start();
    append(&rig.path("app.jsonl"), line("b"));
    rig.has(&["a", "b"]).await;
    append(&rig.path("app.jsonl"), "oops\n".to_owned() + &line("c"));
    append(&rig.path("new.jsonl"), line("d"));
    rig.has(&["a", "b", "c", "d"]).await;
    rig.stop().await;
    // As if the host had been killed each time between the store's commit and the checkpoint; and there is more now, so
    // that no portion would be cut as it was.
    fs::write(rig.checkpoint(), behind).unwrap();
    append(&rig.path("app.jsonl"), line("e"));
    rig.start();
    rig.has(&["a", "b", "c", "d", "e"]).await;
    rig.stop().await;
}

#[tokio::test]
async fn while_the_store_refuses_nothing_is_lost_and_then_it_goes_on_by_itself() {
    let mut rig = following("app.jsonl");
    rig.log.refuse(true);
    append(&rig.path("app.jsonl"), line("a"));
    rig.start();
    rig.log.wait_for_appends(2).await;
    assert!(rig.status().problem.unwrap().contains("are kept in reserve"));
    // Rotated and removed meanwhile: what is open is read all the same.
    append(&rig.path("app.jsonl"), line("b"));
    fs::remove_file(rig.path("app.jsonl")).unwrap();
    rig.log.refuse(false);
    rig.has(&["a", "b"]).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_store_that_refuses() {
    let mut rig = following("app.jsonl");
    rig.log.refuse(true);
    append(&rig.path("app.jsonl"), line("a"));
    rig.start();
    rig.log.wait_for_appends(1).await;
    rig.stop().await;
    rig.log.refuse(false);
    rig.start();
    rig.has(&["a"]).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_long_backlog_of_several_files_is_read_in_portions() {
    let mut rig = following("*.jsonl");
    let mut expected = Vec::new();
    for file in ["a", "b"] {
        let ids: Vec<String> = (0..5_000).map(|number| format!("{file}{number:04}")).collect();
        append(&rig.path(&format!("{file}.jsonl")), ids.iter().map(line).collect::<String>());
        expected.extend(ids);
    }
    rig.start();
    rig.has(&expected.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(rig.status().portions >= 6, "{:?}", rig.status());
    rig.stop().await;
}

#[tokio::test]
async fn a_folder_that_is_replaced_is_followed_again() {
    let mut rig = following("app.jsonl");
    append(&rig.path("app.jsonl"), line("a"));
    rig.start();
    rig.has(&["a"]).await;
    let folder = rig.path("");
    fs::rename(&folder, rig.folder.path().join("old")).unwrap();
    fs::create_dir(&folder).unwrap();
    append(&rig.path("app.jsonl"), line("b"));
    rig.has(&["a", "b"]).await;
    append(&rig.path("app.jsonl"), line("c"));
    rig.has(&["a", "b", "c"]).await;
    rig.stop().await;
}
