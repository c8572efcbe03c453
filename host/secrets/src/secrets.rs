//! Resolving references, with a short memory.
//!
//! A value is kept for [`CACHE_TIME`], so that a busy pipeline does not read a file for each request and a rotated
//! secret is picked up without a restart. When a SIEM refuses a credential, [`Secrets::refresh`] reads it again at
//! once, but not more often than every [`REFRESH_INTERVAL`]: a SIEM that refuses everything must not turn into load
//! on a secret store.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

use crate::provider::env;
use crate::provider::file::FileProvider;
use crate::{Secret, SecretReference};

/// How long a value is used before it is read again.
pub const CACHE_TIME: Duration = Duration::from_secs(5 * 60);
/// The least time between two reads of one secret that [`Secrets::refresh`] causes.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(10);

/// Reads secrets by their reference. One for the whole host; it needs a tokio runtime.
#[derive(Default)]
pub struct Secrets {
    files: Arc<FileProvider>,
    /// As many entries as there are references in the configuration; stale ones go whenever one is added.
    cache: Mutex<HashMap<SecretReference, Cached>>,
}

struct Cached {
    secret: Secret,
    read_at: Instant,
}

/// A secret that could not be had: which, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the secret {reference} {kind}")]
pub struct SecretError {
    pub reference: SecretReference,
    pub kind: SecretErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretErrorKind {
    #[error("does not exist")]
    Missing,
    #[error("is empty")]
    Empty,
    #[error("is larger than 64 KiB")]
    TooLarge,
    #[error("is not UTF-8 text")]
    NotText,
    #[error("is not a regular file")]
    NotAFile,
    #[error("cannot be read: {0}")]
    Unreadable(io::ErrorKind),
}

impl SecretError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match (&self.reference, self.kind) {
            (SecretReference::Env(_), SecretErrorKind::Missing) => {
                "set the variable in the environment of the siemaphore process and restart it"
            }
            (SecretReference::File(_), SecretErrorKind::Missing) => {
                "create the file, or correct the path; it is read again by itself"
            }
            (_, SecretErrorKind::Empty) => "put the secret in; nothing is sent without it",
            (_, SecretErrorKind::TooLarge | SecretErrorKind::NotText | SecretErrorKind::NotAFile) => {
                "point at a text file that holds the secret and nothing else"
            }
            (_, SecretErrorKind::Unreadable(_)) => "let the user that siemaphore runs as read it",
        }
    }
}

impl Secrets {
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a secret, at most [`CACHE_TIME`] old.
    pub async fn resolve(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        self.resolve_within(reference, CACHE_TIME).await
    }

    /// The value of a secret, read again unless that was done within [`REFRESH_INTERVAL`].
    pub async fn refresh(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        self.resolve_within(reference, REFRESH_INTERVAL).await
    }

    async fn resolve_within(
        &self,
        reference: &SecretReference,
        age: Duration,
    ) -> Result<Secret, SecretError> {
        if let Some(secret) = self.cached(reference, age) {
            return Ok(secret);
        }
        let secret =
            self.read(reference).await.map_err(|kind| SecretError { reference: reference.clone(), kind })?;
        self.remember(reference, &secret);
        Ok(secret)
    }

    async fn read(&self, reference: &SecretReference) -> Result<Secret, SecretErrorKind> {
        match reference {
            SecretReference::Env(name) => env::read(name),
            SecretReference::File(path) => {
                let (files, path) = (Arc::clone(&self.files), path.clone());
                tokio::task::spawn_blocking(move || files.read(&path))
                    .await
                    .unwrap_or(Err(SecretErrorKind::Unreadable(io::ErrorKind::Interrupted)))
            }
        }
    }

    fn cached(&self, reference: &SecretReference, age: Duration) -> Option<Secret> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache
            .get(reference)
            .filter(|cached| cached.read_at.elapsed() < age)
            .map(|cached| cached.secret.clone())
    }

    fn remember(&self, reference: &SecretReference, secret: &Secret) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.retain(|_, cached| cached.read_at.elapsed() < CACHE_TIME);
        cache.insert(reference.clone(), Cached { secret: secret.clone(), read_at: Instant::now() });
    }
}
