//! Where values come from: one file for each scheme of a reference.

pub(crate) mod env;
pub(crate) mod file;

use zeroize::Zeroizing;

use crate::Secret;
use crate::secrets::SecretErrorKind;

/// The largest secret taken. Tokens are some kilobytes at most; a larger file is the wrong file.
pub const MAX_SECRET_BYTES: usize = 64 * 1024;

/// What every provider does with the bytes that it read: text, without the line ending that editors and `echo` add,
/// not empty, not too large.
fn secret_from(bytes: Zeroizing<Vec<u8>>) -> Result<Secret, SecretErrorKind> {
    if bytes.len() > MAX_SECRET_BYTES {
        return Err(SecretErrorKind::TooLarge);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| SecretErrorKind::NotText)?;
    let value = text.trim_end_matches(['\r', '\n']);
    if value.trim().is_empty() {
        return Err(SecretErrorKind::Empty);
    }
    Ok(Secret::new(value))
}
