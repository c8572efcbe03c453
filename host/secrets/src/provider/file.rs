//! `file:/path`: a file that holds nothing but the secret, as orchestrators mount them.
//!
//! Blocking: called on a thread where that is fine.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::{MAX_SECRET_BYTES, secret_from};
use crate::Secret;
use crate::secrets::SecretErrorKind;

/// The permission bit that lets everybody on the machine read a file.
const READABLE_BY_ALL: u32 = 0o004;

#[derive(Default)]
pub(crate) struct FileProvider {
    /// Files that were warned about, so that a warning is not repeated with every read.
    warned: Mutex<HashSet<PathBuf>>,
}

impl FileProvider {
    pub(crate) fn read(&self, path: &Path) -> Result<Secret, SecretErrorKind> {
        // Before opening: to open a named pipe would wait for a writer, for ever.
        let metadata = fs::metadata(path).map_err(read_error)?;
        if !metadata.is_file() {
            return Err(SecretErrorKind::NotAFile);
        }
        // With the room reserved, reading never moves the bytes and so leaves no copy behind.
        let limit = MAX_SECRET_BYTES.saturating_add(1);
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit.saturating_add(64)));
        let file = File::open(path).map_err(read_error)?;
        file.take(limit as u64).read_to_end(&mut bytes).map_err(read_error)?;
        let secret = secret_from(bytes)?;
        if metadata.permissions().mode() & READABLE_BY_ALL != 0 && !is_public(secret.expose()) {
            self.warn_once(path);
        }
        Ok(secret)
    }

    fn warn_once(&self, path: &Path) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(path.to_owned()) {
            tracing::warn!(
                path = %path.display(),
                hint = "chmod o-r on the file, or mount it with mode 0400",
                "a secret file can be read by every user of this machine"
            );
        }
    }
}

/// Certificates are shown to everybody; a file that also holds their key is not.
fn is_public(text: &str) -> bool {
    text.contains("-----BEGIN CERTIFICATE-----") && !text.contains("PRIVATE KEY")
}

fn read_error(error: io::Error) -> SecretErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound => SecretErrorKind::Missing,
        _ => SecretErrorKind::Unreadable(error.kind()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_certificates_alone_may_be_readable_by_everybody() {
        let certificate = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
        assert!(is_public(certificate));
        for secret in
            ["token", &format!("{certificate}-----BEGIN EC PRIVATE KEY-----"), "-----BEGIN PRIVATE KEY-----"]
        {
            assert!(!is_public(secret), "{secret}");
        }
    }
}
