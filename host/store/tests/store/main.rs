//! The store on real files: what it promises to intake, to pipelines and to operators.

mod damage;
mod destinations;
mod disk;
mod durability;
mod idempotency;
mod ledger_model;
mod limits;
mod settling;
mod support;
