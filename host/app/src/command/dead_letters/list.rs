//! `siemaphore dead-letters list`: how many there are, a line each, and their causes once.
//!
//! Many letters have one cause, which is a sentence with a hint: it stands below the table, under a number that the
//! letters refer to.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use comfy_table::Cell;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::Asking;
use crate::command::Failure;
use crate::command::dead_letters::{query, runnable};
use crate::command::destination_name::DestinationName;
use crate::control::Client;
use crate::print;

/// What is listed of a dead letter.
#[derive(Debug, Clone, Deserialize)]
struct Letter {
    id: i64,
    destination: String,
    event_type: String,
    cause: String,
    hint: String,
    attempts: u64,
    updated_ms: u64,
    replay_requested: bool,
}

pub(crate) async fn run(
    destination: Option<&str>,
    after: Option<i64>,
    limit: u32,
    asking: &Asking,
) -> Result<(), Failure> {
    let client = Client::host_or_store(&asking.configured).await?;
    let mut query = query(&client, destination).await?;
    query.append_pair("limit", &limit.to_string());
    query.extend_pairs(after.map(|after| ("after", after.to_string())));
    let letters: Vec<Value> = client.get(&format!("/v1/dead-letters?{}", query.finish())).await?;
    if asking.json {
        return Ok(print::json(&letters)?);
    }
    let letters: Vec<Letter> = letters.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?;
    let Some(last) = letters.last() else {
        print::aside(if after.is_some() { "no more" } else { "no event has been given up" });
        return Ok(());
    };
    let causes = Causes::of(&letters);
    print::line(totals(&client, destination, letters.len() as u64, causes.0.len() as u64).await?);
    let mut table = print::table(&["id", "destination", "event type", "tries", "given up", "cause"]);
    for letter in &letters {
        table.add_row(row(letter, causes.number(letter)));
    }
    print::show_fitted(&mut table, &[4, 3]);
    causes.print();
    if letters.len() >= limit as usize {
        print::aside(format_args!("there may be more: --after {}", last.id));
    }
    print::aside("`siemaphore dead-letters show ID` shows the event, every attempt and what to do");
    Ok(())
}

/// `35 dead letters of 1 destination, with 2 causes`; where not all are listed, the causes are those of the list.
async fn totals(
    client: &Client,
    destination: Option<&str>,
    listed: u64,
    causes: u64,
) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Ledger {
        #[serde(flatten)]
        destination: DestinationName,
        dead_lettered: u64,
    }
    let mut ledgers: Vec<Ledger> = client.get("/v1/ledger").await?;
    ledgers.retain(|ledger| {
        let is_wanted = |wanted| ledger.destination.name == wanted || ledger.destination.id() == wanted;
        ledger.dead_lettered > 0 && destination.is_none_or(is_wanted)
    });
    let total = ledgers.iter().map(|ledger| ledger.dead_lettered).sum();
    let letters = print::count(total, "dead letter");
    let destinations = print::count(ledgers.len() as u64, "destination");
    let causes = print::count(causes, "cause");
    Ok(match listed < total {
        true => format!("{letters} of {destinations}; listed: {listed}, with {causes}"),
        false => format!("{letters} of {destinations}, with {causes}"),
    })
}

fn row(letter: &Letter, cause: usize) -> Vec<Cell> {
    let tries = match letter.replay_requested {
        true => format!("{}, again", letter.attempts),
        false => letter.attempts.to_string(),
    };
    vec![
        print::cell(letter.id),
        print::cell(&letter.destination),
        print::cell(&letter.event_type),
        print::cell(tries),
        print::cell(format!("{} ago", print::ago(print::now_ms(), letter.updated_ms))),
        print::cell(format_args!("[{cause}]")),
    ]
}

/// A cause of one destination, with its hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cause<'a> {
    destination: &'a str,
    cause: &'a str,
    hint: &'a str,
}

impl Letter {
    fn cause(&self) -> Cause<'_> {
        Cause { destination: &self.destination, cause: &self.cause, hint: &self.hint }
    }
}

/// Causes and how many letters have them, the most frequent first.
struct Causes<'a>(Vec<(Cause<'a>, u64)>);

impl<'a> Causes<'a> {
    fn of(letters: &'a [Letter]) -> Causes<'a> {
        let mut counted: BTreeMap<Cause<'_>, u64> = BTreeMap::new();
        for letter in letters {
            *counted.entry(letter.cause()).or_default() += 1;
        }
        let mut causes: Vec<_> = counted.into_iter().collect();
        causes.sort_by_key(|(_, count)| Reverse(*count));
        Causes(causes)
    }

    /// From 1.
    fn number(&self, letter: &Letter) -> usize {
        let cause = letter.cause();
        self.0.iter().position(|(known, _)| *known == cause).map_or(0, |index| index + 1)
    }

    fn print(&self) {
        for (index, (Cause { destination, cause, hint }, count)) in self.0.iter().enumerate() {
            let (number, letters) = (index + 1, print::count(*count, "letter"));
            let hint = runnable(hint, destination);
            print::line(format_args!("[{number}] {letters} of {destination}: {cause}\n    hint: {hint}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_numbered_by_how_many_letters_have_them() {
        let letter = |id, cause: &str| Letter {
            id,
            destination: "acme/splunk".to_owned(),
            event_type: String::new(),
            cause: cause.to_owned(),
            hint: String::new(),
            attempts: 1,
            updated_ms: 0,
            replay_requested: false,
        };
        let letters = [letter(1, "rare"), letter(2, "often"), letter(3, "often")];
        let causes = Causes::of(&letters);
        assert_eq!(letters.each_ref().map(|letter| causes.number(letter)), [2, 1, 1]);
        assert_eq!(causes.0.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [2, 1]);
    }
}
