//! For the fuzz targets: answers that no server gave.

use std::sync::Arc;

use siemaphore_secrets::Secret;

use crate::clean::{Answer, Cleaner};

/// An answer as it is after a request with these secrets.
pub fn cleaned(secrets: &[Secret], answer: siemaphore_http::Answer) -> Answer {
    Arc::new(Cleaner::new(secrets)).answer(answer)
}
