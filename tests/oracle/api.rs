//! Questions to the running host, over its control socket.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::PATIENCE;
use crate::stage::Destination;

/// Where a destination's events are, as the host counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) filtered: u64,
    pub(crate) dead_lettered: u64,
    pub(crate) discarded: u64,
    pub(crate) expired: u64,
    pub(crate) damaged: u64,
    pub(crate) waiting: u64,
}

impl Ledger {
    fn parse(ledger: &Value) -> Ledger {
        let term = |name: &str| ledger[name].as_u64().unwrap_or_else(|| panic!("no {name} in {ledger}"));
        Ledger {
            accepted: term("accepted"),
            delivered: term("delivered"),
            filtered: term("filtered"),
            dead_lettered: term("dead_lettered"),
            discarded: term("discarded"),
            expired: term("expired"),
            damaged: term("damaged"),
            waiting: term("waiting"),
        }
    }

    /// How every accepted event has ended, or that it waits.
    pub(crate) fn sum(&self) -> u64 {
        let Ledger { delivered, filtered, dead_lettered, discarded, expired, damaged, waiting, .. } = self;
        delivered + filtered + dead_lettered + discarded + expired + damaged + waiting
    }
}

/// An event that was given up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DeadLetter {
    pub(crate) key: String,
    pub(crate) event: Value,
}

impl DeadLetter {
    fn parse(line: &Value) -> DeadLetter {
        let key = line["dead_letter"]["event_key"].as_str().expect("a key").to_owned();
        DeadLetter { key, event: line["event"].clone() }
    }
}

/// The operator's side of a host.
pub(crate) struct Api {
    socket: PathBuf,
}

impl Api {
    pub(crate) fn new(socket: PathBuf) -> Api {
        Api { socket }
    }

    pub(crate) async fn ledger(&self, destination: &Destination) -> Ledger {
        let path = format!("/v1/organizations/{}/destinations", destination.organization.name());
        let all = self.get(&path).await;
        let mut all = all.as_array().expect("a list").iter();
        let one = all.find(|one| one["name"] == destination.name).expect("the destination");
        Ledger::parse(&one["ledger"])
    }

    /// The events that a destination gave up.
    pub(crate) async fn dead_letters(&self, destination: &Destination) -> Vec<DeadLetter> {
        let id = format!("{}/{}", destination.organization.name(), destination.name);
        let path = format!("/v1/dead-letters/export?destination={id}");
        let lines = self.ask(Method::GET, &path, "").await;
        let lines = std::str::from_utf8(&lines).expect("text").lines();
        lines.map(|line| DeadLetter::parse(&serde_json::from_str(line).expect("JSON"))).collect()
    }

    /// Asks for all of them to be sent again.
    pub(crate) async fn replay(&self, destination: &Destination) {
        let (organization, name) = (destination.organization.name(), destination.name);
        let path = format!("/v1/organizations/{organization}/destinations/{name}/dead-letters/replay");
        self.ask(Method::POST, &path, r#"{"all":true}"#).await;
    }

    async fn get(&self, path: &str) -> Value {
        serde_json::from_slice(&self.ask(Method::GET, path, "").await).expect("JSON")
    }

    async fn ask(&self, method: Method, path: &str, body: &'static str) -> Bytes {
        let exchange = exchange(&self.socket, method, path, body);
        let (status, body) =
            timeout(PATIENCE, exchange).await.expect("an answer in time").expect("an answer");
        assert_eq!(status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&body));
        body
    }
}

async fn exchange(
    socket: &Path,
    method: Method,
    path: &str,
    body: &'static str,
) -> anyhow::Result<(StatusCode, Bytes)> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let request = Request::builder().method(method).uri(path).header("host", "siemaphore");
    let request = request.header("content-type", "application/json").body(Full::<Bytes>::from(body))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}
