//! A certificate authority made for one run, and the server certificate that it signed.
//!
//! The authority's key is dropped as soon as it has signed, so whoever trusts it for a quickstart or a test trusts
//! this one certificate and can be shown no other.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

const LOOPBACK_NAMES: &[&str] = &["localhost", "127.0.0.1"];

/// What a receiver shows to its clients, and what they need to believe it.
pub struct Certificate {
    ca_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Certificate {
    /// Makes an authority and a certificate for `localhost` and `127.0.0.1`.
    pub fn generate() -> io::Result<Self> {
        Self::generate_for(LOOPBACK_NAMES)
    }

    /// Makes a certificate for other names, so that a test can show one that does not match.
    pub fn generate_for(names: &[&str]) -> io::Result<Self> {
        sign(names).map_err(io::Error::other)
    }

    /// The authority's certificate, to be trusted by the client.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The provider is named, not taken from the process: a receiver works before and without a global choice.
    pub(crate) fn server_config(
        &self,
        client_authority: Option<&CertificateDer<'static>>,
    ) -> io::Result<Arc<ServerConfig>> {
        let clients =
            client_authority.map_or_else(|| Ok(WebPkiClientVerifier::no_client_auth()), signed_by)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_client_cert_verifier(clients)
            .with_single_cert(self.chain.clone(), PrivateKeyDer::Pkcs8(self.key.clone_key()))
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Demands a certificate of this authority.
fn signed_by(authority: &CertificateDer<'static>) -> io::Result<Arc<dyn ClientCertVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).map_err(io::Error::other)?;
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    verifier.build().map_err(io::Error::other)
}

fn sign(names: &[&str]) -> Result<Certificate, rcgen::Error> {
    let authority_key = KeyPair::generate()?;
    let authority = CertifiedIssuer::self_signed(authority_params(&authority_key), authority_key)?;
    let server_key = KeyPair::generate()?;
    let server = server_params(names)?.signed_by(&server_key, &authority)?;
    Ok(Certificate {
        ca_pem: authority.pem(),
        chain: vec![server.der().clone(), authority.der().clone()],
        key: PrivatePkcs8KeyDer::from(server_key.serialize_der()),
    })
}

/// Named after its key: with one name for all, a client that trusts another run's authority would report a bad
/// signature instead of an unknown issuer.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let fingerprint: String =
        key.public_key_raw().iter().rev().take(8).map(|byte| format!("{byte:02x}")).collect();
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, format!("Siemaphore receiver authority {fingerprint}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server_params(names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Siemaphore receiver");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
