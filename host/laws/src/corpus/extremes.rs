//! What no producer documents and any may send: small events at an edge of what is valid.

use serde_json::{Value, json};
use siemaphore_model::normalise::NESTING;

use super::Raw;

pub(super) fn events() -> impl Iterator<Item = Raw> {
    let of_texts = TEXTS.iter().map(|(name, text)| Raw::new(format!("texts/{name}"), everywhere(text)));
    let of_numbers =
        NUMBERS.iter().map(|(name, number)| Raw::new(format!("numbers/{name}"), counted(number)));
    let of_times = TIMES.iter().map(|(name, time)| Raw::new(format!("times/{name}"), timed(time)));
    let written = WRITTEN.iter().map(|(name, text)| Raw::new(*name, *text));
    envelopes().chain(of_texts).chain(of_numbers).chain(of_times).chain(written).chain(shapes())
}

fn envelopes() -> impl Iterator<Item = Raw> {
    // Longer ones are cut at the door.
    let longest = "0123456789abcdef".repeat(16);
    let longest_astral = "😀".repeat(64);
    let severities = ["informational", "low", "medium", "high", "critical"];
    let of_severities = severities.map(|severity| {
        let event = json!({ "event_id": "evt_1", "event_type": "dlp.pii_blocked", "severity": severity });
        Raw::new(format!("envelope/severity-{severity}"), event.to_string())
    });
    let others = [
        Raw::new("envelope/empty-object", "{}"),
        Raw::new("envelope/nothing-but-a-member", r#"{"member":1}"#),
        Raw::new("envelope/empty-texts", everywhere("")),
        Raw::new("envelope/longest-texts", everywhere(&longest)),
        Raw::new("envelope/longest-astral-texts", everywhere(&longest_astral)),
        Raw {
            organization: "an-organization-with-the-longest-name-that-a-configuration-takes",
            source: "a.source_with-the.longest-name.that.a.configuration.ever-takes-1",
            ..Raw::new("envelope/longest-names", r#"{"event_id":"evt_1"}"#)
        },
        Raw {
            organization: "0",
            source: "-",
            ..Raw::new("envelope/shortest-names", r#"{"event_id":"0","event_type":"0","project":"0"}"#)
        },
    ];
    others.into_iter().chain(of_severities)
}

/// One text wherever a formatter could look for one, and as a member's name.
fn everywhere(text: &str) -> String {
    let mut event = json!({
        "event_id": text, "event_type": text, "project": text, "severity": text,
        "user": { "id": text, "email": text, "name": text },
        "agent": { "id": text, "name": text },
        "model": text, "tool": text, "tool_name": text, "policy": text, "rule": text, "reason": text,
        "action": text, "decision": text, "status": text, "session_id": text, "request_id": text,
        "source_ip": text, "description": text, "tags": [text, [text]],
    });
    if let Value::Object(members) = &mut event {
        members.entry(text).or_insert_with(|| json!(text));
    }
    event.to_string()
}

/// One number, as it is written here, wherever a formatter could look for one.
fn counted(number: &str) -> String {
    format!(
        r#"{{"event_id":{number},"event_type":"usage.counted","severity_number":{number},"status":{number},"duration_ms":{number},"risk_score":{number},"cost_usd":{number},"usage":{{"input_tokens":{number},"output_tokens":{number},"total_tokens":{number}}},"confidence":{number},"port":{number},"values":[{number},[{number}]],"{number}":{number}}}"#
    )
}

fn timed(time: &str) -> String {
    format!(
        r#"{{"event_id":"evt_1","event_type":"time.told","timestamp":{time},"started_at":{time},"ended_at":{time}}}"#
    )
}

const TEXTS: &[(&str, &str)] = &[
    ("right-to-left", "مرحبا بالعالم שלום"),
    ("direction-marks", "user\u{202e}moc.elpmaxe\u{2066}x\u{2069}\u{200f}"),
    ("astral", "😀𝒳🏳️‍🌈👩‍👩‍👧‍👦\u{10fffd}"),
    ("combining", "Z͑ͫ̓a\u{301}\u{301}\u{301}e\u{308} ﬁ ǅ ß ı İ"),
    ("invisible", "\u{feff}a\u{200b}b\u{200d}c\u{ad}d\u{2060}"),
    ("noncharacters", "\u{fffe}\u{ffff}\u{1fffe}\u{10ffff}\u{fdd0}\u{fffd}"),
    ("line-separators", "one\u{2028}two\u{2029}three\u{85}four\u{b}five\u{c}six"),
    ("newlines", "one\ntwo\r\nthree\rfour\n\n"),
    ("tabs", "\tone\ttwo\t"),
    (
        "control-characters",
        "\0\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{e}\u{f}\u{10}\u{11}\u{12}\u{13}\u{14}\u{15}\u{16}\u{17}\u{18}\u{19}\u{1a}\u{1b}\u{1c}\u{1d}\u{1e}\u{1f}\u{7f}\u{80}\u{9b}\u{9f}",
    ),
    ("terminal-escapes", "\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}\u{9b}2J"),
    ("quotes-and-backslashes", r#""\"\\"'`\""#),
    ("one-quote", "\""),
    ("one-backslash", "\\"),
    ("ends-with-a-backslash", "C:\\users\\"),
    ("markup", "<script>alert(\"1\")</script>&amp;<!--]]>&#0;"),
    ("json", r#"{"event_id":"other","severity":"critical"},{"a":[1]}"#),
    ("json-lines", "{\"index\":{}}\n{\"a\":1}\n"),
    ("end-of-array", "\"}]}"),
    ("cef", "CEF:0|a|b|c|1|n|10|src=10.0.0.1 act=x\\=y | msg=\\|"),
    ("leef", "LEEF:2.0|a|b|c|1|x09|cat=x\tsev=1^usrName=y"),
    ("placeholders", "{organization}/{project}/{producer}/{}{{}}${jndi:ldap://x}%s%n%00%"),
    ("paths", "../../etc/passwd?a=b&c=d#e /%2e%2e/"),
    ("templates", "{{ 7*7 }}<%= x %>#{x}$(id)`id`"),
    ("query", "'; DROP TABLE events; -- \" OR 1=1"),
    ("formula", "=1+1\t@SUM(A1)\t-2\t+3"),
    ("spaces", "   "),
    ("wide-space", "\u{a0}\u{3000}\u{2003}"),
    ("number", "9007199254740993"),
    ("not-a-number", "NaN"),
    ("infinity", "-Infinity"),
    ("null", "null"),
    ("true", "true"),
    ("time", "2026-06-08T20:15:30Z"),
    ("address", "2001:db8::ffff:192.0.2.17"),
    ("url", "https://user:pass@example.com:99999/a b?c=%zz#"),
    ("dots", "a..b.c.$.d[0].e."),
    ("dollar", "$where"),
    ("prototype", "__proto__"),
];

const NUMBERS: &[(&str, &str)] = &[
    ("zero", "0"),
    ("minus-zero", "-0"),
    ("minus-zero-fraction", "-0.0"),
    ("minus-one", "-1"),
    ("fraction", "0.1"),
    ("long-fraction", "0.1000000000000000055511151231257827021181583404541015625"),
    ("beyond-exact", "9007199254740993"),
    ("largest-i32", "2147483647"),
    ("beyond-i32", "2147483648"),
    ("beyond-u32", "4294967296"),
    ("largest-i64", "9223372036854775807"),
    ("smallest-i64", "-9223372036854775808"),
    ("below-i64", "-9223372036854775809"),
    ("largest-u64", "18446744073709551615"),
    ("beyond-u64", "18446744073709551616"),
    ("beyond-u128", "340282366920938463463374607431768211456"),
    ("largest-double", "1.7976931348623157e308"),
    ("smallest-double", "5e-324"),
    ("beyond-double", "1e400"),
    ("below-double", "-1e400"),
    ("tiny", "1e-400"),
    ("exponent", "1E+2"),
    ("long-exponent", "1e-00000000000000000000000000000000000001"),
    (
        "hundred-digits",
        "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
    ),
];

const TIMES: &[(&str, &str)] = &[
    ("earliest", "\"1970-01-01T00:00:00Z\""),
    ("latest", "\"2262-04-11T23:47:16.854775807Z\""),
    ("nanoseconds", "\"2026-06-08T20:15:30.000000001Z\""),
    ("tenth-of-a-second", "\"2026-06-08T20:15:30.1Z\""),
    ("other-offset", "\"2026-06-08T22:15:30+14:00\""),
    ("leap-second", "\"2016-12-31T23:59:60Z\""),
    ("leap-day", "\"2024-02-29T23:59:59.999999999Z\""),
    ("end-of-year", "\"2026-12-31T23:59:59.999Z\""),
    ("beyond-32-bits", "\"2106-02-07T06:28:16Z\""),
    ("number-of-milliseconds", "1780949730123"),
    ("number-with-fraction", "1780949730.000000001"),
    ("not-a-time", "\"yesterday\""),
];

/// What a JSON library would not write.
const WRITTEN: &[(&str, &str)] = &[
    (
        "keys/duplicate",
        r#"{"event_id":"1","event_id":"2","event_type":"a","event_type":"b","severity":"low","severity":"critical","user":{"id":"u1","id":"u2"},"user":{"id":"u3"},"user":null}"#,
    ),
    (
        "keys/duplicate-of-another-type",
        r#"{"user":"text","user":{"id":1},"model":{"name":"m"},"model":"m","tags":[],"tags":"a"}"#,
    ),
    ("keys/escaped-duplicate", r#"{"model":"m1","m\u006fdel":"m2","\u006dodel":"m3"}"#),
    ("keys/empty", r#"{"":"","a":{"":{"":[]}}}"#),
    (
        "keys/dotted",
        r#"{"user.id":"u1","user":{"id":"u2"},"a.b.c":1,"a":{"b.c":2,"b":{"c":3}},".":0,"..":0}"#,
    ),
    (
        "keys/other-case",
        r#"{"Event_Id":"1","EVENT_TYPE":"a","Severity":"high","userId":"u","USER":{"ID":"u"}}"#,
    ),
    (
        "keys/of-siems",
        r#"{"@timestamp":"x","_index":"x","_id":"x","_time":1,"_raw":"x","time":"x","host":{},"source":[],"sourcetype":"x","index":"x","event":{"a":1},"fields":[1],"ddsource":1,"ddtags":"a:b","hostname":null,"service":{},"message":"x","log":{"level":1},"labels":"x","TimeGenerated":1,"TenantId":"x","metadata":"x","class_uid":"x","ecs":1,"logtype":"x","attributes":[],"resource":"x","body":{},"blocks":"x","payload":1,"dedup_key":"x","routing_key":"x","event_action":"trigger"}"#,
    ),
    (
        "keys/of-objects",
        r#"{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}},"toString":1,"hasOwnProperty":null,"__class__":"x","toJSON":"x","then":"x"}"#,
    ),
    (
        "keys/escaped",
        r#"{"\u0000":"nul","\n":"newline","\"":"quote","\\":"backslash","\u2028":"separator","\ud83d\ude00":"astral","a\tb":1}"#,
    ),
    (
        "texts/escaped-astral",
        r#"{"event_id":"\ud83d\ude00","event_type":"\uD834\uDD1E","user":{"id":"\udbff\udfff"}}"#,
    ),
    (
        "texts/lone-surrogates",
        r#"{"event_id":"\ud800","event_type":"a\udc00b","user":{"id":"\ude00\ud83d"},"reason":"\ud83d\u0041"}"#,
    ),
    (
        "texts/escaped-ascii",
        r#"{"event_id":"\u0065vt\u005f1","event_type":"\u0061\/b\u002fc","reason":"\b\f\n\r\t\/\"\\"}"#,
    ),
    (
        "texts/escaped-controls",
        r#"{"event_id":"\u0000","event_type":"\u000a\u000d","project":"\u0009","user":{"id":"\u001b[2J","email":"a\u0000b@example.com"},"reason":"\u007f\u0085\u009b"}"#,
    ),
    (
        "shapes/spaced",
        " { \"event_id\" :\t\"1\" ,\r\n \"user\" : { \"id\" : [ 1 , 2 ] } ,\n\"empty\" : { } , \"none\" : [ ] } ",
    ),
    (
        "shapes/arrays-for-texts",
        r#"{"event_type":"a","user":[{"id":"u1"},{"id":"u2"}],"model":["m"],"tool":[],"reason":[["r"]],"action":["block",null,1]}"#,
    ),
    (
        "shapes/objects-for-texts",
        r#"{"event_type":"a","user":{"id":{"value":"u"},"email":{}},"model":{"name":{"name":"m"}},"tool":{"":""},"reason":{"code":1},"action":{"type":"block"}}"#,
    ),
    (
        "shapes/mixed-array",
        r#"{"list":[null,true,false,0,-1.5,"","a",[],[[]],{},{"a":[]}],"objects":[{"a":1},{"a":"1"},{"a":null},{"b":[1]}]}"#,
    ),
];

fn shapes() -> impl Iterator<Item = Raw> {
    let inside = NESTING - 1;
    let objects = format!("{}{}{}", "{\"a\":".repeat(inside), "{}", "}".repeat(inside));
    let arrays = format!("{{\"a\":{}{}}}", "[".repeat(inside), "]".repeat(inside));
    let user = format!("{{\"user\":{}\"u\"{}}}", "{\"user\":".repeat(inside), "}".repeat(inside));
    let mixed = format!("{{\"a\":{}1{}}}", "[{\"a\":".repeat(inside / 2), "}]".repeat(inside / 2));
    let members: Vec<String> = (0..1000).map(|number| format!("\"m{number}\":{number}")).collect();
    [
        Raw::new("shapes/64-levels-of-objects", objects),
        Raw::new("shapes/64-levels-of-arrays", arrays),
        Raw::new("shapes/64-levels-of-a-known-member", user),
        Raw::new("shapes/64-levels-mixed", mixed),
        Raw::new("shapes/1000-members", format!("{{{}}}", members.join(","))),
        Raw::new("shapes/1000-equal-members", format!("{{{}}}", vec!["\"m\":1"; 1000].join(","))),
        Raw::new("shapes/1000-elements", format!("{{\"list\":[{}]}}", vec!["null"; 1000].join(","))),
        Raw::new("shapes/long-key", format!("{{\"{}\":1}}", "k".repeat(8 * 1024))),
        Raw::new("shapes/long-texts", everywhere(&"long ".repeat(400))),
    ]
    .into_iter()
}
