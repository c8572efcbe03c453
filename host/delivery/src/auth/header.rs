//! A secret in a header of the operator's choice, behind a prefix: `Authorization: Splunk …`, `DD-API-KEY: …`.

use http::HeaderName;
use siemaphore_http::Request;
use siemaphore_secrets::Secret;
use zeroize::Zeroizing;

use super::set_header;
use crate::attempt_error::AttemptError;

pub(super) fn apply(
    header: &HeaderName,
    prefix: &str,
    secret: &Secret,
    request: &mut Request,
) -> Result<Vec<Secret>, AttemptError> {
    let bare = without_prefix(secret.expose(), prefix);
    set_header(request, header, &Zeroizing::new(format!("{prefix}{bare}")))?;
    // Pasted with its prefix, the secret proper is what has to be found in an answer.
    Ok(vec![Secret::new(bare)])
}

/// People paste what the SIEM's documentation shows, which is often the whole header value.
fn without_prefix<'a>(secret: &'a str, prefix: &str) -> &'a str {
    let word = prefix.trim_end();
    let head = secret.get(..word.len()).filter(|head| !word.is_empty() && head.eq_ignore_ascii_case(word));
    let Some(rest) = head.and_then(|_| secret.get(word.len()..)) else { return secret };
    let bare = rest.trim_start();
    // With a prefix that ends in a space, a secret that merely begins with the same letters keeps them.
    let is_prefix = !bare.is_empty() && (word.len() == prefix.len() || bare.len() < rest.len());
    if is_prefix { bare } else { secret }
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{header, request};
    use super::*;

    fn value(prefix: &str, secret: &str) -> String {
        let mut request = request("https://s", "");
        let name = HeaderName::from_static("authorization");
        apply(&name, prefix, &Secret::new(secret), &mut request).expect("a usable secret");
        header(&request, "authorization").to_owned()
    }

    #[test]
    fn the_prefix_stands_before_the_secret_once() {
        for (prefix, secret, expected) in [
            ("Splunk ", "11111111-2222", "Splunk 11111111-2222"),
            ("Splunk ", "Splunk 11111111-2222", "Splunk 11111111-2222"),
            ("Splunk ", "splunk  11111111-2222", "Splunk 11111111-2222"),
            ("Splunk ", "SplunkToken", "Splunk SplunkToken"),
            ("Splunk ", "Splunk ", "Splunk Splunk "),
            ("", "0123456789abcdef", "0123456789abcdef"),
            ("key=", "key=abc", "key=abc"),
            ("key=", "abc", "key=abc"),
        ] {
            assert_eq!(value(prefix, secret), expected, "{prefix:?} {secret:?}");
        }
    }

    #[test]
    fn a_secret_that_no_header_can_hold_is_an_error_that_does_not_show_it() {
        let name = HeaderName::from_static("dd-api-key");
        let mut request = request("https://s", "");
        let secret = Secret::new("canary\ncanary");
        let error = apply(&name, "", &secret, &mut request).expect_err("it has a newline");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }

    #[test]
    fn a_credential_is_not_printed() {
        let name = HeaderName::from_static("dd-api-key");
        let mut request = request("https://s", "");
        apply(&name, "", &Secret::new("canary-canary"), &mut request).expect("a usable secret");
        assert!(!format!("{request:?}").contains("canary"));
    }
}
