//! The product as its users have it: the real binary, real TLS, real files, real WebAssembly, and stand-ins for the
//! SIEMs that are no kinder than the real ones.
//!
//! Every test is a story told with [`support::Scene`]. A scene that ends with `stop` has also shown that the host
//! drained, that no SIEM would have spoiled a record, and that no secret is in any log line or store file.

#![allow(
    clippy::indexing_slicing,
    clippy::new_ret_no_self,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and `Scene::new` begins a story with its builder"
)]

#[allow(dead_code, reason = "most hostile guests never get into a running host")]
#[path = "../guests/guests.rs"]
mod guests;
mod support;
mod third_party;

mod acknowledgement;
mod addresses;
mod authoring;
mod backfill;
mod bad_configuration;
mod bad_input;
mod compiler;
mod dead_letters;
mod delivery;
mod destinations;
mod doctor;
mod every_destination;
mod export;
mod fetched;
mod hostile_plugins;
mod independence;
mod laws;
mod ledger;
mod notifications;
mod operation;
mod otlp;
mod plugin_commands;
mod plugin_versions;
mod plugins;
mod profiles;
mod retry;
mod schemas;
mod secrets;
mod signed;
mod small_disk;
mod sources;
mod tls;
mod trust;
mod webhooks;
