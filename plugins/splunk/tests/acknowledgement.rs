//! Indexer acknowledgement from the request to the confirmation, and everything that can come between.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_formatter_splunk::Splunk;
use siemaphore_sdk::testkit::{self, Configured, answer, follow_up};
use siemaphore_sdk::{Fate, Pending, Response, Verdict};

const SETTINGS: &str = r#"{"indexer_acknowledgement":true}"#;

fn splunk() -> Configured<Splunk> {
    splunk_for("acme/splunk")
}

fn splunk_for(destination: &str) -> Configured<Splunk> {
    testkit::configure_for::<Splunk>(SETTINGS, destination).unwrap()
}

fn channel(splunk: &Configured<Splunk>) -> String {
    let (_, channel) =
        splunk.profile.headers.iter().find(|(name, _)| name == "X-Splunk-Request-Channel").unwrap();
    channel.clone()
}

fn taken(id: u64) -> Response {
    answer(200, &format!(r#"{{"text":"Success","code":0,"ackId":{id}}}"#))
}

/// The follow-up that a request taken under this id asks for.
fn asked(id: u64) -> Pending {
    match splunk().interpret(&taken(id)) {
        Verdict::Pending(pending) => pending,
        other => panic!("{other:?}"),
    }
}

fn poll(status: u16, body: &str) -> Verdict {
    splunk().interpret(&follow_up(&asked(7), status, body))
}

fn hint(verdict: Verdict) -> String {
    match verdict {
        Verdict::Hold(refusal) => refusal.hint,
        other => panic!("{other:?} does not hold"),
    }
}

#[test]
fn the_request_names_a_channel_and_keeps_its_cookies() {
    let profile = splunk().profile;
    assert_eq!(profile.follow_up_path.as_deref(), Some("/services/collector/ack"));
    assert!(profile.sticky);
    let plain = testkit::configure::<Splunk>("{}").unwrap().profile;
    assert_eq!((plain.headers, plain.follow_up_path, plain.sticky), (vec![], None, false));
}

#[test]
fn a_destination_has_one_channel_for_ever_and_it_is_no_other_destinations() {
    // Hosts of all versions have to agree on it: confirmations are counted within it.
    assert_eq!(channel(&splunk()), "f55484fd-cd95-8e79-89ef-b1d13b387a3b");
    let channels: std::collections::BTreeSet<String> =
        ["acme/splunk", "acme/splunk2", "beta/splunk", "", "a"].map(|name| channel(&splunk_for(name))).into();
    assert_eq!(channels.len(), 5);
    for channel in channels {
        let lengths: Vec<usize> = channel.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{channel}");
        assert!(channel.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()), "{channel}");
    }
}

#[test]
fn success_is_received_and_only_the_poll_says_indexed() {
    let pending = asked(7);
    assert_eq!(pending.query, [("channel".to_owned(), channel(&splunk()))]);
    assert_eq!(pending.body, br#"{"acks":[7]}"#);
    assert_eq!(pending.after_ms, 1_000);
    assert_eq!(poll(200, r#"{"acks":{"7":true}}"#), Verdict::Delivered(None));
}

#[test]
fn polls_grow_rarer_until_the_confirmation_comes() {
    let mut polls = 0;
    let followed = splunk().follow(&taken(0), |_| {
        polls += 1;
        (200, format!(r#"{{"acks":{{"0":{}}}}}"#, polls == 13))
    });
    assert_eq!(followed.verdict, Verdict::Delivered(None));
    let waits: Vec<u64> = followed.follow_ups.iter().map(|pending| pending.after_ms / 1_000).collect();
    assert_eq!(waits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10]);
    assert!(followed.follow_ups.iter().all(|pending| pending.body == br#"{"acks":[0]}"#));
}

#[test]
fn an_id_that_is_never_confirmed_holds_and_speaks_of_sticky_sessions() {
    for body in [r#"{"acks":{"7":false}}"#, r#"{"acks":{}}"#, r#"{"acks":{"8":true}}"#] {
        let followed = splunk().follow(&taken(7), |_| (200, body.to_owned()));
        let waited: u64 = followed.follow_ups.iter().map(|pending| pending.after_ms).sum();
        assert_eq!((followed.follow_ups.len(), waited), (40, 355_000), "{body}");
        assert!(hint(followed.verdict).contains("sticky sessions"), "{body}");
    }
}

#[test]
fn trouble_of_the_indexer_says_nothing_about_the_events_and_the_poll_is_repeated() {
    for (status, body) in [
        (503, r#"{"text":"Server is busy","code":9}"#),
        (503, r#"{"text":"Server is shutting down","code":23}"#),
        (429, r#"{"text":"ACK channel is at capacity","code":27}"#),
        (500, ""),
        (502, "<html>"),
        (408, ""),
    ] {
        assert_eq!(poll(status, body), Verdict::Standard, "{status} {body}");
        let mut polls = 0;
        let followed = splunk().follow(&taken(7), |_| {
            polls += 1;
            if polls < 3 { (status, body.to_owned()) } else { (200, r#"{"acks":{"7":true}}"#.to_owned()) }
        });
        assert_eq!((followed.verdict, followed.follow_ups.len()), (Verdict::Delivered(None), 3));
    }
}

#[test]
fn a_refused_poll_holds_and_never_judges_the_events() {
    for (status, body, words) in [
        (400, r#"{"text":"ACK is disabled","code":14}"#, "indexer_acknowledgement"),
        (400, r#"{"text":"Data channel is missing","code":10}"#, "X-Splunk-Request-Channel"),
        (400, r#"{"text":"Invalid data channel","code":11}"#, "X-Splunk-Request-Channel"),
        (400, r#"{"text":"No data","code":5}"#, "/services/collector/ack"),
        (
            400,
            r#"{"text":"Invalid data format","code":6,"invalid-event-number":0}"#,
            "/services/collector/ack",
        ),
        (403, r#"{"text":"Invalid token","code":4}"#, "every indexer"),
        (404, "", "/services/collector/ack"),
        (405, "", "/services/collector/ack"),
        (413, "", "/services/collector/ack"),
        (302, "", "/services/collector/ack"),
        (200, "", "/services/collector/ack"),
        (200, "<html>Sign in</html>", "/services/collector/ack"),
        (200, r#"{"text":"Success","code":0}"#, "/services/collector/ack"),
        (200, r#"{"acks":[7]}"#, "/services/collector/ack"),
    ] {
        let hint = hint(poll(status, body));
        assert!(hint.contains(words), "{status} {body}: {hint}");
    }
}

/// To hold here would send the events again and again, and Splunk would keep them each time.
#[test]
fn a_token_without_acknowledgement_delivers_and_says_what_is_missing() {
    let Verdict::Delivered(Some(note)) = splunk().interpret(&answer(200, r#"{"text":"Success","code":0}"#))
    else {
        panic!("not delivered with a note")
    };
    assert!(note.hint.contains("indexer_acknowledgement"), "{}", note.hint);
    assert_eq!(note.pause_ms, None);
}

#[test]
fn a_warning_of_the_first_answer_is_not_lost_while_waiting() {
    for (code, word) in [(24, "queue"), (25, "acknowledgements")] {
        let first = answer(200, &format!(r#"{{"text":"warning","code":{code},"ackId":3}}"#));
        let followed = splunk().follow(&first, |_| (200, r#"{"acks":{"3":true}}"#.to_owned()));
        let Verdict::Delivered(Some(note)) = followed.verdict else { panic!("{code}") };
        assert!(note.reason.contains(word) && note.pause_ms.is_some(), "{note:?}");
    }
}

#[test]
fn a_bad_event_is_set_apart_and_what_stood_before_it_counts_as_delivered_with_a_note() {
    let body = r#"{"text":"bad","code":12,"invalid-event-number":3}"#;
    let Verdict::Partial(partial) = splunk().interpret(&answer(400, body)) else { panic!("not partial") };
    assert_eq!((partial.runs[0].count, &partial.runs[0].fate), (3, &Fate::Delivered));
    assert!(partial.note.unwrap().reason.contains("3 events"));
    let first = r#"{"text":"bad","code":12,"invalid-event-number":0}"#;
    let Verdict::Partial(partial) = splunk().interpret(&answer(400, first)) else { panic!("not partial") };
    assert_eq!(partial.note, None, "nothing stood before it");
}

#[test]
fn what_a_proxy_does_to_the_channel_has_a_hint() {
    for code in [10, 11, 28] {
        let body = format!(r#"{{"text":"channel","code":{code}}}"#);
        assert!(hint(splunk().interpret(&answer(400, &body))).contains("X-Splunk-Request-Channel"));
        let plain = testkit::configure::<Splunk>("{}").unwrap();
        assert!(hint(plain.interpret(&answer(400, &body))).contains("indexer_acknowledgement"));
    }
}

#[test]
fn a_lost_state_sends_the_events_again() {
    let nobodys = Pending::after_ms(0);
    let verdict = splunk().interpret(&follow_up(&nobodys, 200, r#"{"acks":{"0":true}}"#));
    assert!(matches!(verdict, Verdict::Retry(_)), "{verdict:?}");
}

#[test]
fn no_part_of_an_answer_or_of_a_state_confirms_anything() {
    let whole = r#"{"acks":{"7":true}}"#;
    for end in 0..whole.len() {
        let verdict = poll(200, &whole[..end]);
        assert!(matches!(verdict, Verdict::Hold(_)), "{:?}: {verdict:?}", &whole[..end]);
    }
    let pending = asked(7);
    for end in 0..pending.state.len() {
        let cut = Pending { state: pending.state[..end].to_vec(), ..pending.clone() };
        let verdict = splunk().interpret(&follow_up(&cut, 200, whole));
        assert!(matches!(verdict, Verdict::Retry(_)), "{verdict:?}");
    }
}
