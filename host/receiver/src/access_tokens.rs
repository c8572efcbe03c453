//! Access tokens that a token endpoint has issued. They are opaque, as a client must treat real ones.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

/// A client that asks for more tokens than this loses its oldest.
const MAX_TOKENS: usize = 1_024;

pub(crate) struct AccessTokens {
    pub(crate) lifetime: Duration,
    issued: Mutex<VecDeque<Issued>>,
}

struct Issued {
    token: String,
    until: Instant,
}

/// Why an access token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum BearerError {
    #[error("no bearer token")]
    Missing,
    #[error("the bearer token was not issued here")]
    Unknown,
    #[error("the bearer token has expired")]
    Expired,
}

impl AccessTokens {
    pub(crate) fn lasting(lifetime: Duration) -> Self {
        Self { lifetime, issued: Mutex::default() }
    }

    pub(crate) fn issue(&self) -> String {
        let token = format!("receiver-token-{}{}", random_hex(), random_hex());
        let mut issued = self.issued();
        if issued.len() >= MAX_TOKENS {
            issued.pop_front();
        }
        issued.push_back(Issued { token: token.clone(), until: Instant::now() + self.lifetime });
        token
    }

    pub(crate) fn check(&self, bearer: &str) -> Result<(), BearerError> {
        let issued = self.issued();
        let found = issued.iter().find(|issued| issued.token == bearer).ok_or(BearerError::Unknown)?;
        if found.until > Instant::now() { Ok(()) } else { Err(BearerError::Expired) }
    }

    pub(crate) fn expire_all(&self) {
        let now = Instant::now();
        self.issued().iter_mut().for_each(|issued| issued.until = now);
    }

    fn issued(&self) -> MutexGuard<'_, VecDeque<Issued>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Enough randomness that a token cannot be guessed by accident: the standard library seeds its hasher with it.
fn random_hex() -> String {
    format!("{:016x}", RandomState::new().hash_one(Instant::now()))
}
