//! Whether a plugin file is signed, and by whom, as far as a command can tell.
//!
//! A signature does not say whose it is: a public key is needed to see that it is that key's.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use serde::Serialize;
use siemaphore_registry::signature::{self, PublicKey, SignatureError, TrustedKeys};

/// A public key has a hundred bytes.
const LONGEST_KEY_BYTES: u64 = 64 * 1024;

/// What is known of a file's signature.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Signed {
    /// There is nothing beside it.
    No,
    /// There is something beside it, and no key to verify it with.
    Unverified,
    By {
        fingerprint: String,
        public_key: String,
    },
}

impl Signed {
    /// With keys, whoever gives them wants one of them to have signed the file: anything else is an error.
    pub(crate) fn of(
        file: &Path,
        component: &[u8],
        beside: Option<&[u8]>,
        keys: &TrustedKeys,
    ) -> Result<Signed> {
        if keys.is_empty() {
            return Ok(if beside.is_some() { Signed::Unverified } else { Signed::No });
        }
        let told = |error: SignatureError| anyhow!("{}: {error}\n  hint: {}", file.display(), error.hint());
        let key = keys.verify_beside(component, beside).map_err(told)?;
        Ok(Signed::By { fingerprint: key.fingerprint(), public_key: key.to_base64() })
    }
}

/// What lies beside a file as its signature.
pub(crate) fn read_beside(file: &Path) -> Result<Option<Vec<u8>>> {
    let read = signature::read_beside(file);
    read.with_context(|| format!("cannot read {}", signature::path_of(file).display()))
}

/// The keys of files that a person named.
pub(crate) fn read_keys(files: &[PathBuf]) -> Result<TrustedKeys> {
    let read = |file: &PathBuf| {
        let failed = || format!("cannot read the key {}", file.display());
        let mut text = String::new();
        let opened = File::open(file).with_context(failed)?;
        opened.take(LONGEST_KEY_BYTES).read_to_string(&mut text).with_context(failed)?;
        PublicKey::parse(&text)
            .map_err(|error| anyhow!("{} cannot verify: {error}\n  hint: {}", file.display(), error.hint()))
    };
    files.iter().map(read).collect::<Result<Vec<_>>>().map(TrustedKeys::new)
}
