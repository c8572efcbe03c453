//! Every hostile guest of tests/guests, and what the sandbox makes of it: which limit, fault or refusal stops it, or
//! that what it does harms nobody. After each, a neighbour in the same sandbox formats as if nothing had been.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/events.rs"]
mod events;
#[path = "../../../tests/guests/guests.rs"]
mod guests;
#[path = "support/responses.rs"]
mod responses;
/// What to expect of each guest: one function each, named after it and given its component.
mod hostile {
    pub(crate) mod events;
    pub(crate) mod loading;
    pub(crate) mod memory;
    pub(crate) mod output;
    pub(crate) mod requests;
    pub(crate) mod scene;
    pub(crate) mod system;
    pub(crate) mod time;
}

use std::path::Path;

/// A test for each guest. One that has no function below `hostile`, or that nobody names there, does not compile.
macro_rules! each_with_its_test {
    ($($guest:ident)*) => {
        mod expectation {
            pub(super) use crate::hostile::{events::*, loading::*, memory::*, output::*, requests::*, system::*, time::*};
        }

        const NAMED: &[&str] = &[$(stringify!($guest)),*];

        $(
            #[test]
            fn $guest() {
                expectation::$guest(crate::guests::$guest::component());
                hostile::scene::a_neighbour_formats();
            }
        )*
    };
}
guests::every_guest!(each_with_its_test);

#[test]
fn every_file_among_the_guests_is_tested() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests");
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let stems = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let mut guests: Vec<String> =
        stems.filter(|stem| !["guests", "handmade"].contains(&stem.as_str())).collect();
    guests.sort();
    assert_eq!(guests, NAMED);
}
