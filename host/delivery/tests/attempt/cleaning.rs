//! A SIEM that sends back everything it was sent learns nothing to others.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderName, Response};
use siemaphore_delivery::{Authentication, Decision, classify, response_for_guest};
use siemaphore_model::formatter::{Refusal, Verdict};
use std::io::Write;

use crate::server::{Received, Server, reply};
use crate::{Destination, secret_reference, write_secret};

const CANARY: &str = "canary+7f3a/4e1d-90ab-c0ffee";

/// Request line, headers and body, plain and in the encodings that debugging tools use.
fn echo(request: &Received) -> Response<Bytes> {
    let plain = format!("{} {} {:?} {:?}", request.method, request.uri, request.headers, request.body);
    let value = request.header("authorization").or(request.header("dd-api-key")).unwrap_or_default();
    let secret = value.rsplit(' ').next().unwrap_or_default();
    let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let body = format!(
        "{plain}\n{value}\n{encoded}\n{}\n{}\n{}\n{}",
        STANDARD.encode(value),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        STANDARD.encode(&plain),
    );
    let mut answer = reply(403, body);
    answer.headers_mut().insert("x-echo", value.parse().expect("a value"));
    answer
}

/// Everything that anybody gets to see of the attempt.
async fn seen(server: &Server, authentication: Authentication) -> String {
    let answer = Destination::new(server, authentication).send().await.expect("an answer");
    let guest = response_for_guest(&answer, 1, 1);
    let decision = classify(&answer, Verdict::Standard, 1);
    assert!(matches!(decision, Decision::Hold { .. }));
    let body = String::from_utf8_lossy(&guest.body).into_owned();
    assert!(body.contains("[secret]"), "{body}");
    format!("{body}\n{:?}\n{answer:?}\n{decision:?}", guest.headers)
}

fn assert_clean(seen: &str, secret: &str) {
    // Pieces, so that half a secret is found, too.
    for start in (0..secret.len() - 10).step_by(4) {
        let piece = &secret[start..start + 10];
        assert!(!seen.contains(piece), "{piece} is in {seen}");
    }
    let encoded = STANDARD.encode(secret);
    let inner = &encoded[2..encoded.len() - 4];
    assert!(!seen.contains(inner), "{inner} is in {seen}");
}

#[tokio::test]
async fn an_echoed_header_secret_is_gone_in_all_its_forms() {
    let server = Server::answering(|_, request| echo(request)).await;
    write_secret(&server, CANARY);
    let authentication = Authentication::Header {
        header: HeaderName::from_static("dd-api-key"),
        prefix: String::new(),
        secret: secret_reference(&server),
    };
    assert_clean(&seen(&server, authentication).await, CANARY);
}

#[tokio::test]
async fn an_echoed_prefixed_secret_is_gone_though_it_was_pasted_with_its_prefix() {
    let server = Server::answering(|_, request| echo(request)).await;
    write_secret(&server, &format!("Splunk {CANARY}"));
    let authentication = Authentication::Header {
        header: HeaderName::from_static("authorization"),
        prefix: "Splunk ".into(),
        secret: secret_reference(&server),
    };
    assert_clean(&seen(&server, authentication).await, CANARY);
}

#[tokio::test]
async fn an_echoed_basic_pair_is_gone() {
    let server = Server::answering(|_, request| echo(request)).await;
    write_secret(&server, CANARY);
    let authentication =
        Authentication::Basic { username: "elastic".into(), secret: secret_reference(&server) };
    let seen = seen(&server, authentication).await;
    assert_clean(&seen, CANARY);
    let pair = STANDARD.encode(format!("elastic:{CANARY}"));
    assert!(!seen.contains(&pair[..pair.len() - 4]), "{seen}");
}

#[tokio::test]
async fn an_echo_that_comes_compressed_is_cleaned_all_the_same() {
    let server = Server::answering(|_, request| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(echo(request).body()).expect("compressed");
        let mut answer = reply(403, encoder.finish().expect("compressed"));
        answer.headers_mut().insert("content-encoding", "gzip".parse().expect("a value"));
        answer
    })
    .await;
    write_secret(&server, CANARY);
    let authentication = Authentication::Bearer { secret: secret_reference(&server) };
    assert_clean(&seen(&server, authentication).await, CANARY);
}

/// How servers, proxies and debugging tools write what they were sent.
const SPELLINGS: [fn(char) -> String; 6] = [
    // .NET, which escapes a plus and leaves a slash.
    |c| if c == '+' { "\\u002B".to_owned() } else { c.to_string() },
    |c| if c == '+' { "%2B".to_owned() } else { c.to_string() },
    |c| if c.is_alphanumeric() { c.to_string() } else { format!("&#{};", u32::from(c)) },
    |c| format!("\\u{:04x}", u32::from(c)),
    |c| format!("%{:02x}", u32::from(c)),
    |c| format!("%{:02X}", u32::from(c)),
];

#[tokio::test]
async fn an_echo_that_escapes_the_secret_shows_a_guest_nothing_to_decode() {
    for spelling in SPELLINGS {
        let server = Server::answering(move |_, request| {
            let value: String =
                request.header("dd-api-key").unwrap_or_default().chars().map(spelling).collect();
            let mut answer = reply(403, format!(r#"{{"text":"bad key {value}"}}"#));
            answer.headers_mut().insert("x-echo", value.parse().expect("a value"));
            answer
        })
        .await;
        write_secret(&server, CANARY);
        let authentication = Authentication::Header {
            header: HeaderName::from_static("dd-api-key"),
            prefix: String::new(),
            secret: secret_reference(&server),
        };
        let seen = seen(&server, authentication).await;
        assert_clean(&seen, CANARY);
        let written: String = CANARY.chars().map(spelling).collect();
        assert!(!seen.contains(&written), "{written} is in {seen}");
        assert!(!seen.contains("bad key"), "an answer with an escaped secret is withheld: {seen}");
    }
}

#[tokio::test]
async fn a_guest_that_knows_the_secret_all_the_same_cannot_have_it_shown() {
    let server = Server::answering(|_, _| reply(403, "no")).await;
    write_secret(&server, CANARY);
    let authentication = Authentication::Bearer { secret: secret_reference(&server) };
    let answer = Destination::new(&server, authentication).send().await.expect("an answer");
    let refusal = Refusal { reason: format!("bad key {CANARY}"), hint: STANDARD.encode(CANARY) };
    let Decision::Hold { reason, hint } = classify(&answer, Verdict::Hold(refusal), 1) else {
        panic!("a 403 is held");
    };
    assert_eq!((reason.as_str(), hint.as_str()), ("bad key [secret]", "[secret]"));
}
