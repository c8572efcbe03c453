//! Where a request may go, asked of real names: what a resolver answers is checked on each dial, and a redirect is
//! only an answer.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use siemaphore_http::{Client, ClientConfig, EgressPolicy, Lookup, SendError};
use tokio::sync::watch;
use url::Url;

use crate::server::{Server, reply};
use crate::{config, failure, post};

/// Answers one list of addresses after the other, and the last one from then on.
struct Answers {
    lists: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
    seen: watch::Sender<usize>,
}

impl Answers {
    fn new(lists: &[&[&str]]) -> Arc<Answers> {
        let parsed = |list: &&[&str]| list.iter().map(|address| address.parse().expect(address)).collect();
        let lists = lists.iter().map(parsed).collect();
        Arc::new(Answers { lists, asked: AtomicUsize::new(0), seen: watch::Sender::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Lookup for Answers {
    fn lookup<'a>(
        &'a self,
        _name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        self.seen.send_replace(number + 1);
        let list = self.lists.get(number).or(self.lists.last()).cloned().unwrap_or_default();
        Box::pin(async move { Ok(list) })
    }
}

fn by_name(server: &Server) -> Url {
    Url::parse(&format!("https://siem.test:{}/", server.port())).expect("a URL")
}

fn everything() -> Arc<EgressPolicy> {
    let allow = ["0.0.0.0/0", "::/0"].map(|range| range.parse().expect(range)).to_vec();
    Arc::new(EgressPolicy { allow })
}

#[tokio::test]
async fn a_name_is_asked_once_for_a_connection_and_what_was_checked_is_what_is_dialled() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    let answers = Answers::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let client = Client::with_lookup(&config(&server), answers.clone()).expect("a client");
    for _ in 0..3 {
        assert_eq!(client.send(post(by_name(&server))).await.expect("an answer").status, 200);
    }
    assert_eq!((answers.asked(), server.received().len()), (1, 3), "one connection served all");
}

#[tokio::test]
async fn a_further_connection_to_the_same_name_is_checked_anew() {
    let server = Server::silent().await;
    let answers =
        Answers::new(&[&["127.0.0.1"], &["127.0.0.1", "10.0.0.1"], &["169.254.169.254", "10.0.0.1"]]);
    let client = Client::with_lookup(&config(&server), answers.clone()).expect("a client");
    // The first two requests hold their connections for as long as the test runs.
    let mut holding = Vec::new();
    for number in 1..=2 {
        let (client, url) = (client.clone(), by_name(&server));
        holding.push(tokio::spawn(async move { client.send(post(url)).await.map(|answer| answer.status) }));
        answers.seen.subscribe().wait_for(|seen| *seen >= number).await.expect("the sender lives");
    }
    let error = failure(&client, by_name(&server)).await;
    assert!(matches!(&error, SendError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("169.254.169.254 is a metadata service"), "{error}");
    holding.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn of_a_mixed_answer_only_the_open_addresses_are_dialled() {
    let server = Server::answering(|_, _| reply(200, "")).await;
    let answers = Answers::new(&[&["169.254.169.254", "10.0.0.1", "::ffff:192.168.0.1", "127.0.0.1"]]);
    let client = Client::with_lookup(&config(&server), answers).expect("a client");
    assert_eq!(client.send(post(by_name(&server))).await.expect("an answer").status, 200);
}

/// By name, so that the resolver is what refuses them, and with everything open that an operator can open.
#[tokio::test]
async fn what_is_never_dialled_stays_closed_when_the_operator_allows_everything() {
    let server = Server::silent().await;
    let config = ClientConfig { egress: everything(), ..config(&server) };
    for address in [
        "169.254.169.254",
        "169.254.170.2",
        "168.63.129.16",
        "100.100.100.200",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "2001:0:808:808:0:0:5601:5601",
        "::a9fe:a9fe",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ] {
        let client = Client::with_lookup(&config, Answers::new(&[&[address]])).expect("a client");
        let error = failure(&client, by_name(&server)).await;
        assert!(matches!(&error, SendError::Refused { .. }), "{address}: {error:?}");
        assert!(error.hint().contains("never dialled") && error.needs_operator(), "{address}: {error}");
    }
}

#[tokio::test]
async fn every_closed_range_is_closed_to_names_too() {
    let server = Server::silent().await;
    let config = ClientConfig { egress: Arc::default(), ..config(&server) };
    for address in [
        "127.0.0.1",
        "127.255.255.254",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.254",
        "169.254.1.1",
        "fe80::1",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "::8.8.8.8",
        "64:ff9b::192.168.0.1",
        "64:ff9b:1::8.8.8.8",
        "2002:808:808::1",
        "2001:0:808:808::f7f7:f7f7",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "198.18.0.1",
        "2001:db8::1",
        "3fff::1",
        "240.0.0.1",
        "4000::1",
    ] {
        let client = Client::with_lookup(&config, Answers::new(&[&[address]])).expect("a client");
        let error = failure(&client, by_name(&server)).await;
        assert!(matches!(&error, SendError::Refused { .. }), "{address}: {error:?}");
        assert!(error.hint().contains("[egress]"), "{address}: {}", error.hint());
    }
}

#[tokio::test]
async fn no_redirect_is_followed_to_the_same_host_or_to_another() {
    let other = Server::answering(|_, _| reply(200, "")).await;
    for elsewhere in [false, true] {
        for status in [300, 301, 302, 303, 304, 305, 307, 308] {
            let target = other.url("/in").to_string();
            let server = Server::answering(move |_, _| {
                let mut answer = reply(status, "");
                let place = if elsewhere { target.as_str() } else { "/in" };
                answer.headers_mut().insert("location", place.parse().expect("a value"));
                answer
            })
            .await;
            let client = Client::new(&config(&server)).expect("a client");
            let answer = client.send(post(server.url("/"))).await.expect("an answer");
            assert_eq!((answer.status, server.received().len()), (status, 1));
        }
    }
    assert!(other.received().is_empty());
}
