//! `env:NAME`: an environment variable of the host.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use zeroize::Zeroizing;

use super::secret_from;
use crate::Secret;
use crate::secrets::SecretErrorKind;

pub(crate) fn read(name: &str) -> Result<Secret, SecretErrorKind> {
    let value = std::env::var_os(name).ok_or(SecretErrorKind::Missing)?;
    secret_from(Zeroizing::new(OsString::into_vec(value)))
}
