//! Slack's incoming webhooks.
//!
//! One message per request, the secret in the path, answers of one word. Slack refuses blocks that break their rules as
//! a whole (`invalid_blocks`, within attachments `invalid_attachments`) and never says which. What it takes and shows
//! otherwise than it was meant is a violation here: a `<` or `&` that is read as markup, and a text that it cuts.
//!
//! Slack takes one message a second for a channel. That is a matter of time, so a test that wants a 429 scripts it as
//! a fault.

use http::header::{ALLOW, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;

use crate::answer::{Answer, Record, Rules};
use crate::request::{BodyLimits, Request};
use crate::siem::{Playing, Siem};
use crate::strict_json::{self, repetitions};

const PATH: &str = "/services/";

/// No limit is documented: this one is only there to have one.
const MAX_BODY_BYTES: usize = 1_000_000;
/// Slack recommends no more; it cuts far later, at 40,000.
const RECOMMENDED_TEXT_CHARACTERS: usize = 4_000;
const MAX_ATTACHMENTS: usize = 100;
const MAX_BLOCKS: usize = 50;
const MAX_TEXT_CHARACTERS: usize = 3_000;
const MAX_HEADER_CHARACTERS: usize = 150;
const MAX_FIELDS: usize = 10;
const MAX_FIELD_CHARACTERS: usize = 2_000;
const MAX_ELEMENTS: usize = 10;

impl Siem {
    /// Takes messages at one webhook. The secret is what stands after `/services/`: team, webhook and token.
    pub fn slack(secret: &str) -> Siem {
        let secret = secret.to_owned();
        Siem::new(move |config| {
            let max_body_bytes = config.max_body_bytes.unwrap_or(MAX_BODY_BYTES);
            Playing::by(Webhook { secret: secret.clone(), max_body_bytes })
        })
    }
}

struct Webhook {
    secret: String,
    max_body_bytes: usize,
}

/// A status and the word for it.
struct Refusal(StatusCode, &'static str);

impl Rules for Webhook {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.post(request).unwrap_or_else(Refusal::answer)
    }
}

impl Webhook {
    fn post(&self, request: &Request) -> Result<Answer, Refusal> {
        let given = request.path.strip_prefix(PATH).ok_or(Refusal(StatusCode::FOUND, ""))?;
        if request.method != Method::POST {
            return Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));
        }
        self.check_secret(given)?;
        let content_type = request.header(CONTENT_TYPE).unwrap_or_default();
        let body = request.body.as_ref().map_err(|_| invalid_payload())?;
        let text = std::str::from_utf8(body).map_err(|_| invalid_payload())?;
        let parsed = strict_json::parse(text).map_err(|_| invalid_payload())?;
        if !content_type.starts_with("application/json") || !parsed.value.is_object() {
            return Err(invalid_payload());
        }
        check_message(&parsed.value)?;
        let mut answer = says(StatusCode::OK, "ok");
        answer.violations = spoilt(&parsed.value).map(|reason| (0, reason)).collect();
        answer.violations.extend(repetitions(&parsed.repeated_keys).map(|reason| (0, reason)));
        answer.records.push(Record { value: parsed.value, raw: text.to_owned() });
        Ok(answer)
    }

    fn check_secret(&self, given: &str) -> Result<(), Refusal> {
        if given == self.secret {
            return Ok(());
        }
        let [given, own] = [given, &self.secret].map(|secret| secret.split('/').collect::<Vec<_>>());
        Err(if given.first() != own.first() {
            Refusal(StatusCode::NOT_FOUND, "no_team")
        } else if given.get(1) != own.get(1) {
            Refusal(StatusCode::NOT_FOUND, "no_service")
        } else {
            Refusal(StatusCode::FORBIDDEN, "invalid_token")
        })
    }
}

fn check_message(message: &Value) -> Result<(), Refusal> {
    let bad = |word| Refusal(StatusCode::BAD_REQUEST, word);
    let text = &message["text"];
    if !text.is_null() && !text.is_string() {
        return Err(invalid_payload());
    }
    let (blocks, attachments) = (list(&message["blocks"]), list(&message["attachments"]));
    let (blocks, attachments) = (
        blocks.ok_or_else(|| bad("invalid_blocks"))?,
        attachments.ok_or_else(|| bad("invalid_attachments"))?,
    );
    if text.as_str().unwrap_or_default().is_empty() && blocks.is_empty() && attachments.is_empty() {
        return Err(bad("no_text"));
    }
    if attachments.len() > MAX_ATTACHMENTS {
        return Err(bad("too_many_attachments"));
    }
    if !are_blocks(blocks) {
        return Err(bad("invalid_blocks"));
    }
    let are_attachments = attachments
        .iter()
        .all(|attachment| attachment.is_object() && list(&attachment["blocks"]).is_some_and(are_blocks));
    if are_attachments { Ok(()) } else { Err(bad("invalid_attachments")) }
}

/// The items of a list; none of what is not there. `None` for anything else.
fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Null => Some(&[]),
        Value::Array(items) => Some(items),
        _ => None,
    }
}

fn are_blocks(blocks: &[Value]) -> bool {
    blocks.len() <= MAX_BLOCKS && blocks.iter().all(is_block)
}

/// The kinds of block that show texts.
fn is_block(block: &Value) -> bool {
    let is_text = |text: &Value| is_text(text, MAX_TEXT_CHARACTERS);
    match block["type"].as_str() {
        Some("divider") => true,
        Some("header") => {
            block.pointer("/text/type").is_some_and(|kind| kind == "plain_text")
                && self::is_text(&block["text"], MAX_HEADER_CHARACTERS)
        }
        Some("context") => list(&block["elements"]).is_some_and(|elements| {
            (1..=MAX_ELEMENTS).contains(&elements.len()) && elements.iter().all(is_text)
        }),
        Some("section") => {
            let Some(fields) = list(&block["fields"]) else { return false };
            let has_text = !block["text"].is_null();
            (has_text || !fields.is_empty())
                && (!has_text || is_text(&block["text"]))
                && fields.len() <= MAX_FIELDS
                && fields.iter().all(|field| self::is_text(field, MAX_FIELD_CHARACTERS))
        }
        _ => false,
    }
}

fn is_text(text: &Value, longest: usize) -> bool {
    let Some(words) = text["text"].as_str() else { return false };
    let option_of = |kind: &str, option: &str| {
        text[option].is_null() || (text["type"] == kind && text[option].is_boolean())
    };
    matches!(text["type"].as_str(), Some("mrkdwn" | "plain_text"))
        && (1..=longest).contains(&words.chars().count())
        && option_of("mrkdwn", "verbatim")
        && option_of("plain_text", "emoji")
}

/// What Slack shows otherwise than it was meant.
fn spoilt(message: &Value) -> impl Iterator<Item = String> {
    let mut texts = Vec::new();
    collect_texts(message, &mut texts);
    let long = message["text"].as_str().map_or(0, |text| text.chars().count());
    let long = (long > RECOMMENDED_TEXT_CHARACTERS).then(|| {
        format!("a text of {long} characters is over the recommended {RECOMMENDED_TEXT_CHARACTERS}")
    });
    let markup = texts.into_iter().filter_map(unescaped).collect::<Vec<_>>();
    long.into_iter().chain(markup)
}

fn collect_texts<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "text" => texts.push(text),
                    value => collect_texts(value, texts),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        _ => {}
    }
}

/// The first `&`, `<` or `>` that means itself and is not written as an entity.
fn unescaped(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>']) {
        let from = rest.get(at..)?;
        let entity = ["&amp;", "&lt;", "&gt;"].into_iter().find(|entity| from.starts_with(entity));
        let length = entity.map(str::len).or_else(|| markup_length(from));
        match length {
            Some(length) => rest = from.get(length..)?,
            None => return Some(format!("{from:?} is read as markup: write &amp; &lt; &gt;")),
        }
    }
    None
}

/// How long a mention, a link or a date at the beginning of a text is.
fn markup_length(text: &str) -> Option<usize> {
    let (inner, _) = text.strip_prefix('<')?.split_once('>')?;
    let name = inner.split('|').next().unwrap_or_default();
    let is_id = |id: &str| {
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let known = matches!(name, "!here" | "!channel" | "!everyone")
        || ["@", "#", "!subteam^"].iter().any(|sign| name.strip_prefix(sign).is_some_and(is_id))
        || ["https://", "http://", "mailto:"].iter().any(|scheme| name.starts_with(scheme))
        || (is_date(name) && inner.contains('|'));
    known.then_some(inner.len() + 2)
}

/// `!date^1780949730^{date_num} {time_secs}`, perhaps with a link.
fn is_date(name: &str) -> bool {
    let mut parts = name.split('^');
    parts.next() == Some("!date")
        && parts.next().is_some_and(|seconds| seconds.parse::<u64>().is_ok())
        && parts.next().is_some_and(|form| form.contains('{'))
}

fn invalid_payload() -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, "invalid_payload")
}

fn says(status: StatusCode, word: &str) -> Answer {
    let mut answer = Answer::empty(status);
    answer.body = word.to_owned();
    answer.header(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    answer
}

impl Refusal {
    fn answer(self) -> Answer {
        let Refusal(status, word) = self;
        let mut answer = says(status, word);
        match status {
            StatusCode::FOUND => {
                answer.header(LOCATION, HeaderValue::from_static("https://api.slack.com/"));
                return answer.refused("no such path");
            }
            StatusCode::METHOD_NOT_ALLOWED => answer.header(ALLOW, HeaderValue::from_static("POST")),
            _ => {}
        }
        answer.refused(word)
    }
}
