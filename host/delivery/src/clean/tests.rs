use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

const CANARY: &str = "Canary/7f3a+\"b&c\"-4e1d=90ab";

fn cleaned(secrets: &[&str], text: &str) -> String {
    let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(secret)).collect();
    String::from_utf8(Cleaner::new(&secrets).cleaned(text.as_bytes()).into_owned()).expect("text")
}

#[test]
fn a_secret_is_replaced_wherever_it_stands() {
    assert_eq!(cleaned(&["hunter2-x"], "hunter2-x"), "[secret]");
    assert_eq!(cleaned(&["hunter2-x"], "a hunter2-x b hunter2-xhunter2-x."), "a [secret] b [secret].");
    assert_eq!(cleaned(&["hunter2-x"], "nothing here"), "nothing here");
    assert_eq!(cleaned(&[], "nothing to find"), "nothing to find");
    assert_eq!(cleaned(&["hunter2-x", "other-secret"], "hunter2-x other-secret"), "[secret] [secret]");
}

#[test]
fn every_encoded_form_of_a_secret_is_replaced() {
    let percent_lower = utf8_percent_encode(CANARY, NON_ALPHANUMERIC).to_string().to_lowercase();
    for form in [
        STANDARD.encode(CANARY),
        STANDARD_NO_PAD.encode(CANARY),
        URL_SAFE.encode(CANARY),
        URL_SAFE_NO_PAD.encode(CANARY),
        percent_lower,
        url::form_urlencoded::byte_serialize(CANARY.as_bytes()).collect(),
        "Canary\\/7f3a+\\\"b&c\\\"-4e1d=90ab".to_owned(),
        "Canary/7f3a+&quot;b&amp;c&quot;-4e1d=90ab".to_owned(),
        CANARY.bytes().map(|byte| format!("{byte:02X}")).collect(),
        CANARY.to_uppercase(),
    ] {
        assert_eq!(cleaned(&[CANARY], &format!("<{form}>")), "<[secret]>", "{form}");
    }
}

#[test]
fn a_secret_inside_a_longer_base64_text_is_replaced_in_every_alignment() {
    for before in ["", "a", "ab", "abc", "Authorization: Splunk "] {
        for after in ["", "x", "xy", "\r\nAccept: */*"] {
            let encoded = STANDARD.encode(format!("{before}{CANARY}{after}"));
            let cleaned = cleaned(&[CANARY], &encoded);
            assert!(cleaned.contains("[secret]"), "{before:?} {after:?}: {cleaned}");
            // What is left decodes to nothing of the secret but bits of its first and last byte.
            for piece in ["Canary", "7f3a", "4e1d", "90ab"] {
                let inner = STANDARD_NO_PAD.encode(piece);
                assert!(!cleaned.contains(&inner[..inner.len() - 2]), "{before:?} {after:?}: {cleaned}");
            }
        }
    }
}

#[test]
fn a_long_secret_is_replaced_to_its_end_and_as_far_as_it_goes() {
    let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.".to_owned() + &"q7W".repeat(500);
    assert_eq!(cleaned(&[&token], &format!("Bearer {token}!")), "Bearer [secret]!");
    assert_eq!(cleaned(&[&token], &format!("Bearer {}...", &token[..100])), "Bearer [secret]...");
}

#[test]
fn a_short_secret_withholds_the_text_that_holds_it() {
    assert_eq!(cleaned(&["a"], "banana"), "[secret]");
    assert_eq!(cleaned(&["12345"], "invalid password 12345"), "[secret]");
    assert_eq!(cleaned(&["12345"], "invalid password"), "invalid password");
}

#[test]
fn overlapping_secrets_leave_nothing_of_either() {
    assert_eq!(cleaned(&["abcdefgh", "efghijkl"], "<abcdefghijkl>"), "<[secret]>");
    assert_eq!(cleaned(&["abcdefghijklmnop", "efghijkl"], "<abcdefghijklmnop>"), "<[secret]>");
}

#[test]
fn headers_and_body_of_an_answer_are_cleaned() {
    let mut headers = HeaderMap::new();
    headers.insert("x-echo", HeaderValue::from_static("DD-API-KEY: hunter2-hunter2"));
    headers.insert(HeaderName::from_static("x-hunter2-hunter2"), HeaderValue::from_static("1"));
    headers.insert("x-other", HeaderValue::from_static("kept"));
    let raw = siemaphore_http::Answer {
        status: 403,
        headers,
        body: Bytes::from_static(b"no: hunter2-hunter2"),
        truncated: false,
    };
    let answer = Cleaner::new(&[Secret::new("hunter2-hunter2")]).answer(raw);
    assert_eq!(answer.body, "no: [secret]");
    assert_eq!(answer.header("x-echo"), Some("DD-API-KEY: [secret]"));
    assert_eq!(answer.header("x-other"), Some("kept"));
    assert_eq!(answer.headers.len(), 2);
}

#[test]
fn a_secret_that_the_limit_cut_in_two_is_gone_too() {
    let secret = "0123456789abcdefghijklmnopqrstuvwxyz";
    for kept in 1..secret.len() {
        let body = format!("{}{}", "x".repeat(50), &secret[..kept]);
        let raw = siemaphore_http::Answer {
            status: 200,
            headers: HeaderMap::new(),
            body: Bytes::from(body),
            truncated: true,
        };
        let answer = Cleaner::new(&[Secret::new(secret)]).answer(raw);
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!body.contains("01") && answer.truncated, "{kept}: {body}");
    }
}

#[test]
fn a_cleaner_is_made_anew_when_the_secrets_change() {
    let last = LastCleaner::default();
    let secrets = |values: &[&str]| values.iter().map(|value| Secret::new(value)).collect::<Vec<_>>();
    let first = last.cleaner(&secrets(&["one-secret", "two-secret"]));
    assert!(Arc::ptr_eq(&first, &last.cleaner(&secrets(&["one-secret", "two-secret"]))));
    for others in
        [&["one-secret"][..], &["one-secret", "new-secret"], &["one-secret", "two-secret", "x"], &[]]
    {
        let cleaner = last.cleaner(&secrets(others));
        let text = "one-secret two-secret new-secret";
        assert_eq!(
            cleaner.cleaned(text.as_bytes()),
            Cleaner::new(&secrets(others)).cleaned(text.as_bytes()),
            "{others:?}"
        );
    }
}
