//! Nothing acknowledged is lost: the real binary is killed again and again, under SIEMs that misbehave, and afterwards
//! every event that a producer got a 2xx for has to be somewhere.
//!
//! Producers ([`driver`]) post events that are a pure function of their id ([`payload`]), and note which of them the
//! host acknowledged ([`history`]). The host ([`host`]) is killed with SIGKILL at moments that hurt ([`moments`]) and
//! started on the same state. Meanwhile the SIEMs ([`siem`]) refuse, stall and forget ([`faults`]). When all that is
//! over, what arrived, what the dead letters hold and what the ledger says is compared with the history ([`verdict`]).
//!
//! Everything random comes from one seed, which is printed. It repeats what is done and in which order, not the
//! microsecond: two runs of a seed kill the host at the same kinds of moments, and the machine decides what was under
//! way. SIGKILL spares the kernel's page cache, so a missing fsync is not found here; the store's own tests look for
//! that.
//!
//! `SIEMAPHORE_ORACLE_KILLS` and `SIEMAPHORE_ORACLE_SEED` change a run; `cargo xtask oracle` sets them.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and tells a developer in a terminal how far it is"
)]

mod run;

mod payload;

mod history;

mod driver;

mod host;
mod moments;
mod trigger;

mod faults;
mod siem;
mod stage;

mod api;
mod report;
mod verdict;

use std::time::Duration;

/// Far more than a start, a request or a question takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_however_often_the_host_is_killed() {
    run::Run::from_environment().to_its_verdict().await;
}
