//! A client that trusts one certificate authority, and short words for what the tests do with it.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use reqwest::{Client, ClientBuilder, RequestBuilder, redirect};
use serde_json::Value;
use siemaphore_receiver::{Certificate, Receiver, ReceiverConfig, Siem};

/// A running receiver and a client that trusts it.
pub(crate) struct Lab {
    pub(crate) receiver: Receiver,
    pub(crate) client: Client,
    pub(crate) certificate: Certificate,
}

impl Lab {
    pub(crate) async fn start(siem: Siem) -> Self {
        Self::start_with(siem, ReceiverConfig::default()).await
    }

    pub(crate) async fn start_with(siem: Siem, config: ReceiverConfig) -> Self {
        let certificate = Certificate::generate().expect("a certificate");
        let receiver = Receiver::start_with(siem, &certificate, config).await.expect("a receiver");
        let client = trusting(&certificate).build().expect("a client");
        Self { receiver, client, certificate }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.receiver.endpoint())
    }

    /// How many records were taken, and that none of them was spoiled.
    pub(crate) fn taken_whole(&self) -> usize {
        assert_eq!(self.receiver.violations(), []);
        self.receiver.received().len()
    }

    /// The reasons of all violations so far.
    pub(crate) fn reasons(&self) -> Vec<String> {
        self.receiver.violations().into_iter().map(|violation| violation.reason).collect()
    }
}

/// A client builder with exactly this authority, no redirects and no proxies from the environment.
pub(crate) fn trusting(certificate: &Certificate) -> ClientBuilder {
    let authority =
        reqwest::Certificate::from_pem(certificate.ca_pem().as_bytes()).expect("a PEM certificate");
    client_builder().tls_certs_only([authority])
}

pub(crate) fn client_builder() -> ClientBuilder {
    // Another test may have installed it already; one is enough.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder().no_proxy().redirect(redirect::Policy::none())
}

/// An answer, read to its end.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("a JSON answer")
    }
}

pub(crate) async fn reply(request: RequestBuilder) -> Reply {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    Reply { status, headers, text: response.text().await.expect("a whole body") }
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).expect("memory");
    encoder.finish().expect("memory")
}

/// An ISO 8601 time that many hours from now; negative is the past.
pub(crate) fn iso_hours_from_now(hours: i64) -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let seconds = i64::try_from(seconds).expect("a clock of our age") + hours * 3600;
    jiff::Timestamp::from_second(seconds).expect("a date").to_string()
}
