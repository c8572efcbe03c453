//! A server that sends back what it was sent: request line, headers and body, in one form after the other and in
//! every place of an answer, as gateways and debugging tools do.
//!
//! It writes its answers byte by byte, because no library would let it misbehave so.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// In a header of every answer, and no secret: whoever searches a place for secrets must find this there.
pub(crate) const MARKER: &str = "echo-marker-5b1f0c77";

/// A request as it came, but decompressed.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// What authenticates, where it is a header; else the request's target, which may hold it.
    pub(crate) fn credential(&self) -> &str {
        let names = [
            "authorization",
            "dd-api-key",
            "webhook-signature",
            "x-hub-signature-256",
            "x-amz-security-token",
        ];
        let header = names.iter().find_map(|name| self.header(name));
        header.or(self.head.split(' ').nth(1)).unwrap_or_default()
    }

    /// What was made of a secret for this request: signatures, tokens and claims, without what stands before them.
    #[allow(dead_code, reason = "each test binary uses some of it")]
    pub(crate) fn derived(&self) -> Vec<String> {
        let names = ["authorization", "webhook-signature", "x-hub-signature-256"];
        let headers = names.iter().filter_map(|name| self.header(name));
        let before = ["Signature=", "sha256=", "v1,", "Bearer ", ":"];
        let signature = |value: &str| {
            let found = before.iter().find_map(|before| value.rsplit_once(before));
            found.map(|(_, signature)| signature.to_owned())
        };
        let form = url::form_urlencoded::parse(self.body.as_bytes());
        let claims = form.filter(|(name, _)| name == "assertion").map(|(_, value)| value.into_owned());
        headers.filter_map(signature).chain(claims).collect()
    }

    fn whole(&self) -> String {
        format!("{}\r\n{}", self.head, self.body)
    }
}

/// Ends with its connections when it is dropped.
pub(crate) struct Echo {
    address: SocketAddr,
    ca_pem: String,
    client_pem: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Connections whose client has shown its certificate.
    clients: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

#[allow(dead_code, reason = "each test binary uses some of it")]
impl Echo {
    /// Answers each request with the bytes that `answer` makes; the number is how many came before it.
    pub(crate) async fn start(answer: impl Fn(usize, &Seen) -> Vec<u8> + Send + Sync + 'static) -> Echo {
        Self::serving(answer, true).await
    }

    /// The same, and cuts the connection after each answer.
    pub(crate) async fn cutting(answer: impl Fn(usize, &Seen) -> Vec<u8> + Send + Sync + 'static) -> Echo {
        Self::serving(answer, false).await
    }

    async fn serving(
        answer: impl Fn(usize, &Seen) -> Vec<u8> + Send + Sync + 'static,
        keeps_open: bool,
    ) -> Echo {
        let Certificates { ca_pem, client_pem, acceptor } = certificates();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let clients: Arc<AtomicUsize> = Arc::default();
        let (log, shown, answer) = (Arc::clone(&seen), Arc::clone(&clients), Arc::new(answer));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, shown) = (acceptor.clone(), Arc::clone(&shown));
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                connections.spawn(async move {
                    let Ok(stream) = acceptor.accept(socket).await else { return };
                    let has_client = stream.get_ref().1.peer_certificates().is_some();
                    shown.fetch_add(usize::from(has_client), Ordering::Relaxed);
                    serve(stream, log, answer, keeps_open).await;
                });
            }
        });
        Echo { address, ca_pem, client_pem, seen, clients, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.address.port())
    }

    /// The authority's certificate.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A client's certificate and key, which it asks for and can do without.
    pub(crate) fn client_pem(&self) -> String {
        self.client_pem.clone()
    }

    /// How many connections have shown a client certificate.
    pub(crate) fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Certificates {
    ca_pem: String,
    client_pem: String,
    acceptor: TlsAcceptor,
}

fn certificates() -> Certificates {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "authority of the echo");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let authority =
        CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
    let signed = params.signed_by(&key, &authority).expect("a certificate");
    let client_key = KeyPair::generate().expect("a key");
    let client = CertificateParams::new(["siemaphore".to_owned()]).expect("a name");
    let client = client.signed_by(&client_key, &authority).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).expect("an authority");
    let provider = Arc::new(ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .expect("a verifier");
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(clients)
        .with_single_cert(
            vec![signed.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .expect("a certificate");
    let client_pem = format!("{}{}", client.pem(), client_key.serialize_pem());
    Certificates { ca_pem: authority.pem(), client_pem, acceptor: TlsAcceptor::from(Arc::new(config)) }
}

async fn serve<A>(stream: TlsStream<TcpStream>, log: Arc<Mutex<Vec<Seen>>>, answer: Arc<A>, keeps_open: bool)
where
    A: Fn(usize, &Seen) -> Vec<u8> + Send + Sync + 'static,
{
    let mut stream = BufReader::new(stream);
    while let Some(seen) = read(&mut stream).await {
        let number = {
            let mut log = log.lock().expect("no panic");
            log.push(seen.clone());
            log.len() - 1
        };
        let is_sent = stream.write_all(&answer(number, &seen)).await.is_ok() && stream.flush().await.is_ok();
        if !is_sent || !keeps_open {
            return;
        }
    }
}

/// The next request, or None when the client has closed.
async fn read(stream: &mut BufReader<TlsStream<TcpStream>>) -> Option<Seen> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let mut seen = Seen { head, body: String::new() };
    let length = seen.header("content-length").map_or(0, |length| length.parse().expect("a number"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    if seen.header("content-encoding") == Some("gzip") {
        let mut plain = Vec::new();
        GzDecoder::new(body.as_slice()).read_to_end(&mut plain).expect("gzip");
        body = plain;
    }
    seen.body = String::from_utf8_lossy(&body).into_owned();
    Some(seen)
}

/// The bytes of an answer to a request, with a status.
pub(crate) type Answering = fn(u16, &Seen) -> Vec<u8>;

/// Everything about a request, as an answer of that status. One function for each form and place.
pub(crate) const ECHOES: [(&str, Answering); 13] = [
    ("in every header", |status, seen| {
        let value = seen.credential();
        let headers = format!(
            "X-Echo: {value}\r\nSet-Cookie: last={value}; Path=/\r\nWWW-Authenticate: Bearer realm=\"{value}\"\r\n\
             Retry-After: {value}\r\nLocation: https://elsewhere.example.com/?key={value}\r\n"
        );
        answer(status, "Echo", &headers, b"{}")
    }),
    ("in the reason phrase", |status, seen| answer(status, seen.credential(), "", b"{}")),
    ("in the plain body", |status, seen| answer(status, "Echo", "", seen.whole().as_bytes())),
    ("in the body as JSON", |status, seen| {
        let text =
            serde_json::json!({ "text": seen.whole(), "code": 6, "invalid-event-number": 0 }).to_string();
        answer(status, "Echo", "Content-Type: application/json\r\n", text.as_bytes())
    }),
    ("in the body in base64", |status, seen| {
        answer(status, "Echo", "", STANDARD.encode(seen.whole()).as_bytes())
    }),
    ("in the body in URL-safe base64", |status, seen| {
        answer(status, "Echo", "", URL_SAFE_NO_PAD.encode(seen.whole()).as_bytes())
    }),
    ("in the body in base64 with lines", |status, seen| {
        let encoded = STANDARD.encode(seen.whole());
        let lines: Vec<&[u8]> = encoded.as_bytes().chunks(76).collect();
        answer(status, "Echo", "", &lines.join(&b"\r\n"[..]))
    }),
    ("in the body URL-encoded", |status, seen| {
        let encoded: String = url::form_urlencoded::byte_serialize(seen.whole().as_bytes()).collect();
        answer(status, "Echo", "", encoded.as_bytes())
    }),
    ("in the body in hexadecimal", |status, seen| {
        let digits: String = seen.whole().bytes().map(|byte| format!("{byte:02x}")).collect();
        answer(status, "Echo", "", digits.as_bytes())
    }),
    ("in the body as a dump", |status, seen| {
        let digits: String = seen.whole().bytes().map(|byte| format!("{byte:02x} ")).collect();
        answer(status, "Echo", "", digits.as_bytes())
    }),
    ("in the body as HTML", |status, seen| {
        let escaped: String = seen.whole().chars().map(html).collect();
        answer(status, "Echo", "Content-Type: text/html\r\n", format!("<pre>{escaped}</pre>").as_bytes())
    }),
    ("in chunks of three bytes", |status, seen| {
        let mut bytes =
            format!("HTTP/1.1 {status} Echo\r\nX-Marker: {MARKER}\r\nTransfer-Encoding: chunked\r\n\r\n")
                .into_bytes();
        for chunk in seen.whole().as_bytes().chunks(3) {
            bytes.extend_from_slice(&[format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        bytes
    }),
    ("in a compressed body", |status, seen| {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(seen.whole().as_bytes()).expect("compressed");
        answer(status, "Echo", "Content-Encoding: gzip\r\n", &encoder.finish().expect("compressed"))
    }),
];

/// An answer with headers that end in a line break each.
pub(crate) fn answer(status: u16, reason: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nX-Marker: {MARKER}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn html(character: char) -> String {
    match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '+' | '/' | '=' | '~' => format!("&#x{:x};", u32::from(character)),
        other => other.to_string(),
    }
}
