//! The client's own certificate, for servers that demand one (mutual TLS).
//!
//! Everything that can be wrong with it is found here, before a handshake: a server that refuses a certificate says
//! "bad certificate" at best.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

use crate::certificate::Certificate;

/// A certificate, those between it and its authority, and its private key. Never prints the key.
#[derive(Clone)]
pub struct ClientIdentity {
    key: Arc<CertifiedKey>,
    certificate: Certificate,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// A certificate or key that no server would take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    #[error("the client certificate holds no certificate in PEM form{}", instead(.0))]
    NoCertificate(Option<String>),
    #[error("the client certificate cannot be read: {0}")]
    BadCertificate(String),
    /// What `openssl x509 -req` makes without a file of extensions.
    #[error("the client certificate is X.509 version {0}")]
    OldVersion(u32),
    #[error("the client certificate is not for clients: its extended key usage has no clientAuth")]
    NotForClients,
    #[error("the client certificate expired at {}", date(.0))]
    Expired(SystemTime),
    #[error("the client certificate is not valid before {}", date(.0))]
    NotYetValid(SystemTime),
    #[error("the client key holds no private key in PEM form{}", instead(.0))]
    NoKey(Option<String>),
    #[error("the client key is encrypted with a passphrase")]
    EncryptedKey,
    #[error("the client key is of a kind that is not supported")]
    UnsupportedKey,
    #[error("the client key does not belong to the client certificate")]
    KeyMismatch,
}

impl IdentityError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            IdentityError::NoCertificate(_) => {
                "write the client's certificate between BEGIN CERTIFICATE and END CERTIFICATE lines, followed by those between it and its authority"
            }
            IdentityError::BadCertificate(_) => {
                "issue the certificate again; `openssl x509 -noout -text -in FILE` shows what can be read of it"
            }
            IdentityError::OldVersion(_) => {
                "issue a version 3 certificate: openssl x509 -req makes one when -extfile names a file of extensions"
            }
            IdentityError::NotForClients => {
                "issue the client a certificate with the extended key usage clientAuth, or without any"
            }
            IdentityError::Expired(_) => {
                "put a renewed certificate and its key in place; they are read again without a restart"
            }
            IdentityError::NotYetValid(_) => "check this machine's clock and the client certificate",
            IdentityError::NoKey(_) => {
                "store the key in PEM form, between BEGIN PRIVATE KEY and END PRIVATE KEY lines"
            }
            IdentityError::EncryptedKey => {
                "store the key without a passphrase, as `openssl pkey -in FILE -out NEW` writes it, in a file that only siemaphore reads"
            }
            IdentityError::UnsupportedKey => {
                "use an RSA key of 2048 bits or more, ECDSA P-256 or P-384, or Ed25519"
            }
            IdentityError::KeyMismatch => {
                "put the key in place that the certificate was issued for: `openssl x509 -noout -pubkey -in CERTIFICATE` and `openssl pkey -pubout -in KEY` print the same for a pair"
            }
        }
    }

    /// Whether the key is to blame, and not the certificate.
    pub fn is_of_key(&self) -> bool {
        use IdentityError::{EncryptedKey, KeyMismatch, NoKey, UnsupportedKey};
        matches!(self, NoKey(_) | EncryptedKey | UnsupportedKey | KeyMismatch)
    }

    /// Whether it comes and goes with the time.
    pub fn is_of_time(&self) -> bool {
        matches!(self, IdentityError::Expired(_) | IdentityError::NotYetValid(_))
    }
}

impl ClientIdentity {
    /// From PEM: the certificate first, then its chain; and a private key without a passphrase.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, IdentityError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let chain = chain.map_err(|_| IdentityError::BadCertificate("its PEM is damaged".to_owned()))?;
        let own = chain.first().ok_or_else(|| IdentityError::NoCertificate(label(certificate)))?;
        let unreadable = || IdentityError::BadCertificate("it is not X.509".to_owned());
        if let Some(old) = old_version(own) {
            return Err(IdentityError::OldVersion(old));
        }
        let shown = Certificate::parse(own).ok_or_else(unreadable)?;
        if !is_for_clients(own) {
            return Err(IdentityError::NotForClients);
        }
        let key = any_supported_type(&private_key(key)?).map_err(|_| IdentityError::UnsupportedKey)?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) => Ok(ClientIdentity { key: Arc::new(certified), certificate: shown }),
            Err(rustls::Error::InconsistentKeys(_)) => Err(IdentityError::KeyMismatch),
            Err(error) => Err(IdentityError::BadCertificate(error.to_string())),
        }
    }

    /// Whether it can be shown at this time.
    pub fn check_time(&self, now: SystemTime) -> Result<(), IdentityError> {
        let Certificate { not_before, not_after, .. } = &self.certificate;
        match (now < *not_before, now > *not_after) {
            (true, _) => Err(IdentityError::NotYetValid(*not_before)),
            (_, true) => Err(IdentityError::Expired(*not_after)),
            _ => Ok(()),
        }
    }

    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn resolver(&self) -> Arc<dyn ResolvesClientCert> {
        Arc::new(SingleCertAndKey::from(Arc::clone(&self.key)))
    }
}

fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, IdentityError> {
    // The second is how OpenSSL marked it before PKCS #8.
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(IdentityError::EncryptedKey);
    }
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| IdentityError::NoKey(label(pem)))
}

/// Its version, as people count them, when that is none that TLS libraries take.
fn old_version(der: &CertificateDer<'_>) -> Option<u32> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    (certificate.version() != X509Version::V3).then(|| certificate.version().0.saturating_add(1))
}

/// A certificate without the extension is for everything.
fn is_for_clients(der: &CertificateDer<'_>) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return false };
    match certificate.extended_key_usage() {
        Ok(Some(usage)) => usage.value.any || usage.value.client_auth,
        Ok(None) => true,
        Err(_) => false,
    }
}

/// What the first block of a PEM text calls itself. Nothing else of it is shown: it may be a key.
fn label(pem: &str) -> Option<String> {
    let (_, after) = pem.split_once("-----BEGIN ")?;
    let (label, _) = after.split_once("-----")?;
    let plain = |character: char| character.is_ascii_uppercase() || character == ' ';
    (label.len() <= 32 && label.chars().all(plain)).then(|| label.to_owned())
}

fn instead(label: &Option<String>) -> String {
    label.as_ref().map(|label| format!(", but a block `{label}`")).unwrap_or_default()
}

/// As certificates have it: to the second, in UTC.
fn date(time: &SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| x509_parser::time::ASN1Time::from_timestamp(seconds).ok());
    time.map(|time| time.to_string()).unwrap_or_else(|| format!("{seconds} s after 1970"))
}
