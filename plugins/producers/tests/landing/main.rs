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
example settings. The whole document of the event is in every record besides; a place with `…` in front is within that copy.

A test makes this page (`plugins/producers/tests/landing`): it changes one thing of an event and looks where the record changes. `-`
means that the producer's events do not have it.
";

#[test]
fn the_page_shows_where_everything_lands_and_nothing_is_lost() {
    let mut page = HEAD.to_owned();
    let mut lost = Vec::new();
    for formatter in formatters() {
        write!(page, "\n## {}\n\n", formatter.name).unwrap();
        let names = Aspect::ALL.map(Aspect::name).join(" | ");
        let line = "---|".repeat(Aspect::ALL.len());
        write!(page, "| producer | {names} |\n|---|{line}\n").unwrap();
        for producer in PRODUCERS {
            let cells = Aspect::ALL.map(|aspect| cell(&formatter, producer, aspect, &mut lost));
            writeln!(page, "| {producer} | {} |", cells.join(" | ")).unwrap();
        }
    }
    assert_eq!(lost, Vec::<String>::new(), "what the producer says does not reach the record");
    compare(&page);
}

/// One cell of a table. What every event has, and what a producer's events have, must land somewhere.
fn cell(formatter: &Formatted, producer: &str, aspect: Aspect, lost: &mut Vec<String>) -> String {
    let of_producer = samples().into_iter().filter(|sample| sample.producer == producer);
    let mut has_it = false;
    let mut landings = Landings::default();
    for Sample { event, .. } in of_producer {
        if let Some(changed) = aspect.change(&event) {
            has_it = true;
            landings.add(formatter, &event, &changed);
        }
    }
    if !has_it {
        return "-".to_owned();
    }
    let places = landings.shown();
    if places.is_empty() {
        lost.push(format!("{} of {producer} at {}", aspect.name(), formatter.name));
    }
    places.join(", ")
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
