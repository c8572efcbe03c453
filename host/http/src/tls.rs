//! Whom a destination's certificate has to come from.
//!
//! Without a CA file: whoever the operating system trusts. With one: only who is in it. *Instead of* the system's
//! roots, not in addition: an operator who names the CA of a SIEM wants no other of the world's authorities to be able
//! to vouch for it. A destination that needs both (a private SIEM with a public token endpoint) puts both certificates
//! into the file. Pins narrow either down further: see [`crate::pin`].

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use thiserror::Error;

use crate::identity::ClientIdentity;
use crate::pin::{CertificatePin, PinVerifier};

/// The largest CA file taken: the whole bundle of an operating system is a quarter of it.
const MAX_CA_FILE_BYTES: u64 = 1024 * 1024;

/// TLS settings that cannot be used.
#[derive(Debug, Error)]
pub enum TlsConfigError {
    #[error("the CA file {path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the CA file {path} is not PEM: {reason}")]
    NotPem { path: PathBuf, reason: String },
    #[error("the CA file {path} holds no certificate")]
    NoCertificate { path: PathBuf },
    #[error("the CA file {path} holds a certificate that cannot be used: {reason}")]
    BadCertificate { path: PathBuf, reason: String },
    #[error("the roots of the operating system cannot be used: {0}")]
    SystemRoots(String),
    #[error("the TLS library refused its settings: {0}")]
    Settings(String),
}

impl TlsConfigError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            TlsConfigError::Unreadable { .. } => {
                "correct the path, or let the user that siemaphore runs as read the file"
            }
            TlsConfigError::NotPem { .. }
            | TlsConfigError::NoCertificate { .. }
            | TlsConfigError::BadCertificate { .. } => {
                "write the CA certificates in PEM form, each between BEGIN CERTIFICATE and END CERTIFICATE lines"
            }
            TlsConfigError::SystemRoots(_) => {
                "install the ca-certificates package, or name a CA file as `ca_file`"
            }
            TlsConfigError::Settings(_) => "report this: it is an error of siemaphore",
        }
    }
}

/// Judges servers. Reads the CA file, so it is made once.
pub(crate) fn verifier(
    ca_file: Option<&Path>,
    pins: &[CertificatePin],
) -> Result<Arc<dyn ServerCertVerifier>, TlsConfigError> {
    let inner: Arc<dyn ServerCertVerifier> = match ca_file {
        None => Arc::new(
            Verifier::new(provider()).map_err(|error| TlsConfigError::SystemRoots(error.to_string()))?,
        ),
        Some(path) => WebPkiServerVerifier::builder_with_provider(Arc::new(roots_of(path)?), provider())
            .build()
            .map_err(|error| TlsConfigError::Settings(error.to_string()))?,
    };
    match pins {
        [] => Ok(inner),
        pins => Ok(Arc::new(PinVerifier { pins: pins.to_vec(), inner })),
    }
}

/// Settings of their own for each identity: a session that was begun with one must not be resumed with another.
pub(crate) fn client_config(
    verifier: &Arc<dyn ServerCertVerifier>,
    identity: Option<&ClientIdentity>,
) -> Result<rustls::ClientConfig, TlsConfigError> {
    let builder = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| TlsConfigError::Settings(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(verifier));
    Ok(match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder.with_client_cert_resolver(identity.resolver()),
    })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn roots_of(path: &Path) -> Result<RootCertStore, TlsConfigError> {
    let pem = read(path).map_err(|source| TlsConfigError::Unreadable { path: path.to_owned(), source })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate
            .map_err(|error| TlsConfigError::NotPem { path: path.to_owned(), reason: error.to_string() })?;
        roots.add(certificate).map_err(|error| TlsConfigError::BadCertificate {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
    }
    if roots.is_empty() {
        return Err(TlsConfigError::NoCertificate { path: path.to_owned() });
    }
    Ok(roots)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut pem = Vec::new();
    File::open(path)?.take(MAX_CA_FILE_BYTES).read_to_end(&mut pem)?;
    Ok(pem)
}
