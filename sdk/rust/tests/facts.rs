//! Facts as formatters ask for them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use siemaphore_sdk::Event;
use siemaphore_sdk::facts::{Decision, Fact, FactPlaces, Facts};
use siemaphore_sdk::json::Outline;
use siemaphore_sdk::testkit::event;

fn fact(event: &Event, places: &FactPlaces, fact: Fact) -> Option<String> {
    Facts::new(event, &Outline::new(&event.document), places).text(fact).map(Into::into)
}

fn decision(event: &Event) -> Decision {
    Facts::new(event, &Outline::new(&event.document), &FactPlaces::default()).decision()
}

#[test]
fn a_producers_own_place_comes_before_the_usual_names() {
    let document = r#"{"identity":{"user_id":"usr_1","email":"j@acme.com"},"user_id":"other","model":"m"}"#;
    let of_producer = Event { producer: "systemprompt".to_owned(), ..event(document) };
    let places = FactPlaces::default();
    assert_eq!(fact(&of_producer, &places, Fact::UserId).as_deref(), Some("usr_1"));
    assert_eq!(fact(&of_producer, &places, Fact::Model).as_deref(), Some("m"));
    assert_eq!(fact(&event(document), &places, Fact::UserId).as_deref(), Some("other"));
}

#[test]
fn an_operators_place_is_the_only_one_and_an_empty_one_is_nowhere() {
    let event = event(r#"{"who":"a\"b","user_id":"u","policy":7}"#);
    let places = FactPlaces {
        user_id: Some("/who".to_owned()),
        policy: Some(String::new()),
        rule: Some("/nowhere".to_owned()),
        ..FactPlaces::default()
    };
    assert_eq!(fact(&event, &places, Fact::UserId).as_deref(), Some("a\"b"));
    assert_eq!(fact(&event, &places, Fact::Policy), None);
    assert_eq!(fact(&event, &FactPlaces::default(), Fact::Policy).as_deref(), Some("7"));
    assert_eq!(fact(&event, &places, Fact::Rule), None);
}

#[test]
fn what_is_no_scalar_or_no_address_is_no_fact() {
    let event =
        event(r#"{"user_id":{"a":1},"model":null,"source_ip":"gateway","client_ip":"192.0.2.7","user":"x"}"#);
    let places = FactPlaces::default();
    assert_eq!(fact(&event, &places, Fact::UserId), None);
    assert_eq!(fact(&event, &places, Fact::Model), None);
    assert_eq!(fact(&event, &places, Fact::UserEmail), None);
    assert_eq!(fact(&event, &places, Fact::SourceIp).as_deref(), Some("192.0.2.7"));
}

#[test]
fn the_outcome_decides_and_without_one_the_event_type() {
    assert_eq!(decision(&event(r#"{"outcome":"allowed"}"#)), Decision::Allowed);
    assert_eq!(decision(&event(r#"{"outcome":"?"}"#)), Decision::Blocked);
    assert_eq!(decision(&Event { event_type: "blocked.count".to_owned(), ..event("{}") }), Decision::Unknown);
}

#[test]
fn a_place_that_is_no_pointer_is_named() {
    let places = FactPlaces { user_id: Some("identity.id".to_owned()), ..FactPlaces::default() };
    let problems = places.problems("fields");
    assert_eq!(
        problems.iter().map(|problem| problem.pointer.as_str()).collect::<Vec<_>>(),
        ["/fields/user_id"]
    );
}

#[test]
fn what_is_known_comes_under_the_names_of_the_settings_and_the_decision_last() {
    let event = event(r#"{"user_id":"u\u0031","action":"BLOCKED","reason":null,"tool":{},"input_tokens":7}"#);
    let (outline, places) = (Outline::new(&event.document), FactPlaces::default());
    let known: Vec<_> = Facts::new(&event, &outline, &places).known().collect();
    let expected = [
        ("user_id", r#""u\u0031""#),
        ("outcome", r#""BLOCKED""#),
        ("input_tokens", "7"),
        ("decision", r#""blocked""#),
    ];
    assert!(known.iter().map(|(name, value)| (*name, &**value)).eq(expected), "{known:?}");
}

#[test]
fn a_headline_says_what_why_who_and_with_what() {
    let headline = |event: &Event, longest| {
        Facts::new(event, &Outline::new(&event.document), &FactPlaces::default()).headline(longest)
    };
    for (document, longest, expected) in [
        ("{}", 100, "dlp.pii_blocked"),
        (r#"{"reason":"2 matches\nfound"}"#, 100, "dlp.pii_blocked: 2 matches found"),
        ("{\"reason\":\"a\\u202eb\\u2028c\u{2066}d\u{200f}e\"}", 100, "dlp.pii_blocked: a b c d e"),
        (r#"{"user_id":"u1"}"#, 100, "dlp.pii_blocked (user u1)"),
        (
            r#"{"reason":"r","user_id":"u1","user_name":"Ann","tool":"exec"}"#,
            100,
            "dlp.pii_blocked: r (user Ann, tool exec)",
        ),
        (r#"{"user_name":"Ann","email":"a@acme.com"}"#, 100, "dlp.pii_blocked (user a@acme.com)"),
        (r#"{"reason":"éééééééé","user_id":"u1"}"#, 29, "dlp.pii_blocked: é… (user u1)"),
        (r#"{"user_id":"éééééééé"}"#, 29, "dlp.pii_blocked (user éééééé…"),
        ("{}", 5, "dlp.…"),
    ] {
        assert_eq!(headline(&event(document), longest), expected, "{document}");
    }
    let word = Event { event_type: "blocked\u{1}".to_owned(), ..event("{}") };
    assert_eq!(headline(&word, 100), "generic: blocked ");
}
