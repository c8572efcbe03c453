//! Watching a replay: how many still wait, what holds them up, and in the end how many arrived.

use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::Value;
use tokio::signal::unix::Signal;
use tokio::time::{Instant, sleep};

use crate::command::dead_letters::replay::Asked;
use crate::command::progress;
use crate::control::Client;
use crate::print;

/// Between two questions, for as long as somebody watches.
const PERIOD: Duration = Duration::from_millis(500);
/// Without a terminal, a line is printed this often.
const LINE_PERIOD: Duration = Duration::from_secs(10);
/// Without progress for so long, it is asked what holds the destination up.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most letters of one page.
const PAGE: usize = 1000;

/// How it ended.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(crate) arrived: u64,
    pub(crate) failed_again: u64,
    pub(crate) waiting: u64,
    pub(crate) ended_early: Option<&'static str>,
}

pub(crate) async fn run(
    client: &Client,
    asked: &[Asked],
    mut interrupts: Signal,
    quiet: bool,
) -> Result<Followed> {
    let total = asked.iter().map(|asked| asked.waiting).sum();
    let mut watch =
        Watch { client, asked, quiet, bar: progress::count(Some(total), "dead letters"), left: total };
    let ended = tokio::select! {
        ended = watch.until_through() => ended.map(|()| None),
        _ = interrupts.recv() => Ok(Some("no longer watched, the host goes on")),
    };
    watch.bar.finish_and_clear();
    let waiting = watch.left;
    let ended_early = ended?;
    let mut failed_again = 0;
    for asked in asked {
        failed_again += count_failures(client, asked).await?;
    }
    let arrived = total.saturating_sub(waiting).saturating_sub(failed_again);
    Ok(Followed { arrived, failed_again, waiting, ended_early })
}

struct Watch<'a> {
    client: &'a Client,
    asked: &'a [Asked],
    quiet: bool,
    bar: ProgressBar,
    left: u64,
}

impl Watch<'_> {
    async fn until_through(&mut self) -> Result<()> {
        let (mut moved, mut said) = (Instant::now(), Instant::now());
        loop {
            let left = self.count_waiting().await?;
            if left < self.left {
                moved = Instant::now();
            }
            self.left = left;
            self.bar.set_position(self.bar.length().unwrap_or_default().saturating_sub(left));
            if left == 0 {
                return Ok(());
            }
            if moved.elapsed() >= PATIENCE {
                self.bar.set_message(self.what_holds_it_up().await?);
            }
            if said.elapsed() >= LINE_PERIOD && self.bar.is_hidden() && !self.quiet {
                print::aside(format_args!(
                    "{} to go {}",
                    print::count(left, "dead letter"),
                    self.bar.message()
                ));
                said = Instant::now();
            }
            sleep(PERIOD).await;
        }
    }

    async fn count_waiting(&self) -> Result<u64> {
        #[derive(Deserialize)]
        struct Waiting {
            waiting: u64,
        }
        let mut total = 0;
        for asked in self.asked {
            let answer: Waiting = self.client.get(&asked.destination.path("dead-letters/replay")).await?;
            total += answer.waiting;
        }
        Ok(total)
    }

    /// In the destination's words; empty when it only takes long.
    async fn what_holds_it_up(&self) -> Result<String> {
        for asked in self.asked {
            let view: Value = self.client.get(&asked.destination.path("")).await?;
            let text = |pointer: &str| view.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            if view.get("enabled") == Some(&Value::Bool(false)) {
                return Ok(format!(
                    "({} is disabled: they go out when it is enabled)",
                    asked.destination.id()
                ));
            }
            if matches!(text("/status/state"), "failing" | "holding") {
                let (reason, hint) = (text("/status/last_error/reason"), text("/status/last_error/hint"));
                return Ok(format!("({}: {reason}; hint: {hint})", asked.destination.id()));
            }
        }
        Ok(String::new())
    }
}

/// Letters from before that were given up again since: page by page, however many there are.
async fn count_failures(client: &Client, asked: &Asked) -> Result<u64> {
    #[derive(Deserialize)]
    struct Letter {
        id: i64,
        created_ms: u64,
        updated_ms: u64,
        replay_requested: bool,
    }
    let (mut after, mut failures) = (0, 0);
    loop {
        let path = format!("{}?after={after}&limit={PAGE}", asked.destination.path("dead-letters"));
        let page: Vec<Letter> = client.get(&path).await?;
        let failed = page.iter().filter(|letter| {
            letter.created_ms < asked.at_ms && letter.updated_ms >= asked.at_ms && !letter.replay_requested
        });
        failures += failed.count() as u64;
        match page.last() {
            // Later ones were given up after this was asked for.
            Some(last) if page.len() == PAGE && last.created_ms < asked.at_ms => after = last.id,
            _ => return Ok(failures),
        }
    }
}
