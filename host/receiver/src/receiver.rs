//! A running stand-in: what it plays, how it is reached, what it saw.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use tokio::sync::broadcast;

use crate::answer::RequestKind;
use crate::certificate::Certificate;
use crate::faults::{Fault, Faults};
use crate::log::{Exchange, Log, Received, RequestLog, Totals, Violation, WaitTimeout};
use crate::responder::Responder;
use crate::server::Server;
use crate::siem::{Playing, Siem, Tokens};
use crate::splunk::Acknowledgements;

/// What Entra writes into `expires_in`.
const TOKEN_LIFETIME: Duration = Duration::from_secs(3599);

/// How to play it. The default suits tests: any port, everything kept, the SIEM's own limits.
#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    /// 0 for any free port. A fixed one lets a SIEM come back where it went away.
    pub port: u16,
    /// How many records, requests and violations are kept each; `None` keeps all.
    pub keep: Option<usize>,
    /// The largest body, compressed and not; `None` is the SIEM's own cap.
    pub max_body_bytes: Option<usize>,
    /// Answers an oversized body as Splunk Cloud does: 400 with code 6 instead of 413.
    pub splunk_cloud: bool,
    /// How long an access token is good.
    pub token_lifetime: Duration,
    /// Lets in only clients that show a certificate of this authority.
    pub client_authority: Option<CertificateDer<'static>>,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self {
            port: 0,
            keep: None,
            max_body_bytes: None,
            splunk_cloud: false,
            token_lifetime: TOKEN_LIFETIME,
            client_authority: None,
        }
    }
}

/// A SIEM that runs until it is stopped or dropped.
pub struct Receiver {
    server: Server,
    log: Arc<Log>,
    faults: Arc<Faults>,
    tokens: Option<Tokens>,
    acknowledgements: Option<Arc<Acknowledgements>>,
}

impl Receiver {
    /// Starts with the default configuration. Needs a tokio runtime, which also runs the server.
    pub async fn start(siem: Siem, certificate: &Certificate) -> io::Result<Self> {
        Self::start_with(siem, certificate, ReceiverConfig::default()).await
    }

    pub async fn start_with(
        siem: Siem,
        certificate: &Certificate,
        config: ReceiverConfig,
    ) -> io::Result<Self> {
        let Playing { rules, tokens, acknowledgements } = siem.play(&config);
        let log = Arc::new(Log::new(config.keep));
        let faults = Arc::new(Faults::default());
        let responder = Responder { rules, faults: Arc::clone(&faults), log: Arc::clone(&log) };
        let tls = certificate.server_config(config.client_authority.as_ref())?;
        let server = Server::start(config.port, tls, Arc::new(responder)).await?;
        Ok(Self { server, log, faults, tokens, acknowledgements })
    }

    /// `https://localhost:PORT`, without a path.
    pub fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.address().port())
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where access tokens come from; `None` for a SIEM that takes none.
    pub fn token_url(&self) -> Option<String> {
        self.tokens.as_ref().map(|tokens| format!("{}{}", self.endpoint(), tokens.path))
    }

    /// An access token without a request for it.
    pub fn issue_token(&self) -> Option<String> {
        self.tokens.as_ref().map(|tokens| tokens.issued.issue())
    }

    /// The records that the SIEM took, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.log.received()
    }

    /// All requests, the refused ones and those for tokens too.
    pub fn requests(&self) -> Vec<RequestLog> {
        self.log.requests()
    }

    /// What was accepted but would have been spoiled. A sound formatter leaves this empty.
    pub fn violations(&self) -> Vec<Violation> {
        self.log.violations()
    }

    pub fn totals(&self) -> Totals {
        self.log.totals()
    }

    /// Waits until `records` records have arrived in all, and returns those that are kept.
    ///
    /// A record counts from just before its request is answered: the sender may not know of it yet.
    pub async fn wait_for(&self, records: usize, timeout: Duration) -> Result<Vec<Received>, WaitTimeout> {
        self.log.wait_for("records", wide(records), timeout, |totals| totals.records).await?;
        Ok(self.received())
    }

    /// Waits until `requests` requests have arrived in all, answered or not.
    pub async fn wait_for_requests(
        &self,
        requests: usize,
        timeout: Duration,
    ) -> Result<Vec<RequestLog>, WaitTimeout> {
        self.log.wait_for("requests", wide(requests), timeout, |totals| totals.requests).await?;
        Ok(self.requests())
    }

    /// Every exchange from now on, as it happens. A slow reader misses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Exchange>> {
        self.log.subscribe()
    }

    /// Adds faults for the next requests, one each. Acknowledgement polls and requests for an access token do not
    /// count.
    pub fn script(&self, faults: Vec<Fault>) {
        self.faults.script(RequestKind::Ingest, faults);
    }

    /// Adds faults for the next acknowledgement polls.
    pub fn script_polls(&self, faults: Vec<Fault>) {
        self.faults.script(RequestKind::Poll, faults);
    }

    /// Adds faults for the next requests for an access token.
    pub fn script_token(&self, faults: Vec<Fault>) {
        self.faults.script(RequestKind::Token, faults);
    }

    /// After the scripts, fails every request this way; `None` ends it. Requests for an access token still work.
    pub fn fail_always(&self, fault: Option<Fault>) {
        self.faults.fail_always(fault);
    }

    /// Confirms, at the next poll, all that Splunk has taken so far.
    pub fn index_now(&self) {
        if let Some(acknowledgements) = &self.acknowledgements {
            acknowledgements.index_all();
        }
    }

    /// Makes Splunk forget every acknowledgement that is open and number them anew, as a restart of its indexers does.
    pub fn forget_acknowledgements(&self) {
        if let Some(acknowledgements) = &self.acknowledgements {
            acknowledgements.forget_all();
        }
    }

    /// Makes every access token issued so far expire now.
    pub fn expire_tokens(&self) {
        if let Some(tokens) = &self.tokens {
            tokens.issued.expire_all();
        }
    }

    /// Stops listening: connections are refused until [`Receiver::come_back`], requests in hand may finish for a
    /// moment. What was received and scripted stays.
    pub async fn go_away(&self) {
        self.server.pause().await;
    }

    /// Listens on the same port again.
    pub fn come_back(&self) -> io::Result<()> {
        self.server.resume()
    }

    /// Takes no more requests, lets those in hand finish for a moment, and frees the port.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
