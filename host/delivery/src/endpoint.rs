//! The operator's endpoint and a formatter's path, joined.
//!
//! People paste what they have: the host alone, the host with a prefix, or the whole URL of the API. So the path is
//! appended, and what the endpoint already has of it is not repeated: `…/services/collector` with
//! `/services/collector/event` becomes `…/services/collector/event`.

use siemaphore_http::UrlError;
use thiserror::Error;
use url::Url;

use crate::auth::{Authentication, SECRET_PLACEHOLDER, secret_occurrences};
use crate::group::Group;
use crate::path;

/// An endpoint that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("the endpoint has a query (?)")]
    Query,
    #[error("the path of the endpoint has an empty segment or an encoded slash")]
    Path,
    #[error("the endpoint does not have `{SECRET_PLACEHOLDER}` as one whole segment of its path")]
    NoPlaceForSecret,
    #[error(
        "the endpoint has `{SECRET_PLACEHOLDER}`, and the authentication scheme puts the secret elsewhere"
    )]
    UnusedPlaceForSecret,
}

impl EndpointError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            EndpointError::Url(error) => error.hint(),
            EndpointError::Query => {
                "leave the ? and what follows out: the formatter adds the query, and secrets belong into `secret`"
            }
            EndpointError::Path => "write the endpoint as the SIEM shows it, with single plain slashes",
            EndpointError::NoPlaceForSecret => {
                "write {secret} once, in place of the secret part: https://hooks.slack.com/services/{secret}"
            }
            EndpointError::UnusedPlaceForSecret => {
                "write `authentication = { scheme = \"url-path\" }`, or take {secret} out of the endpoint"
            }
        }
    }
}

/// Checks what makes an endpoint a prefix, not a whole request. Whether it may be dialled at all is
/// [`check_url`](siemaphore_http::check_url)'s to say, which nobody asks when a request is only shown.
pub(crate) fn check(endpoint: &Url, authentication: &Authentication) -> Result<(), EndpointError> {
    if endpoint.fragment().is_some() {
        let host = endpoint.host_str().unwrap_or_default().to_owned();
        return Err(EndpointError::Url(UrlError::Fragment(host)));
    }
    if endpoint.query().is_some() {
        return Err(EndpointError::Query);
    }
    let lowercase = endpoint.path().to_ascii_lowercase();
    let ambiguous = ["//", "%2f", "%5c"].iter().any(|pattern| lowercase.contains(pattern));
    if ambiguous {
        return Err(EndpointError::Path);
    }
    match (authentication, secret_occurrences(endpoint.path())) {
        (Authentication::UrlPath { .. }, (1, 1)) => Ok(()),
        (Authentication::UrlPath { .. }, _) => Err(EndpointError::NoPlaceForSecret),
        (_, (_, 0)) => Ok(()),
        (_, _) => Err(EndpointError::UnusedPlaceForSecret),
    }
}

/// The URL of `path` below `endpoint`. `main_path` is the profile's: what of it the endpoint repeats is no part of the
/// prefix, so that a follow-up or probe path lands beside it and not below it.
///
/// Beside it is as far as that goes: a path that does not begin as the operator's own does is put below the endpoint
/// as a whole. Else a formatter could name the operator's folder in its main path only to leave it with the others.
pub(crate) fn join(
    endpoint: &Url,
    main_path: &str,
    path: &str,
    query: &[(String, String)],
    group: &Group,
) -> Url {
    let mut segments = prefix(endpoint, main_path, path);
    segments.extend(path::segments(path, group));
    let mut url = endpoint.clone();
    url.set_path(&segments.join("/"));
    url.set_query(None);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

/// A URL as an operator reads it: with the place of a secret as it was written.
pub fn shown_url(url: &Url) -> String {
    let (path, query) = url.as_str().split_at(url.as_str().find('?').unwrap_or(url.as_str().len()));
    format!("{}{query}", path.replace("%7Bsecret%7D", SECRET_PLACEHOLDER))
}

/// The endpoint's own segments, without the end that is a beginning of `main_path`, and of `path` too.
fn prefix(endpoint: &Url, main_path: &str, path: &str) -> Vec<String> {
    let own: Vec<&str> = path::raw_segments(endpoint.path()).collect();
    // A segment with a placeholder encodes its braces and so equals nothing that an operator writes.
    let asked: Vec<String> = path::raw_segments(main_path).map(path::encode).collect();
    let most = own.len().min(asked.len());
    let overlap = (0..=most)
        .rev()
        .find(|&length| own.iter().rev().take(length).rev().eq(asked.iter().take(length)))
        .unwrap_or(0);
    // An endpoint that is the whole of the main path names a resource, and what is beside it shares its folder.
    let folder = if overlap == asked.len() { overlap.saturating_sub(1) } else { overlap };
    let begins_alike =
        path::raw_segments(path).map(path::encode).take(folder).eq(asked.iter().take(folder).cloned());
    let overlap = if begins_alike { overlap } else { 0 };
    own.iter().take(own.len().saturating_sub(overlap)).map(|segment| (*segment).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "/services/collector/event";

    fn joined(endpoint: &str, main_path: &str, path: &str) -> String {
        let group = Group { organization: "acme".into(), project: None, producer: "aisg".into() };
        join(&Url::parse(endpoint).expect(endpoint), main_path, path, &[], &group).to_string()
    }

    #[test]
    fn the_path_is_appended_and_not_repeated() {
        for (endpoint, expected) in [
            ("https://s:8088", "https://s:8088/services/collector/event"),
            ("https://s:8088/", "https://s:8088/services/collector/event"),
            ("https://s/siem", "https://s/siem/services/collector/event"),
            ("https://s/siem/", "https://s/siem/services/collector/event"),
            ("https://s/services", "https://s/services/collector/event"),
            ("https://s/services/collector", "https://s/services/collector/event"),
            ("https://s/services/collector/event", "https://s/services/collector/event"),
            ("https://s/services/collector/event/", "https://s/services/collector/event"),
            ("https://s/siem/services/collector/event", "https://s/siem/services/collector/event"),
            ("https://s/services/collector/raw", "https://s/services/collector/raw/services/collector/event"),
        ] {
            assert_eq!(joined(endpoint, EVENT, EVENT), expected, "{endpoint}");
        }
    }

    #[test]
    fn the_other_paths_of_a_profile_land_beside_its_main_path() {
        let ack = "/services/collector/ack";
        for endpoint in
            ["https://s/siem", "https://s/siem/services/collector", "https://s/siem/services/collector/event"]
        {
            assert_eq!(joined(endpoint, EVENT, ack), "https://s/siem/services/collector/ack", "{endpoint}");
        }
    }

    #[test]
    fn a_path_that_does_not_begin_as_the_operators_does_stays_below_the_endpoint() {
        for (endpoint, main_path, path, expected) in [
            ("https://s/tenant-a", "/tenant-a/logs", "/tenant-b/admin", "https://s/tenant-a/tenant-b/admin"),
            ("https://s/tenant-a", "/tenant-a/logs", "/tenant-a/ack", "https://s/tenant-a/ack"),
            ("https://s/x/tenant-a/logs", "/tenant-a/logs", "/admin", "https://s/x/tenant-a/logs/admin"),
            ("https://s/x/in", "/in", "/ack", "https://s/x/ack"),
        ] {
            assert_eq!(joined(endpoint, main_path, path), expected, "{endpoint} {main_path} {path}");
        }
    }

    #[test]
    fn an_empty_path_is_the_endpoint_itself() {
        assert_eq!(joined("https://logstash:8080", "/", "/"), "https://logstash:8080/");
        assert_eq!(joined("https://logstash:8080/in", "/", "/"), "https://logstash:8080/in");
    }

    #[test]
    fn encoded_segments_are_recognised() {
        assert_eq!(joined("https://s/a%20b", "/a b/c", "/a b/c"), "https://s/a%20b/c");
    }

    #[test]
    fn placeholders_are_filled_and_queries_encoded() {
        let group = Group { organization: "acme & co".into(), project: None, producer: "aisg".into() };
        let query =
            [("api-version".to_owned(), "2023-01-01".to_owned()), ("q".to_owned(), "a=b&c d".to_owned())];
        let url = join(
            &Url::parse("https://s").expect("a URL"),
            "/{organization}",
            "/{organization}",
            &query,
            &group,
        );
        assert_eq!(url.as_str(), "https://s/acme%20&%20co?api-version=2023-01-01&q=a%3Db%26c+d");
    }

    #[test]
    fn an_endpoint_with_a_query_a_fragment_or_an_ambiguous_path_is_refused() {
        let check = |url: &str| check(&Url::parse(url).expect(url), &Authentication::None);
        assert_eq!(check("https://s/a/b"), Ok(()));
        assert_eq!(check("https://s/?dd-api-key=1"), Err(EndpointError::Query));
        for url in ["https://s/#f", "https://s/#?f=1", "https://s/?a=1#f"] {
            assert_eq!(check(url), Err(EndpointError::Url(UrlError::Fragment("s".into()))), "{url}");
        }
        assert_eq!(check("https://s/a//b"), Err(EndpointError::Path));
        assert_eq!(check("https://s/a%2Fb"), Err(EndpointError::Path));
    }

    #[test]
    fn the_place_of_a_secret_is_one_whole_segment_and_only_of_the_scheme_that_fills_it() {
        let secret = siemaphore_secrets::SecretReference::Env("SLACK".into());
        let url_path = Authentication::UrlPath { secret };
        for (url, with_secret, without) in [
            ("https://s/services/{secret}", Ok(()), Err(EndpointError::UnusedPlaceForSecret)),
            ("https://s/{secret}/in", Ok(()), Err(EndpointError::UnusedPlaceForSecret)),
            ("https://s/services", Err(EndpointError::NoPlaceForSecret), Ok(())),
            (
                "https://s/{secret}/{secret}",
                Err(EndpointError::NoPlaceForSecret),
                Err(EndpointError::UnusedPlaceForSecret),
            ),
            (
                "https://s/x{secret}/{secret}",
                Err(EndpointError::NoPlaceForSecret),
                Err(EndpointError::UnusedPlaceForSecret),
            ),
            (
                "https://s/key-{secret}",
                Err(EndpointError::NoPlaceForSecret),
                Err(EndpointError::UnusedPlaceForSecret),
            ),
        ] {
            let url = Url::parse(url).expect(url);
            assert_eq!(check(&url, &url_path), with_secret, "{url}");
            assert_eq!(check(&url, &Authentication::None), without, "{url}");
        }
    }

    #[test]
    fn the_place_of_a_secret_stays_before_whatever_a_formatter_asks_for() {
        assert_eq!(joined("https://s/services/{secret}", "/", "/"), "https://s/services/%7Bsecret%7D");
        assert_eq!(joined("https://s/{secret}/in", "/in", "/in"), "https://s/%7Bsecret%7D/in");
    }
}
