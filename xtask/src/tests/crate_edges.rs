//! The crates' edges, as ARCHITECTURE.md draws them, against what cargo says.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each crate of the host may use of ours. A new edge is a decision: change this table in a commit of its own.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("secrets", &["http"]),
    ("http", &[]),
    ("receiver", &[]),
    ("bundle", &[]),
    ("sandbox", &["model"]),
    ("laws", &["model", "sandbox"]),
    ("store", &["model"]),
    ("intake", &["model"]),
    ("sources", &["intake", "secrets", "delivery"]),
    ("registry", &["model", "sandbox", "laws"]),
    ("delivery", &["model", "secrets", "http"]),
    ("pipeline", &["model", "store", "registry", "sandbox", "delivery"]),
    ("admin", &["model", "intake", "sources", "store", "registry", "sandbox", "delivery", "pipeline"]),
];

/// Crates that plugins' bytes flow through must have no way to a secret.
const WITHOUT_SECRETS: &[&str] = &["sandbox", "laws", "registry"];

fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let short = |name: &Value| name.as_str().unwrap().strip_prefix("siemaphore-").map(str::to_owned);
    let mut edges = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let Some(name) = short(&package["name"]) else { continue };
        let uses = package["dependencies"].as_array().unwrap().iter();
        let uses =
            uses.filter(|used| used["kind"].is_null()).filter_map(|used| short(&used["name"])).collect();
        edges.insert(name, uses);
    }
    edges
}

#[test]
fn edges_between_crates_point_one_way() {
    let edges = edges();
    for (name, allowed) in ALLOWED {
        for used in &edges[*name] {
            assert!(allowed.contains(&used.as_str()), "{name} uses {used}; allowed are {allowed:?}");
        }
    }
}

#[test]
fn there_is_no_way_from_plugins_to_secrets() {
    let edges = edges();
    for start in WITHOUT_SECRETS {
        let mut reached = BTreeSet::from([(*start).to_owned()]);
        let mut next = vec![(*start).to_owned()];
        while let Some(name) = next.pop() {
            for used in &edges[&name] {
                if reached.insert(used.clone()) {
                    next.push(used.clone());
                }
            }
        }
        assert!(!reached.contains("secrets"), "{start} reaches secrets through {reached:?}");
    }
}

#[test]
fn only_the_sandbox_knows_wasmtime() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    for package in metadata["packages"].as_array().unwrap() {
        let uses = package["dependencies"].as_array().unwrap().iter();
        let uses = uses.filter(|used| used["name"].as_str().unwrap().starts_with("wasmtime")).count();
        assert!(uses == 0 || package["name"] == "siemaphore-sandbox", "{} uses wasmtime", package["name"]);
    }
}

/// Crates that can open a file, a socket or a clock for somebody else.
const AUTHORITIES: &[&str] =
    &["wasmtime-wasi", "cap-std", "cap-primitives", "mio", "socket2", "hyper", "reqwest"];

#[test]
fn nothing_below_the_sandbox_could_reach_the_outside_for_a_guest() {
    let tree = ["tree", "--package", "siemaphore-sandbox", "--edges", "normal", "--prefix", "none"];
    let output = Command::new(env!("CARGO")).args(tree).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let below = String::from_utf8(output.stdout).unwrap();
    let below: BTreeSet<&str> = below.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(below.contains("wasmtime"), "the tree was not read: {below:?}");
    for authority in AUTHORITIES {
        assert!(!below.contains(authority), "siemaphore-sandbox depends on {authority}");
    }
}
