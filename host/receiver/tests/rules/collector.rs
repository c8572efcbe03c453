use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};
use siemaphore_receiver::{CollectorFormat, Siem};

use crate::support::{Lab, Reply, gzip, reply};

const TOKEN: &str = "t";

async fn collector(format: CollectorFormat) -> Lab {
    Lab::start(Siem::collector("/in", Some(TOKEN), format)).await
}

async fn send(lab: &Lab, content_type: &str, body: impl Into<reqwest::Body>) -> Reply {
    let request = lab.client.post(lab.url("/in")).bearer_auth(TOKEN).header(CONTENT_TYPE, content_type);
    reply(request.body(body)).await
}

/// Refused, with these words.
async fn is_refused(lab: &Lab, content_type: &str, body: &str, words: &str) {
    let answer = send(lab, content_type, body.to_owned()).await;
    let error = answer.json()["error"].as_str().expect("a reason").to_owned();
    assert!(answer.status == 400 && error.contains(words), "{body}: {} {error}", answer.status);
}

const CEF: &str = r"CEF:0|Acme|AI \| Gateway\\|1.4.0|dlp.pii_blocked|PII=blocked|8|rt=1780949730000 externalId=6f1c act=blocked suser=a b@example.com cs1=pii-default cs1Label=policy cn1=7 cn1Label=count c6a1=2001:db8::1 c6a1Label=Source msg=SSN\=2 | C:\\x\nend SiemaphoreDocument={}";

#[tokio::test]
async fn a_cef_line_is_read_as_a_parser_reads_it() {
    let lab = collector(CollectorFormat::Cef).await;
    assert_eq!(send(&lab, "text/plain", CEF).await.status, 200);
    assert_eq!(send(&lab, "text/plain", format!("{CEF}\n{CEF}\n")).await.status, 200);
    assert_eq!(lab.taken_whole(), 3);
    let record = &lab.receiver.received()[0].record;
    assert_eq!(record["header"]["product"], "AI | Gateway\\");
    assert_eq!(record["header"]["name"], "PII=blocked");
    assert_eq!(record["extension"]["suser"], "a b@example.com");
    assert_eq!(record["extension"]["msg"], "SSN=2 | C:\\x\nend");
}

#[tokio::test]
async fn what_a_cef_parser_would_misread_is_refused() {
    let lab = collector(CollectorFormat::Cef).await;
    for (from, to, words) in [
        ("CEF:0|", "CEF:1|", "does not begin"),
        (r"\| ", "| ", "severity"),
        (r"AI \|", r"AI \=", "a backslash before"),
        ("|8|", "|11|", "severity"),
        ("|8|", "|High|", "severity"),
        ("Acme", "", "vendor has 0 bytes"),
        (r"SSN\=2", "SSN=2", "is no key"),
        (r"SSN\=2", "x SSN=2", "\"SSN\" is no key"),
        (r"SSN\=2", r"SSN\|2", "a backslash before"),
        ("act=blocked", "act=blocked ", "space around it"),
        ("act=blocked", "act=", "empty"),
        ("act=blocked", "rt=1780949730001", "comes twice"),
        ("act=blocked", "rawEvent=x", "is no key"),
        ("act=blocked", "act=blo\tcked", "control character"),
        ("act=blocked", "act=blo\u{2028}cked", "control character"),
    ] {
        assert!(CEF.contains(from), "{from}");
        is_refused(&lab, "text/plain", &CEF.replacen(from, to, 1), words).await;
    }
    is_refused(&lab, "text/plain", &CEF.replace("Acme", &"x".repeat(64)), "vendor has 64 bytes").await;
    is_refused(&lab, "text/plain", "CEF:0|a|b", "ends too early").await;
    is_refused(&lab, "text/plain", &format!("{CEF}\n{CEF}"), "does not end").await;
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn what_cef_shows_wrongly_is_a_violation() {
    for (from, to, reason) in [
        ("rt=1780949730000", "rt=1780949730", "rt does not take"),
        (" cs1Label=policy", "", "cs1 has no cs1Label"),
        ("act=blocked", "src=2001:db8::1", "src does not take"),
        ("cn1=7", "cn1=seven", "cn1 does not take"),
        (
            "externalId=6f1c",
            "externalId=01234567890123456789012345678901234567890",
            "externalId does not take",
        ),
    ] {
        let lab = collector(CollectorFormat::Cef).await;
        assert_eq!(send(&lab, "text/plain", CEF.replacen(from, to, 1)).await.status, 200, "{to}");
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(reason)), "{to}: {reasons:?}");
    }
}

const LEEF: &str = "LEEF:2.0|Acme|AI Gateway|1.4.0|dlp.pii_blocked|x09|devTime=1780949730000\tcat=dlp\tsev=8\tusrName=a@example.com\tdocument={\"a\":\"b=c\"}";

#[tokio::test]
async fn a_leef_line_is_read_as_a_parser_reads_it() {
    let lab = collector(CollectorFormat::Leef).await;
    assert_eq!(send(&lab, "text/plain", LEEF).await.status, 200);
    let with_caret = LEEF.replace("x09", "^").replace('\t', "^");
    assert_eq!(send(&lab, "text/plain", format!("{with_caret}\n{LEEF}\n")).await.status, 200);
    assert_eq!(send(&lab, "text/plain", LEEF.replace("x09", "")).await.status, 200);
    assert_eq!(lab.taken_whole(), 4);
    let record = &lab.receiver.received()[1].record;
    assert_eq!(
        (&record["header"]["event_id"], &record["attributes"]["sev"]),
        (&json!("dlp.pii_blocked"), &json!("8"))
    );
    assert_eq!(record["attributes"]["document"], r#"{"a":"b=c"}"#);
}

#[tokio::test]
async fn what_a_leef_parser_would_misread_is_refused() {
    let lab = collector(CollectorFormat::Leef).await;
    for (from, to, words) in [
        ("LEEF:2.0|", "LEEF:1.0|", "does not begin"),
        ("AI Gateway", "AI | Gateway", "space around it"),
        ("Acme", "", "is empty"),
        ("x09", "x0G", "is no delimiter"),
        ("cat=dlp", "cat=d\tlp", "without a key"),
        ("cat=dlp", "ca t=dlp", "is no key"),
        ("cat=dlp", "sev=8", "comes twice"),
        ("cat=dlp", "cat=d\rlp", "control character"),
    ] {
        is_refused(&lab, "text/plain", &LEEF.replacen(from, to, 1), words).await;
    }
    assert_eq!(lab.receiver.received().len(), 0);
}

#[tokio::test]
async fn what_leef_shows_wrongly_is_a_violation() {
    for (from, to, reason) in [
        ("devTime=1780949730000", "devTime=June", "devTime is"),
        ("sev=8", "sev=0", "sev is"),
        ("cat=dlp", "src=gateway", "src is"),
    ] {
        let lab = collector(CollectorFormat::Leef).await;
        assert_eq!(send(&lab, "text/plain", LEEF.replacen(from, to, 1)).await.status, 200, "{to}");
        let reasons = lab.reasons();
        assert!(matches!(reasons.as_slice(), [one] if one.contains(reason)), "{to}: {reasons:?}");
    }
}

fn finding() -> Value {
    json!({
        "activity_id": 1, "category_uid": 2, "class_uid": 2004, "type_uid": 200_401, "severity_id": 4,
        "time": 1_780_949_730_000_u64, "finding_info": { "uid": "k", "title": "t" },
        "metadata": { "version": "1.3.0", "uid": "k", "product": { "name": "n", "vendor_name": "v" } },
    })
}

#[tokio::test]
async fn ocsf_events_come_alone_in_an_array_or_on_lines() {
    let lab = collector(CollectorFormat::Ocsf).await;
    let activity = json!({
        "activity_id": 99, "category_uid": 6, "class_uid": 6003, "type_uid": 600_399, "severity_id": 1,
        "time": 1_780_949_730_000_u64, "actor": {}, "api": { "operation": "x" }, "src_endpoint": {},
        "metadata": { "version": "1.8.0", "uid": "k", "product": { "name": "n", "vendor_name": "v" } },
    });
    assert_eq!(send(&lab, "application/json", finding().to_string()).await.status, 200);
    assert_eq!(send(&lab, "application/json", json!([finding(), activity]).to_string()).await.status, 200);
    assert_eq!(send(&lab, "application/x-ndjson", format!("{activity}\n{}\n", finding())).await.status, 200);
    assert_eq!(lab.taken_whole(), 5);
}

#[tokio::test]
async fn what_ocsf_requires_has_to_be_there_and_right() {
    let lab = collector(CollectorFormat::Ocsf).await;
    for (name, value, words) in [
        ("type_uid", json!(200_402), "the type of activity"),
        ("category_uid", json!(6), "is not of category"),
        ("class_uid", json!(2003), "the type of activity"),
        ("severity_id", json!(7), "no severity_id"),
        ("time", json!("2026"), "time is no whole number"),
        ("metadata", json!({}), "/metadata/version is missing"),
        ("finding_info", json!({ "uid": "k" }), "/finding_info/title is missing"),
    ] {
        let mut event = finding();
        event[name] = value;
        is_refused(&lab, "application/json", &event.to_string(), words).await;
        let mut event = finding();
        event.as_object_mut().unwrap().remove(name);
        is_refused(&lab, "application/json", &event.to_string(), "missing").await;
    }
    let mut seconds = finding();
    seconds["time"] = json!(1_780_949_730);
    assert_eq!(send(&lab, "application/json", seconds.to_string()).await.status, 200);
    assert!(lab.reasons()[0].contains("shown as 1970"), "{:?}", lab.reasons());
}

#[tokio::test]
async fn token_path_method_and_media_type_have_to_be_right() {
    let lab = collector(CollectorFormat::Cef).await;
    let post = |path: &str, token: &str, content_type: &str| {
        reply(lab.client.post(lab.url(path)).bearer_auth(token).header(CONTENT_TYPE, content_type).body(CEF))
    };
    assert_eq!(post("/in", "wrong", "text/plain").await.status, 401);
    assert_eq!(post("/", TOKEN, "text/plain").await.status, 404);
    assert_eq!(post("/in", TOKEN, "application/json").await.status, 415);
    assert_eq!(reply(lab.client.get(lab.url("/in")).bearer_auth(TOKEN)).await.status, 405);
    let zipped = lab.client.post(lab.url("/in")).bearer_auth(TOKEN).header(CONTENT_TYPE, "text/plain");
    let zipped = zipped.header(CONTENT_ENCODING, "gzip").body(gzip(CEF.as_bytes()));
    assert_eq!(reply(zipped).await.status, 200);
    assert_eq!(lab.taken_whole(), 1);
    let open = Lab::start(Siem::collector("/", None, CollectorFormat::Cef)).await;
    let request = open.client.post(open.url("/")).header(CONTENT_TYPE, "text/plain").body(CEF);
    assert_eq!(reply(request).await.status, 200);
}
