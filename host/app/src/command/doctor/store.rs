//! The store: who has it, whether it is sound, how full it is, and what has piled up in it.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;

use crate::command::doctor::finding::Finding;
use crate::config;
use crate::control::Client;
use crate::host::state::{nearest, obstacle};
use crate::print;

const CHECK: &str = "store";
/// Of a limit, so much is near it.
const NEAR_PERCENT: u64 = 80;
/// An event that waits for longer shows that something holds it up.
const LONG_WAIT: Duration = Duration::from_secs(10 * 60);

#[derive(Deserialize)]
struct Status {
    size_bytes: u64,
    size_limit_bytes: u64,
    free_bytes: u64,
    disk_reserve_bytes: u64,
    events: u64,
    damaged_blocks: u64,
    accepting: bool,
}

#[derive(Deserialize)]
struct Ledger {
    organization: String,
    name: String,
    active: bool,
    dead_lettered: u64,
    dead_letter_bytes: u64,
    dead_letter_limit_bytes: u64,
    waiting: u64,
    difference: i64,
    oldest_waiting_ms: Option<u64>,
}

pub(crate) async fn check(file: &Path, client: &Result<Client>) -> Vec<Finding> {
    let config = match config::store_config(file) {
        Ok(config) => config,
        Err(error) => return vec![Finding::error(CHECK, &error, "mend the configuration")],
    };
    let folder = config.folder;
    if !folder.is_dir() {
        return before_the_first_start(&folder, config.disk_reserve_bytes);
    }
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            return vec![Finding::error(CHECK, error, "see docs/operations.md, \"The store is damaged\"")];
        }
    };
    match ask(client, &folder).await {
        Ok(findings) => findings,
        Err(error) => vec![Finding::error(CHECK, &error, "see the log of the host")],
    }
}

/// What is in the way of the folder itself is told by the check of the state folder.
fn before_the_first_start(folder: &Path, reserve_bytes: u64) -> Vec<Finding> {
    if obstacle(folder).is_some() {
        return Vec::new();
    }
    let text = format!("{} is not there yet: the first start makes it", folder.display());
    let mut findings = vec![Finding::ok(CHECK, text)];
    if let Ok(known) = rustix::fs::statvfs(nearest(folder)) {
        let free_bytes = known.f_bavail.saturating_mul(known.f_frsize);
        findings.push(room(free_bytes, reserve_bytes, free_bytes >= reserve_bytes));
    }
    findings
}

async fn ask(client: &Client, folder: &Path) -> Result<Vec<Finding>> {
    let wrong: Vec<String> = client.get("/v1/store/check").await?;
    let status: Status = client.get("/v1/store").await?;
    let ledgers: Vec<Ledger> = client.get("/v1/ledger").await?;
    let mut findings = vec![
        integrity(client, &wrong),
        room(status.free_bytes, status.disk_reserve_bytes, status.accepting),
        size(&status),
    ];
    findings.extend(damage(&status));
    findings.extend(set_aside(folder));
    findings.push(sums(&ledgers));
    let active = ledgers.iter().filter(|ledger| ledger.active);
    findings.extend(active.filter_map(|ledger| backlog(ledger, client.is_host())));
    findings.extend(ledgers.iter().filter_map(dead_letters));
    Ok(findings)
}

fn integrity(client: &Client, wrong: &[String]) -> Finding {
    let owner = if client.is_host() { "the running host has it" } else { "no host runs" };
    match wrong.first() {
        None => Finding::ok(CHECK, format!("{owner}; its tables are sound")),
        Some(first) => Finding::failed(
            CHECK,
            format!("{owner}; its tables are damaged: {first}"),
            "restart the host: it keeps what can be read; docs/operations.md, \"The store is damaged\"",
        ),
    }
}

fn room(free_bytes: u64, reserve_bytes: u64, accepting: bool) -> Finding {
    let text = format!("{} free, the reserve is {}", print::size(free_bytes), print::size(reserve_bytes));
    if !accepting {
        return Finding::failed(
            "disk",
            format!("{text}: events are refused with 503, delivery goes on"),
            "free some space, move `state` to a larger disk, or lower `disk_reserve` in [store]; events are taken \
             again by themselves when there is room",
        );
    }
    if free_bytes / 2 < reserve_bytes {
        return Finding::warning("disk", text, "free some space before events are refused");
    }
    Finding::ok("disk", text)
}

fn size(status: &Status) -> Finding {
    let (size, limit) = (print::size(status.size_bytes), print::size(status.size_limit_bytes));
    let text = format!("{} in {size} of {limit}", print::count(status.events, "event"));
    match is_near(status.size_bytes, status.size_limit_bytes) {
        true => Finding::warning(
            "store size",
            format!("{text}: at the limit the oldest waiting events expire"),
            "mend the destination that does not take its events, or raise `size_limit` in [store]",
        ),
        false => Finding::ok("store size", text),
    }
}

fn is_near(bytes: u64, limit_bytes: u64) -> bool {
    bytes >= limit_bytes / 100 * NEAR_PERCENT
}

fn damage(status: &Status) -> Option<Finding> {
    (status.damaged_blocks > 0).then(|| {
        Finding::warning(
            "damage",
            format!("set aside: {}; their events are counted as damaged", print::count(status.damaged_blocks, "damaged block")),
            "check the disk; `siemaphore export --since 7d --out FILE --damaged FOLDER` saves what there is of them",
        )
    })
}

/// Whole database files that a start has found damaged and put beside.
fn set_aside(folder: &Path) -> Option<Finding> {
    let entries = std::fs::read_dir(folder).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let damaged: Vec<String> = names.filter(|name| name.contains("damaged")).collect();
    (!damaged.is_empty()).then(|| {
        Finding::warning(
            "damage",
            format!("{} holds database files that were damaged: {}", folder.display(), damaged.join(", ")),
            "check the disk; keep the files elsewhere for a rescue, and remove them when they are not needed",
        )
    })
}

fn sums(ledgers: &[Ledger]) -> Finding {
    let wrong = ledgers.iter().find(|ledger| ledger.difference != 0);
    match wrong {
        None => Finding::ok(
            "ledger",
            format!("adds up for {}", print::count(ledgers.len() as u64, "destination")),
        ),
        Some(ledger) => Finding::failed(
            "ledger",
            format!("{} does not add up: the difference is {:+}", id(ledger), ledger.difference),
            "this must not happen: keep a copy with `siemaphore backup FILE`, and report it",
        ),
    }
}

fn backlog(ledger: &Ledger, has_host: bool) -> Option<Finding> {
    let now_ms = print::now_ms();
    let oldest_ms = ledger.oldest_waiting_ms?;
    if now_ms.saturating_sub(oldest_ms) < LONG_WAIT.as_millis() as u64 {
        return None;
    }
    let (waiting, ago) = (ledger.waiting, print::ago(now_ms, oldest_ms));
    let verb = if waiting == 1 { "waits" } else { "wait" };
    let fix = match has_host {
        true => "`siemaphore destination list` says why and what to do",
        false => "no host runs: start it with `siemaphore run`",
    };
    Some(Finding::warning(
        format!("backlog {}", id(ledger)),
        format!("{} {verb}, the oldest for {ago}", print::count(waiting, "event")),
        fix,
    ))
}

fn dead_letters(ledger: &Ledger) -> Option<Finding> {
    let (bytes, limit) = (ledger.dead_letter_bytes, ledger.dead_letter_limit_bytes);
    if ledger.dead_lettered == 0 {
        return None;
    }
    let check = format!("dead letters {}", id(ledger));
    let text = format!("{} in {} of {}", ledger.dead_lettered, print::size(bytes), print::size(limit));
    let id = id(ledger);
    let fix = format!(
        "`siemaphore dead-letters list --destination {id}` says why; mend it, then \
         `siemaphore dead-letters replay --destination {id} --all`, or `discard` instead of `replay`"
    );
    Some(match (bytes >= limit, is_near(bytes, limit)) {
        (true, _) => Finding::failed(check, format!("{text}: the limit is reached"), fix),
        (false, true) => Finding::warning(check, format!("{text}: near the limit"), fix),
        (false, false) => Finding::ok(check, text),
    })
}

fn id(ledger: &Ledger) -> String {
    format!("{}/{}", ledger.organization, ledger.name)
}
