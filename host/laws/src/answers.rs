//! The law of `interpret`: whatever answers, a verdict comes of it, and no failure is taken for a delivery.
//!
//! The answers are those that proxies, load balancers and misconfigured SIEMs give, whatever the SIEM. What the SIEM itself
//! says is for the formatter's own tests.

use siemaphore_model::formatter::{Phase, Response, Verdict};
use siemaphore_sandbox::{FaultKind, FormatError};

use crate::law::Law;
use crate::trial::{Stop, Trial};

/// A body is cut here when it is handed to a formatter.
const LONGEST_BODY: usize = 4 << 20;

const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in</body></html>";
const NONE: Headers = &[];
const HTML: Headers = &[("content-type", "text/html; charset=utf-8")];
const JSON: Headers = &[("content-type", "application/json")];
const TEXT: Headers = &[("content-type", "text/plain")];

type Headers = &'static [(&'static str, &'static str)];

/// What an author reads, then status, headers and body.
type Answer = (&'static str, u16, Headers, &'static [u8]);

const SUCCESSES: &[Answer] = &[
    ("200 with nothing", 200, NONE, b""),
    ("200 with a web page", 200, HTML, PAGE),
    ("200 with an empty object", 200, JSON, b"{}"),
    ("200 with an empty array", 200, JSON, b"[]"),
    ("200 with null", 200, JSON, b"null"),
    ("200 with a text", 200, TEXT, b"ok"),
    ("200 with JSON that is cut off", 200, JSON, br#"{"errors":true,"items":[{"create":{"status":2"#),
    ("200 with other types than usual", 200, JSON, OTHER_TYPES),
    ("200 with numbers beyond the records", 200, JSON, BEYOND_THE_RECORDS),
    ("200 with invalid UTF-8", 200, JSON, b"{\"text\":\"\xff\xfe\xc0\x80\"}"),
    ("202 with a text", 202, TEXT, b"accepted"),
    ("204", 204, NONE, b""),
];

const FAILURES: &[Answer] = &[
    ("302", 302, &[("location", "https://login.example.com/")], b""),
    ("400 with nothing", 400, NONE, b""),
    ("400 with JSON", 400, JSON, br#"{"error":{"type":"bad_request","reason":"no"},"code":6,"status":400}"#),
    ("400 with other types than usual", 400, JSON, OTHER_TYPES),
    ("400 with numbers beyond the records", 400, JSON, BEYOND_THE_RECORDS),
    ("400 with invalid UTF-8", 400, NONE, b"\xff\xff\xff"),
    ("401", 401, &[("www-authenticate", "Basic")], b""),
    ("403 with a web page", 403, HTML, PAGE),
    ("404", 404, TEXT, b"not found"),
    ("408", 408, NONE, b""),
    ("409 with JSON", 409, JSON, br#"{"status":"conflict"}"#),
    ("413", 413, NONE, b""),
    ("422 with JSON", 422, JSON, br#"{"errors":["x"]}"#),
    ("429 with a time", 429, &[("retry-after", "30")], b""),
    ("429 with a time that cannot be read", 429, &[("retry-after", "soon")], b""),
    ("500 with nothing", 500, NONE, b""),
    (
        "500 that says success",
        500,
        JSON,
        br#"{"text":"Success","code":0,"errors":false,"status":"ok","ok":true,"ackId":1}"#,
    ),
    ("502 with a web page", 502, HTML, PAGE),
    ("503 with a time", 503, &[("retry-after", "Fri, 31 Dec 2027 23:59:59 GMT")], b""),
    ("504", 504, TEXT, b"upstream request timeout"),
    ("599", 599, NONE, b""),
];

/// The members that SIEMs answer with.
const OTHER_TYPES: &[u8] = br#"{"errors":"x","items":{},"code":"0","text":1,"status":[],"ackId":{},"acks":[1],"partialSuccess":7,"invalid-event-number":-1,"message":null}"#;
const BEYOND_THE_RECORDS: &[u8] = br#"{"errors":true,"items":[],"code":6,"invalid-event-number":99999999999999999999,"ackId":18446744073709551616,"partialSuccess":{"rejectedLogRecords":1e300}}"#;

pub(crate) fn check(trial: &mut Trial<'_>) -> Result<(), Stop> {
    for (name, status, headers, body) in SUCCESSES.iter().chain(FAILURES) {
        ask(trial, name, &response(*status, headers, body.to_vec(), false))?;
    }
    let mut longest = br#"{"errors":true,"items":["#.to_vec();
    longest.resize(LONGEST_BODY, b'1');
    ask(trial, "200 with 4 MiB that are cut off", &response(200, JSON, longest, true))?;
    trial.finish(Law::Answers);
    trial.finish(Law::Bounded);
    Ok(())
}

fn response(status: u16, headers: &[(&str, &str)], body: Vec<u8>, truncated: bool) -> Response {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (phase, state) = (Phase::First, Vec::new());
    Response { phase, state, status, headers, body, truncated, records: 10, body_bytes: 5_000 }
}

fn ask(trial: &mut Trial<'_>, name: &str, response: &Response) -> Result<(), Stop> {
    match trial.interpret(response)? {
        Ok(Verdict::Delivered(_)) if !(200..300).contains(&response.status) => {
            trial.broken(Law::Answers, None, format!("it takes the answer `{name}` for a delivery"))
        }
        Ok(_) => Ok(()),
        Err(error) => {
            let told = format!("on the answer `{name}`: {error}");
            let FormatError::Fault(fault) = error else { return trial.broken(Law::Answers, None, told) };
            let law = if matches!(fault.kind, FaultKind::Limit(_)) { Law::Bounded } else { Law::Answers };
            trial.broken(law, None, told)?;
            trial.patience(&fault)
        }
    }
}
