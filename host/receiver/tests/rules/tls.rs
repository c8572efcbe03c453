use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use siemaphore_receiver::{Certificate, Fault, Receiver, ReceiverConfig, Siem};

use crate::support::{client_builder, trusting};

fn splunk() -> Siem {
    Siem::splunk_hec("token")
}

fn health(receiver: &Receiver) -> String {
    format!("{}/services/collector/health", receiver.endpoint())
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_authority_gets_no_connection() {
    let receiver = Receiver::start(splunk(), &Certificate::generate().unwrap()).await.unwrap();
    let other = Certificate::generate().unwrap();
    let distrusting = trusting(&other).build().unwrap();
    let error = distrusting.get(health(&receiver)).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    assert!(format!("{error:?}").contains("UnknownIssuer"), "{error:?}");
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn the_certificate_is_good_for_the_name_and_for_the_address() {
    let certificate = Certificate::generate().unwrap();
    let receiver = Receiver::start(splunk(), &certificate).await.unwrap();
    let client = trusting(&certificate).build().unwrap();
    assert_eq!(client.get(health(&receiver)).send().await.unwrap().status(), 200);
    let by_address = format!("https://{}/services/collector/health", receiver.address());
    assert_eq!(client.get(by_address).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_by_the_client() {
    let certificate = Certificate::generate_for(&["siem.example"]).unwrap();
    let receiver = Receiver::start(splunk(), &certificate).await.unwrap();
    let client = trusting(&certificate).build().unwrap();
    assert!(client.get(health(&receiver)).send().await.unwrap_err().is_connect());
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn plain_http_is_not_answered() {
    let receiver = Receiver::start(splunk(), &Certificate::generate().unwrap()).await.unwrap();
    let plain = health(&receiver).replace("https:", "http:");
    assert!(client_builder().build().unwrap().get(plain).send().await.is_err());
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn a_stopped_receiver_frees_its_port_for_the_next_even_when_a_request_hangs() {
    let certificate = Certificate::generate().unwrap();
    let first = Receiver::start(splunk(), &certificate).await.unwrap();
    let client = trusting(&certificate).build().unwrap();
    let url = health(&first);
    first.script(vec![Fault::Hang]);
    let hanging = tokio::spawn(client.get(&url).send());
    first.wait_for_requests(1, Duration::from_secs(10)).await.unwrap();
    let port = first.address().port();
    first.stop().await;
    assert!(hanging.await.unwrap().is_err());

    let config = ReceiverConfig { port, ..ReceiverConfig::default() };
    let second = Receiver::start_with(splunk(), &certificate, config).await.unwrap();
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    assert_eq!(second.requests().len(), 1);
}

#[test]
fn a_receiver_ends_with_its_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let certificate = Certificate::generate().unwrap();
    let receiver = runtime.block_on(Receiver::start(splunk(), &certificate)).unwrap();
    let mut connection = TcpStream::connect(receiver.address()).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    drop(receiver);
    drop(runtime);
    // Whether the end is orderly or a reset depends on how far the connection had come; a timeout is neither.
    let end = connection.read(&mut [0]);
    assert!(!matches!(&end, Err(error) if error.kind() == ErrorKind::WouldBlock), "{end:?}");
}
