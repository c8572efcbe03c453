//! A secret in a field of the body's JSON object, as PagerDuty has it.
//!
//! The field is put in front of the members that are there, whose bytes stay as they are. A member of that name in
//! the body is an error: with two of them, each reader could take another one.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use siemaphore_http::Request;
use siemaphore_model::formatter::{Framing, RequestProfile};
use siemaphore_secrets::Secret;
use zeroize::Zeroizing;

use crate::attempt_error::AttemptError;
use crate::grant::GrantError;

/// What the field may add to a body. It is taken off the profile's limits, so that the whole stays within them.
const MAX_FIELD_BYTES: u32 = 1024;

/// One object per request, whose bytes can be seen; with room for the field.
pub(crate) fn granted(mut profile: RequestProfile) -> Result<RequestProfile, GrantError> {
    if profile.framing != Framing::OnePerRequest {
        return Err(GrantError::BodyField("puts several events into one request"));
    }
    if !profile.compression.is_empty() {
        return Err(GrantError::BodyField("asks for compression"));
    }
    let limits = &mut profile.limits;
    let body_bytes = limits.body_bytes.saturating_sub(MAX_FIELD_BYTES);
    if body_bytes == 0 {
        return Err(GrantError::NoRoom(limits.body_bytes));
    }
    limits.body_bytes = body_bytes;
    Ok(profile)
}

/// A request without a body (a probe) stays without the secret.
pub(super) fn apply(
    field: &str,
    secret: &Secret,
    request: &mut Request,
) -> Result<Vec<Secret>, AttemptError> {
    if request.body.is_empty() {
        return Ok(Vec::new());
    }
    let members = members(&request.body, field)?;
    if members.has_field {
        return Err(AttemptError::request(
            format!(
                "the body already has the field `{field}`, which is where this destination's secret goes"
            ),
            "change the formatter's settings so that it leaves this field out, or name another `field`",
        ));
    }
    let written = written(field, secret)?;
    let object = request.body.trim_ascii_start();
    let rest = object.strip_prefix(b"{").ok_or_else(no_object)?;
    let mut body = Vec::with_capacity(request.body.len() + written.len() + 2);
    body.push(b'{');
    body.extend_from_slice(written.as_bytes());
    if members.count > 0 {
        body.push(b',');
    }
    body.extend_from_slice(rest);
    request.body = Bytes::from(body);
    Ok(Vec::new())
}

fn written(field: &str, secret: &Secret) -> Result<Zeroizing<String>, AttemptError> {
    let json = |text: &str| serde_json::to_string(text).map(Zeroizing::new).map_err(|_| no_object());
    let written = Zeroizing::new(format!("{}:{}", json(field)?.as_str(), json(secret.expose())?.as_str()));
    // With the comma.
    if written.len() >= MAX_FIELD_BYTES as usize {
        return Err(AttemptError::secret(
            "the secret is too long for a field of the body",
            "store the key that the SIEM shows and nothing else: field and secret have 1 KiB together",
        ));
    }
    Ok(written)
}

fn no_object() -> AttemptError {
    AttemptError::request(
        "the formatter's record is not a JSON object, so that the secret has no place in it".to_owned(),
        "report this to the formatter's author",
    )
}

#[derive(Default)]
struct Members {
    count: usize,
    has_field: bool,
}

fn members(body: &[u8], field: &str) -> Result<Members, AttemptError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let members = Looking { field }.deserialize(&mut deserializer).map_err(|_| no_object())?;
    deserializer.end().map_err(|_| no_object())?;
    Ok(members)
}

/// Reads an object for its members' names.
struct Looking<'a> {
    field: &'a str,
}

impl<'de> DeserializeSeed<'de> for Looking<'_> {
    type Value = Members;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Looking<'_> {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some((name, IgnoredAny)) = map.next_entry::<Cow<'_, str>, IgnoredAny>()? {
            members.count += 1;
            members.has_field |= name == self.field;
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::request;
    use super::*;

    fn applied(body: &'static str) -> Result<String, AttemptError> {
        let mut request = request("https://s", body);
        apply("routing_key", &Secret::new("k\"1"), &mut request)?;
        Ok(String::from_utf8(request.body.to_vec()).expect("text"))
    }

    #[test]
    fn the_field_stands_first_and_the_rest_stays_as_it_is() {
        for (body, expected) in [
            ("{}", r#"{"routing_key":"k\"1"}"#),
            (" { }", r#"{"routing_key":"k\"1" }"#),
            (
                r#"{"a": 1.0e2, "b":{"routing_key":2}}"#,
                r#"{"routing_key":"k\"1","a": 1.0e2, "b":{"routing_key":2}}"#,
            ),
            ("", ""),
        ] {
            assert_eq!(applied(body).expect("an object"), expected);
        }
    }

    #[test]
    fn a_body_that_has_the_field_or_is_no_object_is_refused() {
        for body in [r#"{"routing_key":null}"#, r#"{"a":1,"routing\u005fkey":"x"}"#] {
            let error = applied(body).expect_err(body);
            assert!(
                error.needs_operator && error.reason.contains("already has the field `routing_key`"),
                "{error}"
            );
        }
        for body in ["[]", "{", "{}{}", "null", "text", r#"{"a":}"#] {
            assert!(applied(body).expect_err(body).reason.contains("not a JSON object"), "{body}");
        }
    }

    #[test]
    fn a_deep_or_repeated_member_of_an_event_does_no_harm() {
        let deep = format!(r#"{{"a":{}{},"a":1}}"#, "[".repeat(5000), "]".repeat(5000));
        let mut request = request("https://s", "");
        request.body = Bytes::from(deep.clone());
        apply("routing_key", &Secret::new("k"), &mut request).expect("an object");
        assert_eq!(request.body, format!(r#"{{"routing_key":"k",{}"#, &deep[1..]));
    }

    #[test]
    fn a_secret_of_a_page_is_refused() {
        let mut request = request("https://s", "{}");
        let secret = Secret::new(&"k".repeat(1024));
        assert!(
            apply("routing_key", &secret, &mut request).expect_err("too long").reason.contains("too long")
        );
    }
}
