//! LEEF 2.0 lines: `LEEF:2.0|vendor|product|version|event id|delimiter|key=value…`.
//!
//! Nothing can be escaped, so an attribute without an equals sign is the rest of a value that held the delimiter.

use serde_json::{Map, Value, json};

use super::Parsed;
use crate::answer::Record;

const HEADER: [&str; 4] = ["vendor", "product", "version", "event_id"];
const MAX_EVENT_ID_BYTES: usize = 255;
const MAX_USER_NAME_BYTES: usize = 255;

pub(super) fn parse(line: &str) -> Result<Parsed, String> {
    let mut rest = line.strip_prefix("LEEF:2.0|").ok_or("it does not begin with LEEF:2.0|")?;
    let mut header = Map::new();
    for name in HEADER {
        let (field, after) = rest.split_once('|').ok_or("the header ends too early")?;
        if field.trim().is_empty() || field.trim() != field {
            return Err(format!("{name} is empty or has space around it"));
        }
        header.insert(name.to_owned(), Value::from(field));
        rest = after;
    }
    let (delimiter, attributes) = rest.split_once('|').ok_or("the header has no delimiter")?;
    let delimiter = separator(delimiter)?;
    let is_unwanted = |character: char| character.is_control() && character != delimiter;
    if line.chars().any(|one| is_unwanted(one) || matches!(one, '\u{2028}' | '\u{2029}')) {
        return Err("a control character ends the line for some readers".to_owned());
    }
    let attributes = read(attributes, delimiter)?;
    let violations = violations(&header, &attributes);
    let value = json!({ "header": header, "attributes": attributes });
    Ok(Parsed { record: Record { value, raw: line.to_owned() }, violations })
}

/// A character, or `x` or `0x` and one to four hexadecimal digits. Empty stands for a tab.
fn separator(text: &str) -> Result<char, String> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (None, _) => return Ok('\t'),
        (Some(character), None) if !character.is_alphanumeric() => return Ok(character),
        _ => {}
    }
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix('x'));
    digits
        .filter(|digits| (1..=4).contains(&digits.len()))
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .and_then(char::from_u32)
        .ok_or_else(|| format!("{text:?} is no delimiter"))
}

fn read(text: &str, delimiter: char) -> Result<Map<String, Value>, String> {
    let mut attributes = Map::new();
    for attribute in text.split(delimiter) {
        let (key, value) =
            attribute.split_once('=').ok_or_else(|| format!("an attribute without a key: {attribute:?}"))?;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("{key:?} is no key"));
        }
        if attributes.insert(key.to_owned(), Value::from(value)).is_some() {
            return Err(format!("the key {key} comes twice"));
        }
    }
    Ok(attributes)
}

fn violations(header: &Map<String, Value>, attributes: &Map<String, Value>) -> Vec<String> {
    let text = |key: &str| attributes.get(key).and_then(Value::as_str);
    let mut violations = Vec::new();
    if header.get("event_id").and_then(Value::as_str).is_some_and(|id| id.len() > MAX_EVENT_ID_BYTES) {
        violations.push(format!("the event id is over {MAX_EVENT_ID_BYTES} bytes"));
    }
    let time =
        text("devTime").is_some_and(|time| time.len() == 13 && time.bytes().all(|one| one.is_ascii_digit()));
    if !time && !attributes.contains_key("devTimeFormat") {
        violations.push(format!("devTime is {:?}: the time of arrival is shown", text("devTime")));
    }
    if !text("sev")
        .and_then(|severity| severity.parse::<u8>().ok())
        .is_some_and(|one| (1..=10).contains(&one))
    {
        violations.push(format!("sev is {:?}, not 1 to 10", text("sev")));
    }
    if text("src").is_some_and(|address| address.parse::<std::net::IpAddr>().is_err()) {
        violations.push(format!("src is {:?}, no address", text("src")));
    }
    if text("usrName").is_some_and(|name| name.len() > MAX_USER_NAME_BYTES) {
        violations.push(format!("usrName is over {MAX_USER_NAME_BYTES} bytes"));
    }
    violations
}
