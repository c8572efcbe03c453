//! What an operator can set, what is refused where, Slack's limits, and events that want to be more than a message.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use siemaphore_formatter_slack::Slack;
use siemaphore_sdk::facts::Fact;
use siemaphore_sdk::testkit::{self, event};
use siemaphore_sdk::{Event, Framing, Severity};

fn message(settings: &Value, event: &Event) -> Value {
    let text = testkit::configure::<Slack>(&settings.to_string()).unwrap().record(event);
    serde_json::from_str(&text).unwrap()
}

fn fields(message: &Value) -> Vec<&str> {
    let fields = message["attachments"][0]["blocks"][0]["fields"].as_array().unwrap();
    fields.iter().map(|field| field["text"].as_str().unwrap()).collect()
}

/// Every text of a message, with how long Slack lets it be.
fn texts(message: &Value) -> Vec<(&str, usize)> {
    let blocks = &message["attachments"][0]["blocks"];
    let mut texts = vec![(&message["text"], 4_000), (&blocks[2]["text"]["text"], 3_000)];
    texts.extend(blocks[0]["fields"].as_array().unwrap().iter().map(|field| (&field["text"], 2_000)));
    texts.extend(blocks[1]["elements"].as_array().unwrap().iter().map(|element| (&element["text"], 3_000)));
    texts.into_iter().map(|(text, longest)| (text.as_str().unwrap(), longest)).collect()
}

/// An event in which everything that an event can say is this text.
fn all_over(text: &str) -> (Value, Event) {
    let facts: Value = Fact::ALL.map(|fact| (fact.name().to_owned(), json!("/text"))).into_iter().collect();
    let event = Event {
        event_type: text.to_owned(),
        project: Some(text.to_owned()),
        source: text.to_owned(),
        timestamp: text.to_owned(),
        ..event(&json!({ "text": text, text: 1 }).to_string())
    };
    (json!({ "fields": facts }), event)
}

#[test]
fn the_request_is_the_one_that_slack_documents() {
    let profile = testkit::configure::<Slack>("{}").unwrap().profile;
    assert_eq!(
        (profile.path.as_str(), profile.framing),
        ("/", Framing::OnePerRequest),
        "the endpoint is the whole URL"
    );
    assert_eq!((profile.limits.records, profile.content_type.as_str()), (1, "application/json"));
    assert_eq!((profile.compression.len(), profile.headers.len(), profile.probe), (0, 0, None));
}

#[test]
fn how_serious_it_is_stands_first_and_has_a_colour_of_its_own() {
    let mut colours = std::collections::BTreeSet::new();
    for (severity, word) in
        Severity::ALL.into_iter().zip(["Informational", "Low", "Medium", "High", "Critical"])
    {
        let message = message(&json!({}), &Event { severity, ..event("{}") });
        assert_eq!(message["text"], format!("*{word}*: dlp.pii_blocked"));
        colours.insert(message["attachments"][0]["color"].as_str().unwrap().to_owned());
    }
    assert_eq!(colours.len(), 5);
}

#[test]
fn nothing_in_an_event_can_mention_anybody_or_make_a_link() {
    for hostile in [
        "<!channel>",
        "<!here|x>",
        "<@U024BE7LH>",
        "<https://evil.example|sign in>",
        "``` <!everyone>",
        "a|<!here>",
    ] {
        let (settings, event) = all_over(hostile);
        let message = message(&settings, &event);
        for (text, _) in texts(&message) {
            let own = text.strip_prefix("<!date^1780949730^{date_num} {time_secs}|");
            let text = own.and_then(|text| text.strip_suffix('>')).unwrap_or(text);
            assert!(!text.contains(['<', '>']), "{text}");
        }
        let code = message["attachments"][0]["blocks"][2]["text"]["text"].as_str().unwrap();
        assert_eq!(code.matches('`').count(), 6, "nothing ends the block of code: {code}");
        assert_eq!((&message["unfurl_links"], &message["unfurl_media"]), (&json!(false), &json!(false)));
    }
}

#[test]
fn slack_looks_for_nothing_by_itself_in_the_attachment() {
    let message = message(&json!({}), &event(r#"{"user_id":"u1"}"#));
    let blocks = message["attachments"][0]["blocks"].to_string();
    assert_eq!(blocks.matches(r#""type":"mrkdwn""#).count(), blocks.matches(r#""verbatim":true"#).count());
}

#[test]
fn no_text_is_longer_than_slack_takes() {
    for text in ["&".repeat(60_000), "é".repeat(60_000), "`".repeat(60_000), "\n".repeat(60_000)] {
        let (settings, event) = all_over(&text);
        let message = message(&settings, &event);
        for (text, longest) in texts(&message) {
            assert!(text.chars().count() <= longest, "{} of {longest}: {text:.40}", text.chars().count());
        }
        assert_eq!(fields(&message).len(), 10, "Slack takes ten fields");
        assert!(message.to_string().len() < 100_000);
    }
}

#[test]
fn a_document_that_is_too_long_is_cut_within_its_block_of_code() {
    let document = json!({ "text": "x".repeat(5_000) }).to_string();
    let message = message(&json!({}), &event(&document));
    let code = message["attachments"][0]["blocks"][2]["text"]["text"].as_str().unwrap();
    assert_eq!(code.chars().count(), 3_000);
    assert!(code.starts_with("```{\"text\":\"xxx") && code.ends_with("x…```"), "{code:.40}");
}

#[test]
fn the_document_can_be_left_out() {
    let message = message(&json!({ "document": false }), &event("{}"));
    assert_eq!(message["attachments"][0]["blocks"].as_array().unwrap().len(), 2);
}

#[test]
fn fields_say_what_the_event_says_and_nothing_else() {
    assert_eq!(fields(&message(&json!({}), &event("{}"))), ["*Severity*\nhigh", "*Decision*\nblocked"]);
    let document = r#"{"user_id":"u1","user_name":"u1","action":"?","tool":"exec","source_ip":"192.0.2.7","request_id":7}"#;
    let undecided = Event { event_type: "x".to_owned(), ..event(document) };
    let expected = [
        "*Severity*\nhigh",
        "*Decision*\n?",
        "*User*\nu1",
        "*Tool*\nexec",
        "*Request*\n7",
        "*Address*\n192.0.2.7",
    ];
    assert_eq!(fields(&message(&json!({}), &undecided)), expected);
}

#[test]
fn people_are_mentioned_by_the_operator_and_for_what_is_serious() {
    let settings =
        json!({ "mentions": { "critical": "<!here> <@U024BE7LH>", "high": "<!subteam^SAZ94GDB8>" } });
    let text = |severity| message(&settings, &Event { severity, ..event("{}") })["text"].clone();
    assert_eq!(text(Severity::Critical), "<!here> <@U024BE7LH> *Critical*: dlp.pii_blocked");
    assert_eq!(text(Severity::High), "<!subteam^SAZ94GDB8> *High*: dlp.pii_blocked");
    assert_eq!(text(Severity::Medium), "*Medium*: dlp.pii_blocked");
}

#[test]
fn a_project_is_shown_beside_its_organisation() {
    let event = Event { project: Some("p1".to_owned()), ..event("{}") };
    let message = message(&json!({}), &event);
    assert_eq!(message["attachments"][0]["blocks"][1]["elements"][1]["text"], "acme / p1");
}

#[test]
fn hostile_documents_make_valid_messages() {
    let deep = format!("{}1{}", r#"{"text":"#.repeat(60), "}".repeat(60));
    let documents = [
        r#"{"a":1,"a":2,"text":"x","attachments":[],"channel":"general","username":"admin"}"#,
        r#"{"user":[],"user_id":{},"tool":null,"reason":{"a":[{"b":1}]},"decision":7}"#,
        &deep,
        "{ }",
    ];
    testkit::check_laws::<Slack>(&documents.map(event));
    let first = message(&json!({}), &event(documents[0]));
    assert_eq!((first.get("channel"), first.get("username")), (None, None));
}

#[test]
fn what_slack_would_not_understand_is_refused_where_it_stands() {
    let crowd = ["<!here>"; 100].join(" ");
    for (settings, expected) in [
        (json!({ "mentions": { "critical": "@here" } }), "/mentions/critical"),
        (json!({ "mentions": { "critical": "" } }), "/mentions/critical"),
        (json!({ "mentions": { "high": "<!here>, <!channel>" } }), "/mentions/high"),
        (json!({ "mentions": { "high": "<@u1>" } }), "/mentions/high"),
        (json!({ "mentions": { "low": "<@>" } }), "/mentions/low"),
        (json!({ "mentions": { "low": "<https://evil.example>" } }), "/mentions/low"),
        (json!({ "mentions": { "medium": crowd } }), "/mentions/medium"),
        (json!({ "mentions": { "error": "<!here>" } }), "/mentions/error"),
        (json!({ "document": 7 }), "/document"),
        (json!({ "fields": { "user_id": "user.id" } }), "/fields/user_id"),
        (json!({ "channel": "#general" }), "/channel"),
    ] {
        let problems = testkit::configure::<Slack>(&settings.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [expected], "{settings}");
    }
}
