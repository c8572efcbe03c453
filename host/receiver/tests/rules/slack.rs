//! What Slack's webhooks take, and the words with which they refuse.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};
use siemaphore_receiver::{ReceiverConfig, Siem};

use crate::support::{Lab, Reply, gzip, reply};

const SECRET: &str = "T000/B000/XXXXXXXXXXXXXXXXXXXXXXXX";

async fn slack() -> Lab {
    Lab::start(Siem::slack(SECRET)).await
}

async fn post(lab: &Lab, secret: &str, body: &str) -> Reply {
    let request = lab.client.post(lab.url(&format!("/services/{secret}")));
    reply(request.header(CONTENT_TYPE, "application/json").body(body.to_owned())).await
}

async fn send(lab: &Lab, message: &Value) -> Reply {
    post(lab, SECRET, &message.to_string()).await
}

/// A message whose only block this is.
fn with(block: Value) -> Value {
    json!({ "blocks": [block] })
}

fn text(characters: usize) -> Value {
    json!({ "type": "mrkdwn", "text": "é".repeat(characters), "verbatim": true })
}

#[tokio::test]
async fn a_message_is_answered_with_ok() {
    let lab = slack().await;
    let attachment = json!({ "color": "#c4122e", "blocks": [{ "type": "section", "fields": [text(3)] }] });
    for message in [
        json!({ "text": "hello" }),
        json!({ "text": "hello", "unfurl_links": false, "attachments": [attachment] }),
        with(json!({ "type": "divider" })),
    ] {
        let answer = send(&lab, &message).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));
    }
    assert_eq!(lab.taken_whole(), 3);
}

#[tokio::test]
async fn the_secret_is_the_path() {
    let lab = slack().await;
    for (secret, status, word) in [
        ("T999/B000/XXXXXXXXXXXXXXXXXXXXXXXX", 404, "no_team"),
        ("T000/B999/XXXXXXXXXXXXXXXXXXXXXXXX", 404, "no_service"),
        ("T000/B000/wrong", 403, "invalid_token"),
        ("T000", 404, "no_service"),
    ] {
        let answer = post(&lab, secret, r#"{"text":"hello"}"#).await;
        assert_eq!((answer.status, answer.text.as_str()), (status, word), "{secret}");
    }
    assert_eq!(reply(lab.client.post(lab.url("/")).body("{}")).await.status, 302);
    let got = reply(lab.client.get(lab.url(&format!("/services/{SECRET}")))).await;
    assert_eq!((got.status, got.headers["allow"].to_str().unwrap()), (405, "POST"));
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn what_is_no_json_object_is_an_invalid_payload() {
    let lab = slack().await;
    for body in ["", "[]", "{", "hello", "{}{}", r#"{"text":7}"#] {
        let answer = post(&lab, SECRET, body).await;
        assert_eq!((answer.status, answer.text.as_str()), (400, "invalid_payload"), "{body:?}");
    }
    let request = || lab.client.post(lab.url(&format!("/services/{SECRET}")));
    let plain = request().header(CONTENT_TYPE, "text/plain").body(r#"{"text":"hello"}"#);
    assert_eq!(reply(plain).await.text, "invalid_payload");
    let packed = request().header(CONTENT_TYPE, "application/json").header(CONTENT_ENCODING, "gzip");
    assert_eq!(reply(packed.body(gzip(br#"{"text":"hello"}"#))).await.text, "invalid_payload");
    let config = ReceiverConfig { max_body_bytes: Some(10), ..ReceiverConfig::default() };
    let small = Lab::start_with(Siem::slack(SECRET), config).await;
    assert_eq!(send(&small, &json!({ "text": "hello" })).await.text, "invalid_payload");
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn a_message_that_shows_nothing_or_too_much_is_refused() {
    let lab = slack().await;
    for (message, word) in [
        (json!({}), "no_text"),
        (json!({ "text": "", "blocks": [] }), "no_text"),
        (json!({ "attachments": vec![json!({ "text": "a" }); 101] }), "too_many_attachments"),
        (json!({ "attachments": [7] }), "invalid_attachments"),
        (json!({ "attachments": {} }), "invalid_attachments"),
        (json!({ "attachments": [{ "blocks": [{ "type": "header" }] }] }), "invalid_attachments"),
        (json!({ "blocks": vec![json!({ "type": "divider" }); 51] }), "invalid_blocks"),
        (json!({ "blocks": "none" }), "invalid_blocks"),
    ] {
        let answer = send(&lab, &message).await;
        assert_eq!((answer.status, answer.text.as_str()), (400, word), "{message}");
    }
    assert_eq!(lab.taken_whole(), 0);
}

#[tokio::test]
async fn blocks_hold_so_much_and_no_more() {
    let lab = slack().await;
    let heading =
        |characters| json!({ "type": "plain_text", "text": "h".repeat(characters), "emoji": false });
    let good = [
        json!({ "type": "section", "text": text(3_000) }),
        json!({ "type": "section", "fields": vec![text(2_000); 10] }),
        json!({ "type": "context", "elements": vec![text(1); 10] }),
        json!({ "type": "header", "text": heading(150) }),
    ];
    for block in &good {
        assert_eq!(send(&lab, &with(block.clone())).await.status, 200, "{block:.80}");
    }
    for block in [
        json!({ "type": "section", "text": text(3_001) }),
        json!({ "type": "section", "fields": [text(2_001)] }),
        json!({ "type": "section", "fields": vec![text(1); 11] }),
        json!({ "type": "section", "fields": [] }),
        json!({ "type": "section", "text": text(0) }),
        json!({ "type": "section", "text": "words" }),
        json!({ "type": "section", "text": { "type": "markdown", "text": "a" } }),
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": "a", "emoji": true } }),
        json!({ "type": "context", "elements": vec![text(1); 11] }),
        json!({ "type": "context", "elements": [] }),
        json!({ "type": "header", "text": heading(151) }),
        json!({ "type": "header", "text": text(1) }),
        json!({ "type": "table" }),
        json!({}),
    ] {
        assert_eq!(send(&lab, &with(block.clone())).await.text, "invalid_blocks", "{block:.80}");
    }
    assert_eq!(lab.taken_whole(), good.len());
}

#[tokio::test]
async fn entities_mentions_links_and_dates_are_understood() {
    let lab = slack().await;
    for text in [
        "a &lt;!channel&gt; &amp; b",
        "<!here> <!subteam^SAZ94GDB8> <@U024BE7LH|ann>",
        "<https://example.com/?a=b|words>",
        "<!date^1780949730^{date_num} {time_secs}|2026-06-08T20:15:30Z>",
    ] {
        assert_eq!(send(&lab, &json!({ "text": text })).await.status, 200);
    }
    assert_eq!(lab.taken_whole(), 4);
}

#[tokio::test]
async fn what_slack_takes_and_shows_otherwise_is_a_violation() {
    for (message, reason) in [
        (json!({ "text": "a < b" }), "\"< b\" is read as markup"),
        (json!({ "text": "a <b> c" }), "\"<b> c\" is read as markup"),
        (json!({ "text": "R&D" }), "\"&D\" is read as markup"),
        (json!({ "text": "a > b" }), "\"> b\" is read as markup"),
        (json!({ "text": "<!date^soon^{date}|x>" }), "read as markup"),
        (json!({ "text": "<!date^1^{date}>" }), "read as markup"),
        (
            json!({ "attachments": [{ "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": "&" } }] }] }),
            "\"&\"",
        ),
        (json!({ "text": "x".repeat(4_001) }), "over the recommended 4000"),
    ] {
        let lab = slack().await;
        assert_eq!(send(&lab, &message).await.text, "ok", "{reason}");
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(reason)), "{reason}: {reasons:?}");
    }
    let lab = slack().await;
    assert_eq!(post(&lab, SECRET, r#"{"text":"a","text":"b"}"#).await.text, "ok");
    assert_eq!(lab.reasons(), ["key 'text' appears twice in one object"]);
}
