//! Finds members of a document without building a tree.

use std::borrow::Cow;

use super::text::{self, equal};

/// The members of an object, in order.
pub fn members(object: &str) -> Members<'_> {
    let start = skip_space(object.as_bytes(), 0);
    let begins = object.as_bytes().get(start) == Some(&b'{');
    Members { text: object, at: if begins { start + 1 } else { object.len() } }
}

/// The values of a list, in order.
pub fn items(list: &str) -> Items<'_> {
    let start = skip_space(list.as_bytes(), 0);
    let begins = list.as_bytes().get(start) == Some(&b'[');
    Items { text: list, at: if begins { start + 1 } else { list.len() } }
}

/// The values at a few JSON Pointers, in one pass: only objects on the way to one of them are entered. The last one
/// wins where a key is repeated, as with most parsers.
///
/// ```
/// use siemaphore_sdk::json::scan;
///
/// let document = r#"{"identity":{"email":"j.chen@acme.com","department":"engineering"},"cost":{"tokens":3}}"#;
/// let [email, tokens, missing] = scan::find(document, ["/identity/email", "/cost/tokens", "/cost/usd"]);
/// assert_eq!((email, tokens, missing), (Some("\"j.chen@acme.com\""), Some("3"), None));
/// assert_eq!(scan::text(email.unwrap()).unwrap(), "j.chen@acme.com");
/// ```
pub fn find<'a, const N: usize>(document: &'a str, pointers: [&str; N]) -> [Option<&'a str>; N] {
    let mut found = [None; N];
    find_within(document, &pointers.map(Some), &mut found);
    found
}

/// The text of a value that is a string.
pub fn text(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    Some(text::unescape(inner))
}

/// Whether a value is an object.
pub fn is_object(value: &str) -> bool {
    value.starts_with('{')
}

/// One member of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// What stands between the quotes, still escaped.
    pub raw_key: &'a str,
    /// The value as it stands in the document, without space around it.
    pub value: &'a str,
    /// Noted while scanning, because keys are compared often and hardly ever escaped.
    escaped: bool,
}

impl<'a> Member<'a> {
    #[inline]
    pub fn key(&self) -> Cow<'a, str> {
        if self.escaped { text::unescape(self.raw_key) } else { Cow::Borrowed(self.raw_key) }
    }

    #[inline]
    pub fn is(&self, key: &str) -> bool {
        text::same(self.raw_key, key) || (self.escaped && self.key() == key)
    }
}

/// See [`members`].
#[derive(Debug, Clone)]
pub struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    #[inline]
    fn next(&mut self) -> Option<Member<'a>> {
        let bytes = self.text.as_bytes();
        let mut at = skip_space(bytes, self.at);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let StringEnd { end: key_end, escaped } = string_end(bytes, at)?;
        let raw_key = self.text.get(at + 1..key_end - 1)?;
        at = skip_space(bytes, key_end);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        let start = skip_space(bytes, at + 1);
        let end = value_end(bytes, start)?;
        self.at = end;
        Some(Member { raw_key, value: self.text.get(start..end)?, escaped })
    }
}

/// See [`items`].
#[derive(Debug, Clone)]
pub struct Items<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let mut start = skip_space(bytes, self.at);
        if bytes.get(start) == Some(&b',') {
            start = skip_space(bytes, start + 1);
        }
        let end = value_end(bytes, start)?;
        self.at = end;
        self.text.get(start..end)
    }
}

fn find_within<'a, const N: usize>(
    object: &'a str,
    pointers: &[Option<&str>; N],
    found: &mut [Option<&'a str>; N],
) {
    for member in members(object) {
        let key = member.key();
        let mut below = [None; N];
        for ((pointer, found), below) in pointers.iter().zip(found.iter_mut()).zip(&mut below) {
            let rest = pointer.and_then(|pointer| pointer.strip_prefix('/')?.strip_prefix(&*key));
            match rest {
                Some("") => *found = Some(member.value),
                Some(rest) if rest.starts_with('/') => *below = Some(rest),
                _ => {}
            }
        }
        // As deep as the longest pointer, so the recursion is bounded by the formatter, not by the document.
        if below.iter().any(Option::is_some) && is_object(member.value) {
            find_within(member.value, &below, found);
        }
    }
}

#[inline]
fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r' | b'\n') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Where the value that begins at `at` ends.
#[inline]
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => string_end(bytes, at).map(|string| string.end),
        b'{' | b'[' => nested_end(bytes, at),
        _ => {
            let rest = bytes.get(at..)?;
            let length = rest
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n'));
            length.filter(|&length| length > 0).map(|length| at + length)
        }
    }
}

fn nested_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?.end;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

struct StringEnd {
    /// The place after the closing quote.
    end: usize,
    escaped: bool,
}

/// The end of the string whose opening quote is at `at`.
#[inline]
fn string_end(bytes: &[u8], at: usize) -> Option<StringEnd> {
    let mut at = at + 1;
    let mut escaped = false;
    loop {
        while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let eight = u64::from_le_bytes(*eight);
            if (equal(eight, b'"') | equal(eight, b'\\')) != 0 {
                break;
            }
            at += 8;
        }
        match bytes.get(at)? {
            b'"' => return Some(StringEnd { end: at + 1, escaped }),
            b'\\' => {
                escaped = true;
                at += 2;
            }
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#" { "a" : "x\"}y" , "b":{"c":[1,{"d":"]\\"}],"e":-1.5e3},"f":null ,"g":[ ] } "#;

    #[test]
    fn members_are_found_where_a_parser_finds_them() {
        let parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(DOCUMENT).unwrap();
        let scanned: Vec<_> = members(DOCUMENT).collect();
        assert_eq!(scanned.len(), parsed.len());
        for member in scanned {
            let value: serde_json::Value = serde_json::from_str(member.value).unwrap();
            assert_eq!(value, parsed[&*member.key()]);
        }
    }

    #[test]
    fn broken_documents_end_the_scan_and_nothing_else() {
        for end in 0..DOCUMENT.trim_end().len() {
            let cut = &DOCUMENT[..end];
            assert!(members(cut).count() <= 4);
            find(cut, ["/b/e", "/g"]);
        }
        for text in ["", "[]", "7", "{,", "{\"a\"}", "{\"a\":}", "{\"a\":1 \"b\":]", "{\"a\\"] {
            assert!(members(text).count() <= 1, "{text}");
        }
    }

    #[test]
    fn items_are_found_where_a_parser_finds_them() {
        let list = r#" [ 1 , "a,]\"" ,[2,[ ]],{"b":[3]},null,-0.5e1 , true ] "#;
        let parsed: Vec<serde_json::Value> = serde_json::from_str(list).unwrap();
        let scanned: Vec<serde_json::Value> =
            items(list).map(|item| serde_json::from_str(item).unwrap()).collect();
        assert_eq!(scanned, parsed);
        for text in ["", "[", "[]", "[ ]", "{\"a\":1}", "7", "[,", "[]]"] {
            assert_eq!(items(text).count(), 0, "{text}");
        }
        assert_eq!(items("[1,[2").count(), 1, "the rest is not complete");
    }

    #[test]
    fn escaped_and_repeated_keys_are_the_same_key() {
        let document = r#"{"\u0061":1,"a":2,"a/b":3,"ab":4}"#;
        assert_eq!(find(document, ["/a", "/ab"]), [Some("2"), Some("4")]);
    }

    #[test]
    fn a_pointer_stops_at_whole_keys() {
        let document = r#"{"user":{"id":1},"us":{"er":2},"user_id":3}"#;
        assert_eq!(
            find(document, ["/user/id", "/user", "/us"]),
            [Some("1"), Some(r#"{"id":1}"#), Some(r#"{"er":2}"#)]
        );
    }
}
