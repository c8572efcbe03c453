use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING};
use siemaphore_receiver::{ReceiverConfig, Siem};

use crate::support::{Lab, gzip, reply};

const PATIENCE: Duration = Duration::from_secs(10);

async fn splunk(keep: Option<usize>) -> Lab {
    let siem = Siem::splunk_hec("token");
    Lab::start_with(siem, ReceiverConfig { keep, ..ReceiverConfig::default() }).await
}

async fn send(lab: &Lab, body: &str) -> u16 {
    let request = lab.client.post(lab.url("/services/collector")).header(AUTHORIZATION, "Splunk token");
    reply(request.body(body.to_owned())).await.status
}

#[tokio::test]
async fn waiting_ends_when_the_last_record_arrives() {
    let lab = splunk(None).await;
    let (received, ()) = tokio::join!(lab.receiver.wait_for(3, PATIENCE), async {
        send(&lab, r#"{"event":1}{"event":2}"#).await;
        send(&lab, r#"{"event":3}"#).await;
    });
    let events: Vec<_> = received.unwrap().iter().map(|received| received.record["event"].clone()).collect();
    assert_eq!(events, [1, 2, 3]);
}

#[tokio::test]
async fn waiting_in_vain_says_what_came_and_what_was_refused() {
    let lab = splunk(None).await;
    send(&lab, r#"{"event":1}"#).await;
    send(&lab, "nonsense").await;
    let error = lab.receiver.wait_for(2, Duration::from_millis(1)).await.unwrap_err().to_string();
    assert!(error.contains("2 records; there are 1 records in 2 requests"), "{error}");
    assert!(error.contains("POST /services/collector: 400: code 6: event 0"), "{error}");
}

#[tokio::test]
async fn a_request_is_logged_with_its_sizes_and_its_answer() {
    let lab = splunk(None).await;
    let body = r#"{"event":"x"}"#.repeat(50);
    let zipped = gzip(body.as_bytes());
    let zipped_bytes = zipped.len();
    let request = lab.client.post(lab.url("/services/collector?source=s"));
    let request = request.header(AUTHORIZATION, "Splunk token").header(CONTENT_ENCODING, "gzip").body(zipped);
    reply(request).await;
    let log = lab.receiver.requests().remove(0);
    assert_eq!((log.method.as_str(), log.path.as_str()), ("POST", "/services/collector"));
    assert_eq!((log.query.as_str(), log.number), ("source=s", 0));
    assert_eq!((log.status.map(|status| status.as_u16()), log.records), (Some(200), 50));
    assert_eq!((log.compressed_bytes, log.plain_bytes), (zipped_bytes, body.len()));
    assert_eq!(log.headers[AUTHORIZATION], "Splunk token");
    assert_eq!(log.refusal, None);
}

#[tokio::test]
async fn a_bounded_log_keeps_the_newest_and_counts_all() {
    let lab = splunk(Some(2)).await;
    for body in [r#"{"event":1}{"event":2}"#, r#"{"event":3}"#, r#"{"event":4}"#] {
        assert_eq!(send(&lab, body).await, 200);
    }
    let events: Vec<_> =
        lab.receiver.received().iter().map(|received| received.record["event"].clone()).collect();
    assert_eq!(events, [3, 4]);
    assert_eq!(lab.receiver.requests().len(), 2);
    let totals = lab.receiver.totals();
    assert_eq!((totals.records, totals.requests, totals.violations), (4, 3, 0));
    assert!(lab.receiver.wait_for(4, PATIENCE).await.is_ok());
}

#[tokio::test]
async fn a_subscriber_sees_each_exchange_with_its_records() {
    let lab = splunk(None).await;
    let mut exchanges = lab.receiver.subscribe();
    send(&lab, r#"{"event":"live"}"#).await;
    let exchange = exchanges.recv().await.unwrap();
    assert_eq!(exchange.request.path, "/services/collector");
    assert_eq!(exchange.received[0].record["event"], "live");
}
