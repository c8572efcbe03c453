//! Secret references, and the values that they stand for.
//!
//! A configuration names where a secret is (`env:HEC_TOKEN`, `file:/run/secrets/hec`); [`Secrets`] reads it when a
//! request needs it. A value lives in a [`Secret`]: zeroed on drop, never printed, compared and exposed only on
//! purpose.
//!
//! Knows nothing of destinations or SIEMs, so that whoever may hold a `Secrets` is decided elsewhere: today only
//! `siemaphore-delivery`. There must be no path from the sandbox to this crate.
#![forbid(unsafe_code)]

mod provider;
mod reference;
mod secret;
mod secrets;

pub use provider::MAX_SECRET_BYTES;
pub use reference::{ReferenceError, SecretReference};
pub use secret::Secret;
pub use secrets::{CACHE_TIME, REFRESH_INTERVAL, SecretError, SecretErrorKind, Secrets};
