//! A look at a server without a request: which addresses its name leads to, and what its TLS shows.
//!
//! It goes the way of every request: the same resolver with the egress check, the same roots, the same time-out. When
//! the server is not trusted, a second handshake that trusts nobody, and so ends before anything is said, shows which
//! certificate it was: an operator needs to know whose authority is missing.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::{ClientConfig, DigitallySignedStruct, ProtocolVersion, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::certificate::Certificate;
use crate::egress::RefusedAddress;
use crate::error::SendError;
use crate::resolver::{Addresses, GuardedResolver};

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// The addresses that a request would dial, in this order.
    pub addresses: Vec<IpAddr>,
    /// Other addresses of the same name, which the egress policy keeps closed.
    pub refused: Vec<RefusedAddress>,
    /// `None` for plain http.
    pub tls: Option<TlsExamination>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsExamination {
    /// `TLS 1.3`
    pub version: String,
    /// `None` when the certificate is trusted but cannot be read, which no authority issues.
    pub certificate: Option<Certificate>,
}

/// Why no request would be answered.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct ExamineError {
    pub error: SendError,
    /// What the server presented, where that is the trouble.
    pub certificate: Option<Certificate>,
}

impl From<SendError> for ExamineError {
    fn from(error: SendError) -> ExamineError {
        ExamineError { error, certificate: None }
    }
}

pub(crate) async fn run(
    url: &Url,
    resolver: &GuardedResolver,
    tls: Arc<ClientConfig>,
    connect_timeout: Duration,
) -> Result<Examination, ExamineError> {
    let host = url.host_str().unwrap_or_default();
    let found = addresses(url, resolver).await?;
    let dial = Dial { host, port: url.port_or_known_default().unwrap_or(443), addresses: &found.open };
    let examined = match url.scheme() {
        "http" => timeout(connect_timeout, dial.connect()).await.map(|connected| connected.map(|_| None)),
        _ => timeout(connect_timeout, dial.shake_hands(tls)).await.map(|shaken| shaken.map(Some)),
    };
    let examined = examined.map_err(|_| SendError::ConnectTimeout { host: host.to_owned() }).flatten();
    match examined {
        Ok(tls) => Ok(Examination { addresses: found.open, refused: found.refused, tls }),
        Err(error @ SendError::Tls { .. }) => {
            let certificate = timeout(connect_timeout, dial.presented()).await.ok().flatten();
            Err(ExamineError { error, certificate })
        }
        Err(error) => Err(error.into()),
    }
}

/// Addresses in a URL have been checked with the URL.
async fn addresses(url: &Url, resolver: &GuardedResolver) -> Result<Addresses, SendError> {
    let literal = |address| Ok(Addresses { open: vec![address], refused: Vec::new() });
    match url.host() {
        Some(Host::Ipv4(address)) => literal(address.into()),
        Some(Host::Ipv6(address)) => literal(address.into()),
        Some(Host::Domain(name)) => {
            let found = resolver.addresses(name).await;
            found.map_err(|error| SendError::from_resolve(&error, name.to_owned()))
        }
        None => Err(SendError::Url(crate::UrlError::NoHost)),
    }
}

/// One server.
struct Dial<'a> {
    host: &'a str,
    port: u16,
    addresses: &'a [IpAddr],
}

impl Dial<'_> {
    /// The first address that takes the connection.
    async fn connect(&self) -> Result<TcpStream, SendError> {
        let mut reason = "no address".to_owned();
        for address in self.addresses {
            match TcpStream::connect(SocketAddr::new(*address, self.port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => reason = error.to_string(),
            }
        }
        Err(SendError::Connect { host: self.host.to_owned(), reason })
    }

    async fn shake_hands(&self, tls: Arc<ClientConfig>) -> Result<TlsExamination, SendError> {
        let host = || self.host.to_owned();
        // The brackets of an IPv6 address belong to the URL.
        let name = ServerName::try_from(self.host.trim_matches(['[', ']']).to_owned())
            .map_err(|error| SendError::Request { host: host(), reason: error.to_string() })?;
        let stream = self.connect().await?;
        let stream = TlsConnector::from(tls).connect(name, stream).await;
        let stream = stream.map_err(|error| SendError::from_handshake(&error, host()))?;
        let (_, session) = stream.get_ref();
        let version = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS 1.2",
        };
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        let certificate = certificate.and_then(Certificate::parse);
        Ok(TlsExamination { version: version.to_owned(), certificate })
    }

    /// The certificate that the server presents to a client that will not trust it.
    async fn presented(&self) -> Option<Certificate> {
        let distrust = Arc::new(Distrust::default());
        let verifier = Arc::clone(&distrust) as Arc<dyn ServerCertVerifier>;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        // It always fails: that is the point.
        self.shake_hands(Arc::new(config)).await.err();
        let presented = distrust.presented.lock().unwrap_or_else(PoisonError::into_inner).take();
        presented.as_ref().and_then(Certificate::parse)
    }
}

/// Trusts no server, and remembers what it was shown.
#[derive(Debug, Default)]
struct Distrust {
    presented: Mutex<Option<CertificateDer<'static>>>,
}

impl Distrust {
    fn refusal<T>() -> Result<T, rustls::Error> {
        Err(rustls::Error::General("only looking".to_owned()))
    }
}

impl ServerCertVerifier for Distrust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let presented = end_entity.clone().into_owned();
        *self.presented.lock().unwrap_or_else(PoisonError::into_inner) = Some(presented);
        Distrust::refusal()
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Distrust::refusal()
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Distrust::refusal()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
