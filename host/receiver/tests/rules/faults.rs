use std::time::{Duration, Instant, SystemTime};

use reqwest::header::AUTHORIZATION;
use reqwest::{Error, RequestBuilder, Response};
use siemaphore_receiver::{Endless, Fault, Siem};

use crate::sentinel::{sentinel, token_form};
use crate::support::{Lab, reply};

const PATIENCE: Duration = Duration::from_secs(10);

async fn splunk() -> Lab {
    Lab::start(Siem::splunk_hec("token")).await
}

fn event(lab: &Lab) -> RequestBuilder {
    let url = lab.url("/services/collector/event?channel=c");
    lab.client.post(url).header(AUTHORIZATION, "Splunk token").body(r#"{"event":"x"}"#)
}

async fn attempt(lab: &Lab) -> Result<Response, Error> {
    event(lab).send().await
}

#[tokio::test]
async fn scripted_faults_come_in_order_and_then_the_rules_again() {
    let lab = splunk().await;
    let headers = vec![("X-Reason".to_owned(), "maintenance".to_owned())];
    lab.receiver.script(vec![
        Fault::Status(503),
        Fault::StatusWith { status: 418, headers, body: "short".to_owned() },
        Fault::RetryAfter(Duration::from_millis(1500)),
        Fault::RedirectTo("https://example.com/".to_owned()),
    ]);
    assert_eq!(reply(event(&lab)).await.status, 503);
    let scripted = reply(event(&lab)).await;
    assert_eq!((scripted.status, scripted.text.as_str()), (418, "short"));
    assert_eq!(scripted.headers["x-reason"], "maintenance");
    let limited = reply(event(&lab)).await;
    assert_eq!((limited.status, limited.headers["retry-after"].to_str().unwrap()), (429, "2"));
    let moved = reply(event(&lab)).await;
    assert_eq!((moved.status, moved.headers["location"].to_str().unwrap()), (307, "https://example.com/"));
    assert_eq!(lab.taken_whole(), 0);
    assert_eq!(reply(event(&lab)).await.status, 200);
    assert_eq!(lab.taken_whole(), 1);
}

#[tokio::test]
async fn a_lasting_fault_follows_the_script_until_it_is_taken_back() {
    let lab = splunk().await;
    lab.receiver.fail_always(Some(Fault::Status(500)));
    lab.receiver.script(vec![Fault::Status(503)]);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(reply(event(&lab)).await.status);
    }
    lab.receiver.fail_always(None);
    statuses.push(reply(event(&lab)).await.status);
    assert_eq!(statuses, [503, 500, 500, 200]);
}

#[tokio::test]
async fn echo_shows_the_whole_request_to_its_sender() {
    let lab = splunk().await;
    lab.receiver.script(vec![Fault::EchoEverything]);
    let answer = reply(event(&lab)).await;
    assert_eq!(answer.status, 400);
    for part in
        ["POST /services/collector/event?channel=c", "authorization: Splunk token", r#"{"event":"x"}"#]
    {
        assert!(answer.text.contains(part), "{part} is not in {}", answer.text);
    }
}

#[tokio::test]
async fn an_echo_repeats_the_request_in_headers_too_under_any_status() {
    let lab = splunk().await;
    lab.receiver.script(vec![Fault::EchoWith(200)]);
    let answer = reply(event(&lab)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["x-echo-request"], "POST /services/collector/event?channel=c");
    assert_eq!(answer.headers["x-echo-authorization"], "Splunk token");
    assert_eq!(answer.headers["x-echo-body"], r#"{"event":"x"}"#);
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn a_date_to_retry_after_is_no_earlier_than_asked_for() {
    let lab = splunk().await;
    lab.receiver.script(vec![Fault::RetryAfterDate(Duration::from_secs(30))]);
    let before = SystemTime::now();
    let limited = reply(event(&lab)).await;
    let date = httpdate::parse_http_date(limited.headers["retry-after"].to_str().unwrap()).unwrap();
    let ahead = date.duration_since(before).unwrap();
    assert!(ahead >= Duration::from_secs(30) && ahead <= Duration::from_secs(40), "{ahead:?}");
    assert_eq!((limited.status, lab.taken_whole()), (429, 0));
}

#[tokio::test]
async fn records_before_the_one_stopped_at_are_taken() {
    let lab = splunk().await;
    lab.receiver.script(vec![Fault::StopAt(1), Fault::StopAt(9)]);
    let two = || event(&lab).body(r#"{"event":"first"}{"event":"second"}"#);
    let stopped = reply(two()).await;
    assert_eq!((stopped.status, stopped.json()["invalid-event-number"].as_u64()), (400, Some(1)));
    let taken = lab.receiver.received();
    assert_eq!((taken.len(), &taken[0].record["event"]), (1, &"first".into()));
    assert_eq!(reply(two()).await.status, 200, "there is no tenth");
}

#[tokio::test]
async fn a_connection_can_close_while_the_body_is_on_its_way() {
    let lab = splunk().await;
    lab.receiver.script(vec![Fault::CloseMidRequest, Fault::Status(503)]);
    let large = format!(r#"{{"event":"{}"}}"#, "x".repeat(4_000_000));
    assert!(event(&lab).body(large).send().await.is_err());
    assert!(lab.receiver.requests().is_empty());
    assert_eq!(reply(event(&lab)).await.status, 503);
}

#[tokio::test]
async fn an_endless_answer_goes_on_until_the_client_leaves() {
    let lab = splunk().await;
    let endless = [Endless::Interim, Endless::Headers, Endless::Body];
    lab.receiver.script(endless.map(Fault::Endless).to_vec());
    // Two of them the client's own limit ends; the first would go on for ever.
    let interim = tokio::time::timeout(Duration::from_millis(300), attempt(&lab)).await;
    assert!(interim.is_err() || interim.unwrap().is_err());
    assert!(attempt(&lab).await.is_err(), "a head without an end is no answer");
    let mut body = attempt(&lab).await.unwrap();
    let mut length = 0;
    while length < 1_000_000 {
        length += body.chunk().await.unwrap().unwrap().len();
    }
    drop(body);
    assert_eq!(reply(event(&lab)).await.status, 200, "others are served meanwhile and after");
}

#[tokio::test]
async fn polls_have_a_script_of_their_own_and_share_a_lasting_fault() {
    let lab = splunk().await;
    let poll = || lab.client.post(lab.url("/services/collector/ack"));
    lab.receiver.script(vec![Fault::Status(503)]);
    lab.receiver.script_polls(vec![Fault::Status(500)]);
    assert_eq!(reply(poll()).await.status, 500);
    assert_eq!(reply(event(&lab)).await.status, 503);
    lab.receiver.fail_always(Some(Fault::Status(502)));
    assert_eq!((reply(poll()).await.status, reply(event(&lab)).await.status), (502, 502));
}

#[tokio::test]
async fn a_siem_that_went_away_refuses_connections_and_comes_back_on_its_port() {
    let lab = splunk().await;
    assert_eq!(reply(event(&lab)).await.status, 200);
    lab.receiver.go_away().await;
    let error = attempt(&lab).await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    lab.receiver.go_away().await;
    lab.receiver.come_back().unwrap();
    lab.receiver.come_back().unwrap();
    assert_eq!(reply(event(&lab)).await.status, 200);
    assert_eq!(lab.taken_whole(), 2, "what came before is still known");
}

#[tokio::test]
async fn a_closed_connection_takes_nothing_and_a_lost_answer_takes_everything() {
    let lab = splunk().await;
    lab.receiver.script(vec![Fault::Close, Fault::LoseAnswer]);
    assert!(attempt(&lab).await.is_err());
    assert_eq!(lab.taken_whole(), 0);
    assert!(attempt(&lab).await.is_err());
    assert_eq!(lab.taken_whole(), 1);
    let statuses: Vec<_> = lab.receiver.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [None, None]);
}

#[tokio::test]
async fn an_answer_can_break_off_in_the_middle_of_its_body() {
    let lab = splunk().await;
    lab.receiver.script(vec![Fault::CloseMidBody]);
    let mut response = attempt(&lab).await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert!(response.chunk().await.unwrap().is_some());
    assert!(response.chunk().await.is_err());
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn a_hanging_request_is_logged_while_it_hangs() {
    let lab = splunk().await;
    lab.receiver.script(vec![Fault::Hang]);
    let request = tokio::spawn(event(&lab).send());
    let requests = lab.receiver.wait_for_requests(1, PATIENCE).await.unwrap();
    assert_eq!(requests[0].status, None);
    assert!(!request.is_finished());
    request.abort();
    assert_eq!(reply(event(&lab)).await.status, 200);
}

#[tokio::test]
async fn a_late_answer_is_by_the_rules() {
    let lab = splunk().await;
    let delay = Duration::from_millis(100);
    lab.receiver.script(vec![Fault::HangFor(delay)]);
    let start = Instant::now();
    assert_eq!(reply(event(&lab)).await.status, 200);
    assert!(start.elapsed() >= delay);
    assert_eq!(lab.taken_whole(), 1);
}

#[tokio::test]
async fn token_requests_have_a_script_of_their_own() {
    let lab = sentinel().await;
    let url = lab.receiver.token_url().unwrap();
    lab.receiver.script(vec![Fault::Status(503)]);
    lab.receiver.script_token(vec![Fault::Status(500)]);
    assert_eq!(reply(token_form(&lab, &url, &[])).await.status, 500);
    assert_eq!(reply(token_form(&lab, &url, &[])).await.status, 200);
    assert_eq!(reply(lab.client.post(lab.url("/"))).await.status, 503);
}
