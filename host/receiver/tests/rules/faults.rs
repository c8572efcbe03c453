use std::time::{Duration, Instant};

use reqwest::header::AUTHORIZATION;
use reqwest::{Error, RequestBuilder, Response};
use siemaphore_receiver::{Fault, Siem};

use crate::sentinel::{sentinel, token_form};
use crate::support::{Lab, reply};

const PATIENCE: Duration = Duration::from_secs(10);

async fn splunk() -> Lab {
    Lab::start(Siem::SplunkHec { token: "token".to_owned(), allowed_indexes: None }).await
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
