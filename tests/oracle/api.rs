//! Questions to the running host, over its control socket.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::PATIENCE;
use crate::stage::Destination;

/// The most dead letters in one answer.
const PAGE: usize = 1_000;

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

    /// The keys of the events that a destination gave up.
    pub(crate) async fn dead_letters(&self, destination: &Destination) -> Vec<String> {
        let id = format!("{}/{}", destination.organization.name(), destination.name);
        let (mut keys, mut after) = (Vec::new(), 0);
        loop {
            let path = format!("/v1/dead-letters?destination={id}&after={after}&limit={PAGE}");
            let page = self.get(&path).await;
            let page = page.as_array().expect("a list");
            for letter in page {
                keys.push(letter["event_key"].as_str().expect("a key").to_owned());
                after = letter["id"].as_i64().expect("an id");
            }
            if page.len() < PAGE {
                return keys;
            }
        }
    }

    async fn get(&self, path: &str) -> Value {
        let answer = timeout(PATIENCE, exchange(&self.socket, path)).await.expect("an answer in time");
        let (status, body) = answer.expect("an answer");
        assert_eq!(status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("JSON")
    }
}

async fn exchange(socket: &Path, path: &str) -> anyhow::Result<(StatusCode, Bytes)> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path).header("host", "siemaphore").body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, body))
}
