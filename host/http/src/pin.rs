//! Certificate pins: the only keys that a server may have.
//!
//! A pin is added to all other checks and replaces none of them: authority, name and dates are checked as without it.
//! It is for operators to whom a certificate of the right name by a trusted authority is not enough. A server with a
//! certificate that no authority vouches for is trusted by its certificate as the CA file, with a pin or without.
//!
//! What is pinned is the public key (SHA-256 of the SubjectPublicKeyInfo), not the certificate: a certificate that is
//! renewed with the same key keeps its pin. Only the server's own key counts, not those of its authorities: the
//! certificates that a server sends along are its own choice.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};
use thiserror::Error;
use x509_parser::prelude::{FromDer, X509Certificate};

/// As curl's `--pinnedpubkey` takes it.
const PREFIX: &str = "sha256//";
/// Digits of a SHA-256 in hexadecimal.
const FINGERPRINT_DIGITS: usize = 64;

/// The SHA-256 of a server's public key: `sha256//` and 32 bytes in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificatePin([u8; 32]);

impl CertificatePin {
    /// `None` when the certificate cannot be read.
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Option<CertificatePin> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        Some(CertificatePin(Sha256::digest(certificate.public_key().raw).into()))
    }
}

impl fmt::Display for CertificatePin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", STANDARD.encode(self.0))
    }
}

/// What is no pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PinError {
    #[error("it is the fingerprint of a certificate, and a pin is that of its public key")]
    Fingerprint,
    #[error("it does not begin with `sha256//`")]
    NoPrefix,
    #[error("it is not 32 bytes in base64 after `sha256//`")]
    NotADigest,
}

impl PinError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        "write the pin that `siemaphore doctor` shows for this server, once you have compared its certificate with the server's own"
    }
}

impl FromStr for CertificatePin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        if is_fingerprint(text) {
            return Err(PinError::Fingerprint);
        }
        let digest = text.strip_prefix(PREFIX).ok_or(PinError::NoPrefix)?;
        let bytes = STANDARD.decode(digest).map_err(|_| PinError::NotADigest)?;
        bytes.try_into().map(CertificatePin).map_err(|_| PinError::NotADigest)
    }
}

/// As `openssl x509 -fingerprint` and browsers show it.
fn is_fingerprint(text: &str) -> bool {
    let digits = text.rsplit('=').next().unwrap_or(text);
    let mut digits = digits.chars().filter(|character| *character != ':');
    digits.clone().count() == FINGERPRINT_DIGITS && digits.all(|digit| digit.is_ascii_hexdigit())
}

/// The server has another key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotPinned {
    pub(crate) seen: CertificatePin,
}

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key {} is not pinned", self.seen)
    }
}

impl std::error::Error for NotPinned {}

/// Asks another verifier first, and then for one of the pins.
#[derive(Debug)]
pub(crate) struct PinVerifier {
    pub(crate) pins: Vec<CertificatePin>,
    pub(crate) inner: Arc<dyn ServerCertVerifier>,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.inner.verify_server_cert(certificate, intermediates, name, ocsp, now)?;
        let error = match CertificatePin::of(certificate) {
            Some(seen) if self.pins.contains(&seen) => return Ok(verified),
            Some(seen) => CertificateError::Other(OtherError(Arc::new(NotPinned { seen }))),
            None => CertificateError::BadEncoding,
        };
        Err(rustls::Error::InvalidCertificate(error))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIN: &str = "sha256//r/mIkG3eEpVdm+u/ko/cwxzOMo1bk4TyHIlByibiA5E=";

    #[test]
    fn a_pin_reads_back_as_it_was_written() {
        let pin: CertificatePin = PIN.parse().expect("a pin");
        assert_eq!(pin.to_string(), PIN);
    }

    #[test]
    fn what_is_no_pin_is_told_apart() {
        let digits = "AF98".repeat(16);
        let colons = "AF:98:".repeat(16);
        for (text, error) in [
            ("", PinError::NoPrefix),
            ("sha1//r/mIkG3eEpVdm+u=", PinError::NoPrefix),
            (PIN.strip_prefix(PREFIX).expect("a prefix"), PinError::NoPrefix),
            (PREFIX, PinError::NotADigest),
            (&PIN[..PIN.len() - 1], PinError::NotADigest),
            (&PIN[..PIN.len() - 4], PinError::NotADigest),
            (&digits, PinError::Fingerprint),
            (&digits.to_lowercase(), PinError::Fingerprint),
            (&colons[..colons.len() - 1], PinError::Fingerprint),
            (&format!("sha256 Fingerprint={}", &colons[..colons.len() - 1]), PinError::Fingerprint),
        ] {
            assert_eq!(text.parse::<CertificatePin>(), Err(error), "{text}");
        }
    }
}
