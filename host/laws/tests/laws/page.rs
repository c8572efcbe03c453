//! docs/laws.md against the crate.

use std::collections::BTreeSet;

use siemaphore_laws::{Law, corpus};

const PAGE: &str = include_str!("../../../../docs/laws.md");

/// What stands between backquotes in the first column of the page's tables.
fn first_column() -> BTreeSet<&'static str> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    rows.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches('`')).collect()
}

#[test]
fn the_page_tells_of_every_law() {
    for law in Law::ALL {
        assert!(first_column().contains(law.as_str()), "{law}");
    }
}

#[test]
fn the_page_tells_of_every_group_of_events() {
    for case in corpus().cases() {
        let group = format!("{}/…", case.name.split('/').next().unwrap());
        assert!(first_column().contains(group.as_str()), "{group}");
    }
}
