//! What a server's certificate says of itself, for people to compare and to be warned in time.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use crate::pin::CertificatePin;

/// A certificate as it was presented. Nothing in it has been verified: its texts are the server's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of the whole certificate in hex, in pairs with colons between, as `openssl x509 -fingerprint` writes it.
    pub fingerprint: String,
    /// Of its public key, as a configuration takes it.
    pub pin: CertificatePin,
    pub subject: String,
    pub issuer: String,
    pub not_before: SystemTime,
    pub not_after: SystemTime,
}

impl Certificate {
    /// `None` when it is not X.509 that can be read.
    pub(crate) fn parse(der: &CertificateDer<'_>) -> Option<Certificate> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        Some(Certificate {
            fingerprint: fingerprint(der),
            pin: CertificatePin::of(der)?,
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            not_before: system_time(validity.not_before),
            not_after: system_time(validity.not_after),
        })
    }
}

fn fingerprint(der: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(der) {
        let separator = if text.is_empty() { "" } else { ":" };
        // Writing to a String cannot fail.
        write!(text, "{separator}{byte:02X}").ok();
    }
    text
}

/// Times before 1970 are 1970: they are over all the same.
fn system_time(time: ASN1Time) -> SystemTime {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
