//! What differs between two records of the same event.

use serde_json::{Deserializer, Value};

use crate::command::plugin::diff::changes::Changes;

/// What is shown of a line around the place where it differs.
const BEFORE_CHARACTERS: usize = 20;
const AFTER_CHARACTERS: usize = 60;

/// What differs; `None` when the bytes are the same.
///
/// Records that are JSON are compared by place, also when there are several values in one, as for Elasticsearch. What
/// means the same and is written differently still differs: its bytes do. Others are compared line by line.
pub(crate) fn changes(old: &[u8], new: &[u8]) -> Option<Changes> {
    if old == new {
        return None;
    }
    let changes = match (values(old), values(new)) {
        (Some(old), Some(new)) => of_values(&old, &new),
        _ => Changes::default(),
    };
    Some(if changes.count > 0 { changes } else { of_lines(old, new) })
}

/// The JSON values that a record consists of.
fn values(record: &[u8]) -> Option<Vec<Value>> {
    let values: Result<Vec<Value>, _> = Deserializer::from_slice(record).into_iter::<Value>().collect();
    // Plain text may begin with a number.
    values.ok().filter(|values| values.iter().any(|value| value.is_object() || value.is_array()))
}

fn of_values(old: &[Value], new: &[Value]) -> Changes {
    if let ([old], [new]) = (old, new) {
        return Changes::between(old, new);
    }
    let mut changes = Changes::default();
    for index in 0..old.len().max(new.len()) {
        let at = format!("value {} ", index + 1);
        match (old.get(index), new.get(index)) {
            (Some(old), Some(new)) => changes.compare(&at, old, new),
            (old, new) => changes.add(at.trim_end().to_owned(), old, new),
        }
    }
    changes
}

/// Lines at the beginning and at the end that are the same are passed over; of the others one is compared with one.
fn of_lines(old: &[u8], new: &[u8]) -> Changes {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (old.get(same..).unwrap_or_default(), new.get(same..).unwrap_or_default());
    let same_end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let old = old.get(..old.len() - same_end).unwrap_or_default();
    let new = new.get(..new.len() - same_end).unwrap_or_default();
    let mut changes = Changes::default();
    for index in 0..old.len().max(new.len()) {
        let at = format!("line {}", same + index + 1);
        match (old.get(index), new.get(index)) {
            (Some(old), Some(new)) if old == new => {}
            (Some(old), Some(new)) => of_line(&mut changes, at, old, new),
            (old, new) => changes.add(at, whole(old).as_ref(), whole(new).as_ref()),
        }
    }
    if changes.count == 0 {
        // Two encodings of bytes that are no text: both read as the same replacement characters.
        changes.add("bytes that are no text".to_owned(), None, None);
    }
    changes
}

/// A line that is JSON in a record that as a whole is none is compared by place as well.
fn of_line(changes: &mut Changes, at: String, old: &str, new: &str) {
    let before = changes.count;
    if let (Some(old), Some(new)) = (values(old.as_bytes()), values(new.as_bytes()))
        && let ([old], [new]) = (old.as_slice(), new.as_slice())
    {
        changes.compare(&format!("{at} "), old, new);
    }
    if changes.count == before {
        let (old, new) = around(old, new);
        changes.add(at, Some(&old.into()), Some(&new.into()));
    }
}

fn whole(line: Option<&&str>) -> Option<Value> {
    line.map(|line| Value::from(*line))
}

/// Two lines from a little before the first place where they differ.
fn around(old: &str, new: &str) -> (String, String) {
    let same = old.chars().zip(new.chars()).take_while(|(old, new)| old == new).count();
    let from = same.saturating_sub(BEFORE_CHARACTERS);
    let part = |line: &str| {
        let most = BEFORE_CHARACTERS + AFTER_CHARACTERS;
        let mut characters = line.chars().skip(from);
        let shown: String = characters.by_ref().take(most).collect();
        let before = if from > 0 { "…" } else { "" };
        let after = if characters.next().is_some() { "…" } else { "" };
        format!("{before}{shown}{after}")
    };
    (part(old), part(new))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(old: &str, new: &str) -> Vec<String> {
        let shown = |value: Option<Value>| value.map_or("-".to_owned(), |value| value.to_string());
        let changes =
            changes(old.as_bytes(), new.as_bytes()).map(|changes| changes.changes).unwrap_or_default();
        changes
            .into_iter()
            .map(|change| format!("{}: {} {}", change.at, shown(change.old), shown(change.new)))
            .collect()
    }

    #[test]
    fn json_is_compared_by_place() {
        assert_eq!(changes(b"{}", b"{}"), None);
        assert_eq!(told(r#"{"a":1,"b":2}"#, r#"{"b":3,"a":1}"#), ["/b: 2 3"]);
        let old = "{\"create\":{\"_id\":\"1\"}}\n{\"a\":1}\n";
        let new = "{\"create\":{\"_id\":\"1\"}}\n{\"a\":2}\n";
        assert_eq!(told(old, new), ["value 2 /a: 1 2"]);
        assert_eq!(told(old, "{\"create\":{\"_id\":\"1\"}}\n"), ["value 2: {\"a\":1} -"]);
    }

    #[test]
    fn the_same_json_in_other_bytes_differs_and_is_shown_as_it_is_written() {
        assert_eq!(told(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#).len(), 1);
        assert_eq!(told(r#"{"a":1}"#, r#"{"a": 1}"#), [r#"line 1: "{\"a\":1}" "{\"a\": 1}""#]);
        // Both are the same number to a double.
        assert_eq!(told(r#"{"a":1e400000}"#, r#"{"a":2e400000}"#).len(), 1);
        assert_eq!(told(r#"{"a":123456789012345678901234}"#, r#"{"a":123456789012345678901235}"#).len(), 1);
    }

    #[test]
    fn other_records_are_compared_line_by_line() {
        assert_eq!(told("a\nb\nc", "a\nx\nc"), [r#"line 2: "b" "x""#]);
        assert_eq!(told("a\nc", "a\nb\nc"), [r#"line 2: - "b""#]);
        assert_eq!(told("a\nb", "a"), [r#"line 2: "b" -"#]);
        assert_eq!(
            told("POST /\n\n{\"a\":{\"b\":1}}\n", "POST /\n\n{\"a\":{\"b\":2}}\n"),
            ["line 3 /a/b: 1 2"]
        );
        assert_eq!(told("12 apples", "12 pears"), [r#"line 1: "12 apples" "12 pears""#]);
        assert_eq!(told("CEF:0", r#"{"a":1}"#), [r#"line 1: "CEF:0" "{\"a\":1}""#]);
        let long = |middle: &str| format!("{}{middle}{}", "<".repeat(100), ">".repeat(100));
        let cut = |middle: &str| format!("…{}{middle}{}…", "<".repeat(20), ">".repeat(59));
        assert_eq!(
            told(&long("1"), &long("2")),
            [format!("line 1: {} {}", json!(cut("1")), json!(cut("2")))]
        );
    }

    #[test]
    fn bytes_that_are_no_text_still_differ() {
        assert_eq!(changes(&[0xff], &[0xfe]).map(|changes| changes.count), Some(1));
    }
}
