//! The words that the other crates share: events and how producers' JSON becomes one, what a formatter says, which
//! events a destination wants.
//!
//! Pure: no I/O, no async, no clock. Times come in as arguments.
#![forbid(unsafe_code)]

pub mod event;
pub mod event_buffer;
pub mod event_key;
pub mod formatter;
pub mod normalise;
pub mod profile;
pub mod redaction;
pub mod severity;
pub mod subscription;

pub use event::Event;
pub use event_buffer::EventBuffer;
pub use event_key::EventKey;
pub use normalise::Normaliser;
pub use profile::{Profile, ProfileError};
pub use redaction::Redaction;
pub use severity::Severity;
pub use subscription::Subscription;
