//! A TLS server on loopback with certificates made on the spot: what the tests send their requests to.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// A server certificate and the authority that issued it.
pub(crate) struct Certificate {
    ca_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivatePkcs8KeyDer<'static>,
    /// The authority of clients, where they have to show a certificate.
    client_authority: Option<CertificateDer<'static>>,
    only_tls_1_2: bool,
}

impl Certificate {
    pub(crate) fn valid() -> Self {
        Self::made(|_| ())
    }

    pub(crate) fn for_another_name() -> Self {
        Self::made(|params| {
            *params = CertificateParams::new(["elsewhere.example.com".into()]).expect("a name")
        })
    }

    pub(crate) fn expired() -> Self {
        Self::made(|params| {
            params.not_before = rcgen::date_time_ymd(2019, 1, 1);
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        })
    }

    /// Signed by its own key and so trusted by whoever has it as their CA file.
    pub(crate) fn self_signed(is_ca: IsCa) -> Self {
        let mut params =
            CertificateParams::new(["localhost", "127.0.0.1"].map(str::to_owned)).expect("a name");
        params.is_ca = is_ca;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Certificate {
            ca_pem: certificate.pem(),
            chain: vec![certificate.der().clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()),
            client_authority: None,
            only_tls_1_2: false,
        }
    }

    /// Of a server that talks to clients of this authority only.
    pub(crate) fn demanding_one_of(authority: &CertificateDer<'static>) -> Self {
        Certificate { client_authority: Some(authority.clone()), ..Self::valid() }
    }

    pub(crate) fn over_tls_1_2(self) -> Self {
        Certificate { only_tls_1_2: true, ..self }
    }

    pub(crate) fn for_clients_only() -> Self {
        Self::made(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
    }

    fn made(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let authority_key = KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::default();
        // Each authority has a name of its own, so that another one is unknown and not a forgery.
        let name: String =
            authority_key.public_key_raw().iter().map(|byte| format!("{byte:02x}")).take(16).collect();
        authority.distinguished_name.push(DnType::CommonName, name);
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let authority = CertifiedIssuer::self_signed(authority, authority_key).expect("an authority");
        let names = ["localhost", "127.0.0.1", "siem.test"].map(str::to_owned);
        let mut params = CertificateParams::new(names).expect("names");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        Certificate {
            ca_pem: authority.pem(),
            chain: vec![certificate.der().clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()),
            client_authority: None,
            only_tls_1_2: false,
        }
    }

    fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let versions = if self.only_tls_1_2 { vec![&TLS12] } else { vec![&TLS12, &TLS13] };
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .expect("versions");
        let builder = match &self.client_authority {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add(authority.clone()).expect("an authority");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
        };
        let config = builder
            .with_single_cert(self.chain.clone(), PrivateKeyDer::Pkcs8(self.key.clone_key()))
            .expect("a certificate");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a plain header"))
    }
}

/// Ends with its connections when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    folder: TempDir,
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers each request; the number is how many came before it.
    pub(crate) async fn answering(
        answer: impl Fn(usize, &Received) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self::with_certificate(Certificate::valid(), answer).await
    }

    pub(crate) async fn with_certificate(
        certificate: Certificate,
        answer: impl Fn(usize, &Received) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let (acceptor, log, answer) = (certificate.acceptor(), Arc::clone(&received), Arc::new(answer));
        Self::accepting(&certificate, received, move |socket| {
            serve(acceptor.clone(), socket, Arc::clone(&log), Arc::clone(&answer))
        })
        .await
    }

    /// Reads a request, writes `bytes` over TLS, and closes the connection without saying so.
    pub(crate) async fn writing(bytes: &'static [u8]) -> Self {
        let certificate = Certificate::valid();
        let acceptor = certificate.acceptor();
        Self::accepting(&certificate, Arc::default(), move |socket| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(mut stream) = acceptor.accept(socket).await else { return };
                read_head(&mut stream).await;
                stream.write_all(bytes).await.expect("an open connection");
                stream.flush().await.expect("an open connection");
            }
        })
        .await
    }

    /// Reads one request and writes each of `pieces` as it comes; closes the connection after the last.
    pub(crate) async fn saying(pieces: UnboundedReceiver<Bytes>) -> Self {
        let certificate = Certificate::valid();
        let acceptor = certificate.acceptor();
        let pieces = Arc::new(tokio::sync::Mutex::new(pieces));
        Self::accepting(&certificate, Arc::default(), move |socket| {
            let (acceptor, pieces) = (acceptor.clone(), Arc::clone(&pieces));
            async move {
                let Ok(mut stream) = acceptor.accept(socket).await else { return };
                read_head(&mut stream).await;
                while let Some(piece) = pieces.lock().await.recv().await {
                    // A client may be gone by now.
                    if stream.write_all(&piece).await.is_err() || stream.flush().await.is_err() {
                        return;
                    }
                }
            }
        })
        .await
    }

    /// Reads requests and never answers.
    pub(crate) async fn silent() -> Self {
        let certificate = Certificate::valid();
        let acceptor = certificate.acceptor();
        Self::accepting(&certificate, Arc::default(), move |socket| {
            let acceptor = acceptor.clone();
            async move {
                let _stream = acceptor.accept(socket).await;
                std::future::pending::<()>().await;
            }
        })
        .await
    }

    /// Speaks HTTP without TLS.
    pub(crate) async fn plain() -> Self {
        Self::accepting(&Certificate::valid(), Arc::default(), |mut socket: TcpStream| async move {
            // What arrives is the beginning of a TLS handshake, not a request.
            socket.read_u8().await.expect("a first byte");
            let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
            socket.write_all(answer).await.expect("an open connection");
        })
        .await
    }

    async fn accepting<F: Future<Output = ()> + Send + 'static>(
        certificate: &Certificate,
        received: Arc<Mutex<Vec<Received>>>,
        serve: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("ca.pem"), &certificate.ca_pem).expect("the CA file is written");
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(socket));
            }
        });
        Server { address, folder, received, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        url::Url::parse(&format!("https://127.0.0.1:{}{path}", self.port())).expect("a URL")
    }

    /// The authority's certificate.
    pub(crate) fn ca_file(&self) -> std::path::PathBuf {
        self.folder().join("ca.pem")
    }

    /// A folder that lives as long as the server.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// All requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads to the end of a request's head.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a request"));
    }
}

async fn serve<A>(acceptor: TlsAcceptor, socket: TcpStream, log: Arc<Mutex<Vec<Received>>>, answer: Arc<A>)
where
    A: Fn(usize, &Received) -> Response<Bytes> + Send + Sync + 'static,
{
    let Ok(stream) = acceptor.accept(socket).await else { return };
    let service = service_fn(|request: http::Request<Incoming>| async {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let request = Received { method: head.method, uri: head.uri, headers: head.headers, body };
        let number = {
            let mut log = log.lock().expect("no panic");
            log.push(request.clone());
            log.len() - 1
        };
        Ok::<_, io::Error>(answer(number, &request).map(Full::new))
    });
    // How a connection ends is the client's business.
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

/// An answer with a status and a body.
pub(crate) fn reply(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder().status(status).body(body.into()).expect("an answer")
}
