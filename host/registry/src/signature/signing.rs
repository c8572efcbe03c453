//! Private keys: for whoever publishes plugins, on their machine.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use super::pem::{self, PRIVATE_KEY, Pem};
use super::{KEY_BYTES, KeyError, PublicKey, SIGNATURE_BYTES};

/// What stands before the 32 bytes in the DER form of a private key (PKCS#8 version 1, RFC 8410). `ring` itself writes
/// version 2, which OpenSSL does not read.
const PRIVATE_KEY_HEADER: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A key that signs.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// A new key and its PEM, or `None` when the machine has no randomness to give.
    pub fn generate() -> Option<(SigningKey, Zeroizing<String>)> {
        let mut seed = Zeroizing::new([0; KEY_BYTES]);
        SystemRandom::new().fill(seed.as_mut()).ok()?;
        let der = Zeroizing::new([&PRIVATE_KEY_HEADER[..], seed.as_ref()].concat());
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).ok()?;
        Some((SigningKey(pair), Zeroizing::new(pem::write(PRIVATE_KEY, &der))))
    }

    /// From PKCS#8 in PEM, version 1 or 2.
    pub fn parse(text: &str) -> Result<SigningKey, KeyError> {
        let pem = Pem::parse(text).ok_or(KeyError::Damaged)?;
        match pem.label {
            PRIVATE_KEY => {}
            "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
            pem::PUBLIC_KEY => return Err(KeyError::Public),
            other => return Err(KeyError::Other { label: other.to_owned() }),
        }
        let der = pem.content().ok_or(KeyError::Damaged)?;
        // Without its public half there is nothing to check it against: that is how OpenSSL writes keys.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| KeyError::NotEd25519)?;
        Ok(SigningKey(pair))
    }

    pub fn public_key(&self) -> PublicKey {
        let bytes = self.0.public_key().as_ref();
        PublicKey(bytes.try_into().expect("an Ed25519 public key has 32 bytes"))
    }

    pub fn sign(&self, component: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(component).as_ref().try_into().expect("an Ed25519 signature has 64 bytes")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.public_key().fingerprint())
    }
}
