//! The store on real files: what it promises to intake, to pipelines and to operators.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]
#![expect(clippy::single_range_in_vec_init, reason = "lists of ranges are what the store speaks in")]

mod backup;
mod damage;
mod damaged_file;
mod destinations;
mod disk;
mod durability;
mod faults;
mod faulty_disk;
mod faulty_vfs;
mod idempotency;
mod ledger_model;
mod limits;
mod migration;
mod replay;
mod settling;
mod support;
