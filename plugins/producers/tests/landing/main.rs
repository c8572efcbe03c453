//! Where what everybody asks of an event lands: for each destination and each producer, the places of severity, time,
//! key, user, outcome and policy in the record that the SIEM gets.
//!
//! Nothing here knows a formatter. An event is formatted, changed in one respect and formatted again; where the two
//! records differ is where that respect lands. The table of it is `docs/producers-and-destinations.md`, and this test
//! fails when the page says anything else (`SIEMAPHORE_UPDATE_DOCS=1` writes it).
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

mod formatters;
mod places;

use std::fmt::Write as _;
use std::path::Path;

use siemaphore_producers::{PRODUCERS, Sample, samples};
use siemaphore_sdk::Event;

use crate::formatters::{Formatted, formatters};
use crate::places::{Aspect, Landings};

const HEAD: &str = "\
# Producers and destinations

Where severity, time, identity, outcome and policy of each producer's events land in each destination's record, with the formatter's
example settings. The whole document of the event is in every record besides (in Slack's, its first 3,000 characters); a place with `…`
in front is within that copy.

A test makes this page (`plugins/producers/tests/landing`): it changes one thing of an event and looks where the record changes. `-`
means that the producer's events do not have it.
";

#[test]
fn the_page_shows_where_everything_lands_and_nothing_is_lost() {
    let mut page = HEAD.to_owned();
    let mut lost = Vec::new();
    // Taken in once: that costs more than all the formatting.
    let samples = samples();
    for formatter in formatters() {
        write!(page, "\n## {}\n\n", formatter.name).unwrap();
        let names = Aspect::ALL.map(Aspect::name).join(" | ");
        let line = "---|".repeat(Aspect::ALL.len());
        write!(page, "| producer | {names} |\n|---|{line}\n").unwrap();
        for producer in PRODUCERS {
            let of_producer = || samples.iter().filter(|sample| sample.producer == producer);
            write!(page, "| {producer} ").unwrap();
            for aspect in Aspect::ALL {
                let cell = cell(&formatter, of_producer(), aspect).unwrap_or_else(|| {
                    lost.push(format!("{} of {producer} at {}", aspect.name(), formatter.name));
                    String::new()
                });
                write!(page, "| {cell} ").unwrap();
            }
            page.push_str("|\n");
        }
    }
    assert_eq!(lost, Vec::<String>::new(), "what the producer says does not reach the record");
    compare(&page);
}

/// One cell of a table: `-` when the producer's events have nothing of the kind, none when it reaches no record.
fn cell<'a>(
    formatter: &Formatted,
    of_producer: impl Iterator<Item = &'a Sample>,
    aspect: Aspect,
) -> Option<String> {
    let mut landings = None::<Landings>;
    for Sample { event, .. } in of_producer {
        if let Some(changed) = aspect.change(event) {
            landings.get_or_insert_default().add(formatter, event, &changed);
        }
    }
    let Some(landings) = landings else { return Some("-".to_owned()) };
    Some(landings.shown().join(", ")).filter(|places| !places.is_empty())
}

fn compare(page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/producers-and-destinations.md");
    if std::env::var_os("SIEMAPHORE_UPDATE_DOCS").is_some() {
        std::fs::write(&file, page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page,
        "the page is out of date: run this test with SIEMAPHORE_UPDATE_DOCS=1 and look at it"
    );
}

/// Every value that an event can have in the respect that is asked for.
type Changed = Vec<Event>;
