//! Every target on its seeds, and on mutations of these: what the ordinary test run has of fuzzing.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fastrand::Rng;
use siemaphore_fuzz_targets::TARGETS;

/// For each target: a second or two of an unoptimised build.
const MUTATIONS: usize = 2_000;
/// What mutations put in: the characters that mean something, and numbers at the edges.
const PIECES: [&[u8]; 24] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b",",
    b":",
    b"\n",
    b"\0",
    b"\xff",
    b"\xc3\x28",
    b"'",
    b"=",
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"4294967295",
    b"\xff\xff\xff\xff",
    b"%2e",
    b"null",
    b"\xe2\x80\xa8",
];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no seeds");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn mutate(input: &mut Vec<u8>, other: &[u8], random: &mut Rng) {
    let at = random.usize(..=input.len());
    let end = (at + random.usize(..16)).min(input.len());
    match random.u8(..6) {
        0 if at < input.len() => input[at] ^= 1 << random.u8(..8),
        1 => drop(input.drain(at..end)),
        2 => input.splice(at..at, PIECES[random.usize(..PIECES.len())].iter().copied()).for_each(drop),
        3 => input.splice(at..end, input[at..end].repeat(2)).for_each(drop),
        4 => input.truncate(at.max(1)),
        _ => {
            let from = random.usize(..=other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
    }
}

fn check(name: &str, run: fn(&[u8]), input: &[u8]) {
    let outcome = catch_unwind(AssertUnwindSafe(|| run(input)));
    assert!(outcome.is_ok(), "target {name} broke on: b\"{}\"", input.escape_ascii());
}

fn seeds_and_mutations(name: &str) {
    let (_, run) = TARGETS.into_iter().find(|(known, _)| *known == name).expect("a target");
    let seeds = seeds(name);
    seeds.iter().for_each(|seed| check(name, run, seed));
    let seed = 0x5eed;
    let mut random = Rng::with_seed(seed);
    for _ in 0..MUTATIONS {
        let mut input = seeds[random.usize(..seeds.len())].clone();
        for _ in 0..random.usize(1..5) {
            mutate(&mut input, &seeds[random.usize(..seeds.len())], &mut random);
        }
        check(name, run, &input);
    }
}

#[test]
fn no_body_breaks_the_intake() {
    seeds_and_mutations("intake");
}

#[test]
fn no_text_breaks_the_configuration() {
    seeds_and_mutations("configuration");
}

#[test]
fn no_damage_breaks_the_reading_of_blocks() {
    seeds_and_mutations("block");
}

#[test]
fn nothing_that_a_guest_returns_breaks_the_host() {
    seeds_and_mutations("guest");
}

#[test]
fn no_answer_breaks_a_formatter_or_is_a_delivery_without_success() {
    seeds_and_mutations("answer");
}

#[test]
fn no_form_of_a_secret_survives_cleaning() {
    seeds_and_mutations("cleaning");
}

#[test]
fn no_schema_and_event_break_or_hang_a_check() {
    seeds_and_mutations("schema");
}

#[test]
fn every_target_has_a_binary_of_its_name() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml has no {name}");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fuzz_targets/{name}.rs"));
        assert!(fs::read_to_string(source).unwrap().contains(&format!("{name}::run")), "{name}");
    }
}
