//! Bad input: each kind gets a clear error with its index, the good events beside it are kept, memory stays bounded.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/intake.rs"]
mod support;

use proptest::prelude::*;
use siemaphore_intake::IntakeConfig;
use support::{TestIntake, gateway, gzip};

const MIB: usize = 1024 * 1024;

/// A raw event that is no good, and a part of the reason that it is refused with.
fn bad_events() -> Vec<(Vec<u8>, &'static str)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        (text(r#"{"a":"#), "ends too early"),
        (text(r#"{"a":1"#), "ends too early"),
        (text(r#"{"a":"x"#), "ends too early"),
        (text(r#"{"a" 1}"#), "':' is expected"),
        (text(r#"{"a":1 "b":2}"#), "',' or '}' is expected"),
        (text(r#"{"a":1,}"#), "a member name in double quotes is expected"),
        (text("{a:1}"), "a member name in double quotes is expected"),
        (text("{'a':1}"), "a member name in double quotes is expected"),
        (text(r#"{"a":[1,]}"#), "a value is expected"),
        (text(r#"{"a":[1}"#), "',' or ']' is expected"),
        (text(r#"{"a":01}"#), "',' or '}' is expected"),
        (text(r#"{"a":1.}"#), "a digit is expected"),
        (text(r#"{"a":-}"#), "a digit is expected"),
        (text(r#"{"a":1e}"#), "a digit is expected"),
        (text(r#"{"a":NaN}"#), "a value is expected"),
        (text(r#"{"a":Infinity}"#), "a value is expected"),
        (text(r#"{"a":tru}"#), "a value is expected"),
        (text(r#"{"a":"\x"}"#), "an escape in a string is not one of JSON's"),
        (text(r#"{"a":"\u12g4"}"#), "an escape in a string is not one of JSON's"),
        (text("{\"a\":\"\t\"}"), "a control character in a string is not escaped"),
        (text("{\"a\":\"\0\"}"), "a control character in a string is not escaped"),
        (text(r#"{"a":1}{"b":2}"#), "characters after the end of the event"),
        (text(r#"{"a":1}]"#), "characters after the end of the event"),
        (text("}"), "a value is expected"),
        (text("hello"), "a value is expected"),
        (text(r#""hello""#), "the event is text"),
        (text("17"), "the event is a number"),
        (text("true"), "the event is a boolean"),
        (text("null"), "the event is null"),
        (text("[{}]"), "the event is an array"),
        (text(r#"{"event_type":{"a":1}}"#), "/event_type holds an object"),
        (text(r#"{"event_type":["a"]}"#), "/event_type holds an array"),
        (text(r#"{"event_id":true}"#), "/event_id holds a boolean"),
        (format!(r#"{{"a":{}{}}}"#, "[".repeat(64), "]".repeat(64)).into_bytes(), "more than 64 levels deep"),
        (
            format!("{}{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000)).into_bytes(),
            "the limit is 262144",
        ),
        (format!(r#"{{"a":{}"#, "[".repeat(100_000)).into_bytes(), "more than 64 levels deep"),
        (format!(r#"{{"a":"{}"}}"#, "x".repeat(MIB)).into_bytes(), "1048584 bytes; the limit is 262144"),
        (b"{\"a\":\"\xff\"}".to_vec(), "not valid UTF-8 at byte 6"),
        (b"{\"a\":\"\xed\xa0\x80\"}".to_vec(), "not valid UTF-8 at byte 6"),
        (b"\x00\x01\x02".to_vec(), "a value is expected"),
    ]
}

#[tokio::test]
async fn a_bad_line_is_refused_by_index_and_its_neighbours_are_kept() {
    for (bad, reason) in bad_events() {
        let intake = TestIntake::new();
        let body = [b"{\"id\":\"before\"}\n", bad.as_slice(), b"\n{\"id\":\"after\"}\n"].concat();
        let answer = intake.post(&[("content-type", "application/x-ndjson")], body).await;
        answer.expect(200, 2);
        let shown = String::from_utf8_lossy(&bad[..bad.len().min(50)]).into_owned();
        let [(1, actual)] = answer.refused()[..] else { panic!("{shown}: {}", answer.text) };
        assert!(actual.contains(reason), "{shown}: {actual}");
        assert_eq!(intake.log.ids(), ["before", "after"], "{shown}");
    }
}

#[tokio::test]
async fn a_bad_element_is_refused_by_index_and_those_before_it_are_kept() {
    for (bad, reason) in bad_events() {
        if reason.starts_with("characters after") {
            continue; // A good element, and then something that is none.
        }
        let intake = TestIntake::new();
        let body = [b"[{\"id\":\"before\"},", bad.as_slice(), b"]"].concat();
        let answer = intake.post(&[("content-type", "application/json")], body).await;
        let shown = String::from_utf8_lossy(&bad[..bad.len().min(50)]).into_owned();
        answer.expect(200, 1);
        assert_eq!(answer.refused()[0].0, 1, "{shown}: {}", answer.text);
        assert_eq!(intake.log.ids(), ["before"], "{shown}");
    }
}

#[tokio::test]
async fn a_bad_event_alone_is_an_error_of_the_producer() {
    for (bad, reason) in bad_events() {
        let intake = TestIntake::new();
        let answer = intake.post(&[], bad.clone()).await;
        let shown = String::from_utf8_lossy(&bad[..bad.len().min(50)]).into_owned();
        if bad == b"[{}]" {
            continue; // An array of one event.
        }
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{shown}: {}", answer.text);
        assert_eq!(answer.refused()[0].0, 0, "{shown}");
        assert!(answer.refused()[0].1.contains(reason), "{shown}: {}", answer.text);
        assert_eq!(intake.log.requests(), 0, "{shown}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_is_unreadable_and_one_with_wrong_events_is_not() {
    let intake = TestIntake::new();
    intake.post(&[], "<xml/>").await.expect_error(400, "could not be read");
    intake.post(&[], "[tru]").await.expect_error(400, "could not be read");
    intake.post(&[], "[1,2]").await.expect_error(422, "no event was accepted");
    intake.post(&[], "").await.expect_error(400, "empty");
    intake
        .post(&[("content-encoding", "gzip")], "{}")
        .await
        .expect_error(400, "cannot be decompressed as gzip");
    intake
        .post(&[("content-encoding", "zstd")], "{}")
        .await
        .expect_error(400, "cannot be decompressed as zstd");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_and_without_its_length_told() {
    let config = IntakeConfig { body_bytes: 1000, decompressed_bytes: 1000, ..IntakeConfig::default() };
    let intake = TestIntake::with(config, vec![gateway()]);
    let pad = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
    intake.post(&[], pad(1000)).await.expect(200, 1);
    intake.post(&[], pad(1001)).await.expect_error(413, "more than 1000 bytes");
    intake.post(&[("content-length", "1001")], pad(1001)).await.expect_error(413, "more than 1000 bytes");
    let packed = intake.post(&[("content-encoding", "gzip")], gzip(pad(1001).as_bytes())).await;
    packed.expect_error(413, "more than 1000 bytes after decompression");
}

#[tokio::test]
async fn a_bomb_stops_at_the_limit() {
    let intake = TestIntake::new();
    // 256 MiB in about 260 KiB, and it says so nowhere.
    let zeros = vec![b' '; 256 * MIB];
    let zstd = zstd::encode_all(zeros.as_slice(), 1).unwrap();
    for (encoding, bomb) in [("gzip", gzip(&zeros)), ("zstd", zstd)] {
        assert!(bomb.len() < MIB);
        let answer = intake.post(&[("content-encoding", encoding)], bomb).await;
        answer.expect_error(413, "more than 16777216 bytes after decompression");
    }
    assert_eq!(intake.metrics.snapshot()[0].bytes, 0);
}

#[tokio::test]
async fn a_batch_over_the_limit_is_refused_whole() {
    let intake = TestIntake::new();
    intake.post(&[], "{}\n".repeat(10_000)).await.expect(200, 10_000);
    let answer = intake.post(&[], "{}\n".repeat(10_001)).await;
    answer.expect_error(413, "more than 10000 events");
    assert_eq!(intake.log.requests(), 1);
}

#[tokio::test]
async fn many_refusals_are_counted_and_the_first_hundred_listed() {
    let intake = TestIntake::new();
    let answer = intake.post(&[], format!("{{}}\n{}", "1\n".repeat(500))).await;
    answer.expect(200, 1);
    assert_eq!(answer.refused().len(), 100);
    assert_eq!(answer.body["refused_count"], 500);
    assert_eq!(intake.metrics.snapshot()[0].refused, 500);
}

/// Every answer is one that a producer can act on: taken, or refused as its own mistake.
async fn never_our_fault(body: Vec<u8>, content_type: &str, encoding: &str) {
    let intake = TestIntake::new();
    let headers = [("content-type", content_type), ("content-encoding", encoding)];
    let answer = intake.post(&headers, body.clone()).await;
    let status = answer.status.as_u16();
    assert!(matches!(status, 200 | 400 | 413 | 422), "{status} for {body:?}");
    if status == 200 {
        assert_eq!(answer.body["accepted"], intake.log.ids().len(), "{body:?}");
    } else {
        assert!(answer.body["error"]["hint"].is_string(), "{}", answer.text);
        assert_eq!(intake.log.ids().len(), 0, "{body:?}");
    }
}

const SAMPLE: &str =
    r#"[{"event_id":"evt_1","n":-1.5e3,"t":true,"u":null,"s":"a\"\\\u00e9 é","o":{"a":[1,{}]}},{"id":2}]"#;

#[tokio::test]
async fn a_sample_cut_or_changed_at_any_byte_is_answered() {
    let packed = gzip(SAMPLE.as_bytes());
    for content_type in ["application/json", "application/x-ndjson", "text/plain"] {
        for end in 0..=SAMPLE.len() {
            never_our_fault(SAMPLE.as_bytes()[..end].to_vec(), content_type, "identity").await;
        }
    }
    for at in 0..SAMPLE.len() {
        for byte in [b'"', b'\\', b'{', b']', b',', 0, 0xff, b'\n'] {
            let mut changed = SAMPLE.as_bytes().to_vec();
            changed[at] = byte;
            never_our_fault(changed, "text/plain", "identity").await;
        }
    }
    for end in 0..packed.len() {
        never_our_fault(packed[..end].to_vec(), "application/json", "gzip").await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_answered(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        content_type in prop_oneof![Just("application/json"), Just("application/x-ndjson"), Just("")],
        encoding in prop_oneof![Just("identity"), Just("gzip"), Just("zstd"), Just("deflate")],
    ) {
        run(never_our_fault(body, content_type, encoding));
    }

    #[test]
    fn random_json_like_text_is_answered(body in r#"[\[\]{}:," \n\\a1u0-]{0,60}"#) {
        run(never_our_fault(body.into_bytes(), "", "identity"));
    }
}

fn run(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
}
