//! The client: settings in, one request and its answer out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue, Method};
use rustls::client::danger::ServerCertVerifier;
use thiserror::Error;
use tokio::time::timeout;
use url::Url;

use crate::answer::{self, Answer};
use crate::egress::EgressPolicy;
use crate::examine::{self, Examination, ExamineError};
use crate::identity::ClientIdentity;
use crate::pin::CertificatePin;
use crate::resolver::{GuardedResolver, Lookup, SystemLookup};
use crate::stream::Stream;
use crate::tls::{self, TlsConfigError};
use crate::{SendError, check_url};

pub(crate) const USER_AGENT: &str = concat!("siemaphore/", env!("CARGO_PKG_VERSION"));
/// Idle connections kept for one host: as many as a destination sends with at once.
const MAX_IDLE_CONNECTIONS: usize = 8;
/// A kept connection is closed after this, so that a changed address is dialled, and so checked, soon.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// The most that a stream may last: as good as no limit, for what wants to be given one.
const STREAM_TIME: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// How one destination is reached.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Certificates in PEM form that are trusted instead of the system's roots. Read once, by [`Client::new`].
    pub ca_file: Option<PathBuf>,
    /// The server must have one of these keys, beside a trusted certificate; any key when there are none.
    pub pins: Vec<CertificatePin>,
    pub egress: Arc<EgressPolicy>,
    /// Also take http URLs of loopback hosts.
    pub allow_plaintext: bool,
    pub connect_timeout: Duration,
    /// From the first byte dialled to the last byte of the answer.
    pub request_timeout: Duration,
    /// How much of an answer is kept, after decompression.
    pub answer_bytes: usize,
}

impl Default for ClientConfig {
    /// Public addresses over TLS; 10 s to connect, 60 s (some SIEMs answer after indexing) and 4 MiB for an answer.
    fn default() -> Self {
        ClientConfig {
            ca_file: None,
            pins: Vec::new(),
            egress: Arc::default(),
            allow_plaintext: false,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            answer_bytes: 4 * 1024 * 1024,
        }
    }
}

/// A client that cannot be built.
#[derive(Debug, Error)]
pub enum ClientError {
    #[error(transparent)]
    Tls(#[from] TlsConfigError),
    #[error("the HTTP client refused its settings: {0}")]
    Settings(String),
}

impl ClientError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            ClientError::Tls(error) => error.hint(),
            ClientError::Settings(_) => "report this: it is an error of siemaphore",
        }
    }
}

/// One request. Headers with credentials should be marked sensitive.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Sends requests to one destination. Cloning shares its connections.
#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    resolver: GuardedResolver,
    verifier: Arc<dyn ServerCertVerifier>,
    tls: Arc<rustls::ClientConfig>,
    config: Arc<ClientConfig>,
    answer_bytes: usize,
}

impl Client {
    pub fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        Self::with_lookup(config, Arc::new(SystemLookup))
    }

    /// A client that asks `lookup` for the addresses of names. They are checked all the same.
    pub fn with_lookup(config: &ClientConfig, lookup: Arc<dyn Lookup>) -> Result<Self, ClientError> {
        let resolver = GuardedResolver { lookup, policy: Arc::clone(&config.egress) };
        let verifier = tls::verifier(config.ca_file.as_deref(), &config.pins)?;
        Self::build(Arc::new(config.clone()), resolver, verifier, None)
    }

    /// A client for the same servers that shows them a certificate, over connections of its own.
    pub fn showing(&self, identity: &ClientIdentity) -> Result<Self, ClientError> {
        let (config, verifier) = (Arc::clone(&self.config), Arc::clone(&self.verifier));
        Self::build(config, self.resolver.clone(), verifier, Some(identity))
    }

    fn build(
        config: Arc<ClientConfig>,
        resolver: GuardedResolver,
        verifier: Arc<dyn ServerCertVerifier>,
        identity: Option<&ClientIdentity>,
    ) -> Result<Self, ClientError> {
        let tls = tls::client_config(&verifier, identity)?;
        let inner = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .dns_resolver(Arc::new(resolver.clone()))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .https_only(!config.allow_plaintext)
            .http1_only()
            .user_agent(USER_AGENT)
            .connect_timeout(config.connect_timeout)
            .timeout(config.request_timeout)
            .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_TIME)
            .build()
            .map_err(|error| ClientError::Settings(error.without_url().to_string()))?;
        let answer_bytes = config.answer_bytes;
        Ok(Client { inner, resolver, verifier, tls: Arc::new(tls), config, answer_bytes })
    }

    /// The same client, connections and all, with another limit for answers.
    pub fn with_answer_bytes(&self, answer_bytes: usize) -> Self {
        Client { answer_bytes, ..self.clone() }
    }

    /// Whether this client would send to `url`, as far as the URL itself says.
    pub fn check(&self, url: &Url) -> Result<(), crate::UrlError> {
        check_url(url, &self.config.egress, self.config.allow_plaintext)
    }

    /// Resolves the host of `url`, dials it and shakes hands, all as a request would, and sends nothing. For an
    /// operator who wants to see what is there; a server that is not trusted is an error here too.
    pub async fn examine(&self, url: &Url) -> Result<Examination, ExamineError> {
        self.check(url).map_err(SendError::from)?;
        examine::run(url, &self.resolver, Arc::clone(&self.tls), self.config.connect_timeout).await
    }

    /// Sends one request once. Dropping the future gives the request up.
    pub async fn send(&self, request: Request) -> Result<Answer, SendError> {
        // Names are checked when they are dialled; addresses in a URL never reach the resolver.
        self.check(&request.url)?;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let outgoing = outgoing(request, "gzip");
        let response =
            self.inner.execute(outgoing).await.map_err(|error| SendError::from_request(&error, &host))?;
        answer::read(response, self.answer_bytes, &host).await
    }

    /// Sends one request whose answer is read as it comes, and need not end. In place of the request's time limit there
    /// is `idle_timeout`: for the head, and between any two pieces of the body.
    pub async fn open(&self, request: Request, idle_timeout: Duration) -> Result<Stream, SendError> {
        self.check(&request.url)?;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let mut outgoing = outgoing(request, "identity");
        *outgoing.timeout_mut() = Some(STREAM_TIME);
        let response = match timeout(idle_timeout, self.inner.execute(outgoing)).await {
            Ok(answered) => answered.map_err(|error| SendError::from_request(&error, &host))?,
            Err(_elapsed) => return Err(SendError::Timeout { host }),
        };
        Ok(Stream::new(response, idle_timeout, host))
    }
}

fn outgoing(request: Request, encoding: &'static str) -> reqwest::Request {
    let mut outgoing = reqwest::Request::new(request.method, request.url);
    *outgoing.headers_mut() = request.headers;
    outgoing.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
    *outgoing.body_mut() = Some(request.body.into());
    outgoing
}
