//! OCSF events: what every class requires, and the two classes that come here.

use serde_json::Value;
use serde_json::value::RawValue;

use super::Parsed;
use crate::answer::Record;
use crate::strict_json::{self, repetitions};

const REQUIRED: [&str; 7] =
    ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"];
const SEVERITIES: [u64; 8] = [0, 1, 2, 3, 4, 5, 6, 99];

/// The items of an array, or one object.
pub(super) fn array(text: &str) -> Result<Vec<&str>, serde_json::Error> {
    if !text.trim_start().starts_with('[') {
        return Ok(vec![text]);
    }
    let items: Vec<&RawValue> = serde_json::from_str(text)?;
    Ok(items.into_iter().map(RawValue::get).collect())
}

pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    let parsed = strict_json::parse(text).map_err(|error| error.to_string())?;
    let event = &parsed.value;
    if let Some(missing) = REQUIRED.into_iter().find(|name| event.get(*name).is_none()) {
        return Err(format!("{missing} is missing"));
    }
    let number = |name: &str| {
        event.get(name).and_then(Value::as_u64).ok_or_else(|| format!("{name} is no whole number"))
    };
    let (class, activity) = (number("class_uid")?, number("activity_id")?);
    if number("type_uid")? != class.saturating_mul(100).saturating_add(activity) {
        return Err(format!(
            "the type of activity {activity} of class {class} is not {}",
            number("type_uid")?
        ));
    }
    if number("category_uid")? != class / 1_000 {
        return Err(format!("class {class} is not of category {}", number("category_uid")?));
    }
    if !SEVERITIES.contains(&number("severity_id")?) {
        return Err(format!("there is no severity_id {}", number("severity_id")?));
    }
    let needed: &[&str] = match class {
        2004 => &["/finding_info/uid", "/finding_info/title"],
        6003 => &["/actor", "/api/operation", "/src_endpoint"],
        _ => return Err(format!("class {class} is not taken here")),
    };
    let metadata = ["/metadata/version", "/metadata/product/name", "/metadata/product/vendor_name"];
    if let Some(missing) = needed.iter().chain(&metadata).find(|pointer| event.pointer(pointer).is_none()) {
        return Err(format!("{missing} is missing"));
    }
    let mut violations: Vec<String> = repetitions(&parsed.repeated_keys).collect();
    violations.extend(spoiled(event, number("time")?));
    Ok(Parsed { record: Record { value: parsed.value, raw: text.to_owned() }, violations })
}

fn spoiled(event: &Value, time: u64) -> Option<String> {
    const MS_OF_2001: u64 = 978_307_200_000;
    if time < MS_OF_2001 {
        return Some(format!("time {time} is shown as 1970: it has to be in milliseconds"));
    }
    event.pointer("/metadata/uid").is_none().then(|| "no metadata.uid: duplicates cannot be told".to_owned())
}
