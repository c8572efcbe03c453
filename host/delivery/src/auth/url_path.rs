//! A secret that is part of the URL's path, as webhooks have it. The endpoint says where: its segment `{secret}`.
//!
//! The secret may be several segments (`T000/B000/XXX`), but no more than segments: nothing in it can lead out of the
//! place that the operator gave it.

use siemaphore_http::Request;
use siemaphore_secrets::Secret;
use zeroize::Zeroizing;

use crate::attempt_error::AttemptError;
use crate::path;

/// As an operator writes it into the endpoint.
pub(crate) const PLACEHOLDER: &str = "{secret}";
/// As it stands in a parsed URL.
const ENCODED_PLACEHOLDER: &str = "%7Bsecret%7D";
/// Servers refuse request lines that are much longer.
const MAX_BYTES: usize = 2048;
/// A shorter segment is no secret by itself (a workspace's id, a version), and would be found everywhere.
const MIN_SECRET_SEGMENT_BYTES: usize = 8;

/// How often the placeholder is a whole segment of a URL's path, and how often it is there at all.
pub(crate) fn occurrences(path: &str) -> (usize, usize) {
    let segments = path.split('/').filter(|segment| *segment == ENCODED_PLACEHOLDER).count();
    (segments, path.matches(ENCODED_PLACEHOLDER).count())
}

/// The endpoint's own path stands first in the URL, so the first placeholder is the operator's; what an event brought
/// along stays as it is.
pub(super) fn apply(secret: &Secret, request: &mut Request) -> Result<Vec<Secret>, AttemptError> {
    let segments: Vec<&str> = secret.expose().split('/').collect();
    if secret.expose().len() > MAX_BYTES || !segments.iter().all(|segment| path::is_plain_segment(segment)) {
        return Err(unusable());
    }
    let encoded: Vec<Zeroizing<String>> =
        segments.iter().map(|segment| Zeroizing::new(path::encode(segment))).collect();
    let encoded =
        Zeroizing::new(encoded.iter().map(|segment| segment.as_str()).collect::<Vec<_>>().join("/"));
    let filled = Zeroizing::new(request.url.path().replacen(ENCODED_PLACEHOLDER, &encoded, 1));
    request.url.set_path(&filled);
    let own = segments.iter().filter(|segment| segment.len() >= MIN_SECRET_SEGMENT_BYTES);
    Ok(own.map(|segment| Secret::new(segment)).chain([Secret::new(&encoded)]).collect())
}

fn unusable() -> AttemptError {
    AttemptError::secret(
        "the secret cannot be a part of a URL's path",
        "store what `{secret}` stands for and nothing else: no host, no slash at its ends, no query, no spaces, no % or ;",
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::request;
    use super::*;

    fn applied(url: &str, secret: &str) -> Result<String, AttemptError> {
        let mut request = request(url, "");
        apply(&Secret::new(secret), &mut request)?;
        Ok(request.url.to_string())
    }

    #[test]
    fn the_secret_takes_the_place_of_the_segment() {
        for (endpoint, secret, expected) in [
            (
                "https://hooks.slack.com/services/{secret}",
                "T000/B000/XXX",
                "https://hooks.slack.com/services/T000/B000/XXX",
            ),
            ("https://s/receiver/{secret}/in?a=b", "ZaVn-_4==", "https://s/receiver/ZaVn-_4==/in?a=b"),
            ("https://s/{secret}/{secret}", "one", "https://s/one/%7Bsecret%7D"),
            ("https://s/{secret}", "ü\"<", "https://s/%C3%BC%22%3C"),
        ] {
            assert_eq!(applied(endpoint, secret).expect("a usable secret"), expected);
        }
    }

    #[test]
    fn a_secret_that_would_leave_its_place_is_refused_and_not_shown() {
        let long = "a".repeat(MAX_BYTES + 1);
        for secret in [
            "..",
            "a/../b",
            "a/./b",
            "a//b",
            "/a",
            "a/",
            "a?b",
            "a#b",
            "a%2fb",
            "a;b",
            "a b",
            "a\nb",
            "a\\b",
            "https://hooks.slack.com/services/T/B/canary",
            &long,
        ] {
            let error = applied("https://s/{secret}", secret).expect_err(secret);
            assert!(error.needs_operator && !format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}
