//! Signatures of plugin files: Ed25519 over the whole file, in forms that standard tools read and write.
//!
//! - A public key is PEM (`BEGIN PUBLIC KEY`), or one line of base64 of its 32 bytes or of the PEM's content.
//! - A signature is its 64 bytes, in a file beside the component: `NAME.wasm.sig`.
//! - `openssl genpkey -algorithm ed25519` makes keys, `openssl pkeyutl -sign -rawin` signs, `-verify -rawin` verifies.
//!
//! Signed are the bytes of the file and nothing else, its name least of all: whoever may write to the plugin folder
//! chooses which signed component stands under which name. No host needs a private one ([`SigningKey`]).

mod error;
mod pem;
mod signing;

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

pub use self::error::{KeyError, SignatureError};
use self::pem::{PUBLIC_KEY, Pem};
pub use self::signing::SigningKey;

pub const SIGNATURE_BYTES: usize = 64;
const KEY_BYTES: usize = 32;
/// What stands before the 32 bytes in the DER form of a public key (RFC 8410).
const PUBLIC_KEY_HEADER: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What is added to the name of a component's file for the name of its signature's.
const EXTENSION: &str = ".sig";
/// Digits of a fingerprint: enough to tell a handful of keys apart by eye. Nothing is decided by it.
const FINGERPRINT_BYTES: usize = 8;

/// A key that signatures are verified with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey([u8; KEY_BYTES]);

impl PublicKey {
    /// From PEM, or from one line of base64.
    pub fn parse(text: &str) -> Result<PublicKey, KeyError> {
        let text = text.trim();
        let der = match Pem::parse(text) {
            Some(pem) if pem.label == PUBLIC_KEY => pem.content().ok_or(KeyError::Damaged)?,
            Some(pem) if pem.label.ends_with("PRIVATE KEY") => return Err(KeyError::Private),
            Some(pem) => return Err(KeyError::Other { label: pem.label.to_owned() }),
            None => STANDARD.decode(text).map_err(|_| KeyError::Damaged)?.into(),
        };
        let key = der.strip_prefix(&PUBLIC_KEY_HEADER).unwrap_or(&der);
        key.try_into().map(PublicKey).map_err(|_| KeyError::NotEd25519)
    }

    /// As `openssl pkey -pubout` writes it.
    pub fn to_pem(&self) -> String {
        pem::write(PUBLIC_KEY, &[&PUBLIC_KEY_HEADER[..], &self.0].concat())
    }

    /// The 32 bytes in one line: the form for a configuration.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// The beginning of the key's SHA-256, for people to tell keys apart.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.0);
        digest.iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }

    fn has_signed(&self, component: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(component, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({})", self.fingerprint())
    }
}

/// The keys whose signatures an operator believes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedKeys(Vec<PublicKey>);

impl TrustedKeys {
    pub fn new(keys: Vec<PublicKey>) -> TrustedKeys {
        TrustedKeys(keys)
    }

    /// No key is trusted: an operator who names none asks for no signatures.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The trusted key that has signed exactly these bytes.
    pub fn verify(&self, component: &[u8], signature: &[u8]) -> Result<&PublicKey, SignatureError> {
        if signature.len() != SIGNATURE_BYTES {
            return Err(SignatureError::Malformed);
        }
        let signer = self.0.iter().find(|key| key.has_signed(component, signature));
        signer.ok_or(SignatureError::Untrusted { keys: self.0.len() })
    }

    /// The same for a component and what lies beside its file: nothing there is an error.
    pub fn verify_beside(
        &self,
        component: &[u8],
        signature: Option<&[u8]>,
    ) -> Result<&PublicKey, SignatureError> {
        self.verify(component, signature.ok_or(SignatureError::Missing)?)
    }
}

/// Where the signature of a component's file lies.
pub fn path_of(component: &Path) -> PathBuf {
    let mut path = component.as_os_str().to_owned();
    path.push(EXTENSION);
    path.into()
}

/// What lies beside a component's file as its signature; `None` when nothing does. Of a file that is too long to be one
/// no more than that is read, and of a pipe nothing.
pub fn read_beside(component: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let opened = match options.open(path_of(component)) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !opened.metadata()?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut signature = Vec::with_capacity(SIGNATURE_BYTES);
    opened.take(SIGNATURE_BYTES as u64 + 1).read_to_end(&mut signature)?;
    Ok(Some(signature))
}

#[cfg(test)]
mod tests;
