//! JSON Pointers into texts that are not parsed as a whole.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// The text of the value that the pointer leads to. None when there is none, or when the text is not JSON.
pub(super) fn look<'a>(json: &'a [u8], pointer: &str) -> Option<&'a str> {
    let mut text = std::str::from_utf8(json).ok()?.trim();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let found: &RawValue = if text.starts_with('[') {
            let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            elements.get(token.parse::<usize>().ok()?)?
        } else {
            let mut members: HashMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            members.remove(&token)?
        };
        text = found.get();
    }
    Some(text)
}

/// A text or a number as it is sent in a URL; None for anything else, and for an empty text.
pub(super) fn scalar(json: &[u8], pointer: &str) -> Option<String> {
    let text = look(json, pointer)?;
    let value = match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok()?,
        b'-' | b'0'..=b'9' => text.to_owned(),
        _ => return None,
    };
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_through_objects_and_arrays_to_the_text_of_a_value() {
        let json = br#" {"a":{"b/c":[1,{"d~":"x\u0041"}]},"n":-1.50,"e":"","t":true,"a2":null} "#;
        assert_eq!(look(json, "/a/b~1c/1"), Some(r#"{"d~":"x\u0041"}"#));
        assert_eq!(look(br#"[{"a":1}]"#, ""), Some(r#"[{"a":1}]"#));
        assert_eq!(scalar(json, "/a/b~1c/1/d~0").as_deref(), Some("xA"));
        assert_eq!(scalar(json, "/n").as_deref(), Some("-1.50"));
        for nowhere in ["/e", "/t", "/a2", "/a", "/x", "/a/b~1c/2", "/a/b~1c/-", "/n/x", "/a/b~1c/1/d~0/x"] {
            assert_eq!(scalar(json, nowhere), None, "{nowhere}");
        }
        assert_eq!(look(b"{\"a\":1", "/a"), None);
        assert_eq!(look(b"\xff", ""), None);
    }
}
