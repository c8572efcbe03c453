//! Whatever a formatter asks for and whatever stands in events: a request goes to the operator's endpoint.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::grant::tests_support::profile;

/// Pieces that mean something to somebody on the way of a request.
const PIECES: [&str; 44] = [
    "a",
    "in",
    "services",
    "collector",
    "event",
    "/",
    "//",
    "..",
    ".",
    "...",
    "../",
    "/..",
    "..;",
    ";",
    "%",
    "%2f",
    "%2F",
    "%2e",
    "%2e%2e",
    "%5c",
    "%25",
    "%252f",
    "%00",
    "\\",
    "@",
    ":",
    "#",
    "?",
    "&",
    "=",
    "+",
    " ",
    "\t",
    "\r\n",
    "\0",
    "\u{ff0f}",
    "\u{2215}",
    "\u{2025}",
    "\u{ff0e}",
    "ü",
    "{organization}",
    "{project}",
    "{producer}",
    "evil.example.com",
];

const ENDPOINTS: [&str; 8] = [
    "https://siem.example.com",
    "https://siem.example.com:8088/",
    "https://siem.example.com/a",
    "https://siem.example.com/in/a/",
    "https://siem.example.com/services/collector/event",
    "https://[2600::1]:8443/services/collector",
    "https://203.0.113.7/%7Ba%7D/in",
    "http://localhost:9000/x",
];

fn text() -> impl Strategy<Value = String> {
    vec(select(&PIECES[..]), 0..8).prop_map(|pieces| pieces.concat())
}

/// Mostly what is granted, so that the properties have something to hold for.
fn path() -> impl Strategy<Value = String> {
    let segments = vec(
        select(
            &["a", "in", "services", "collector", "event", "x;y", "a b", "{organization}", "v-{project}"][..],
        ),
        0..5,
    );
    prop_oneof![
        segments.prop_map(|segments| format!("/{}", segments.join("/"))),
        text().prop_map(|text| format!("/{text}")),
        text(),
    ]
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((text(), text()), 0..3)
}

const NAMES: [&str; 8] =
    ["X-Channel", "Host", "AUTHORIZATION", "cookie", "X_Forwarded_Host", "x-original-url", "a b", "x\r\ny"];

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((select(&NAMES[..]).prop_map(str::to_owned), text()), 0..2)
}

prop_compose! {
    fn asked()(
        path in path(), follow_up in path(), probe in path(), query in pairs(), probe_query in pairs(), headers in headers(),
    ) -> RequestProfile {
        RequestProfile {
            path,
            query,
            headers,
            follow_up_path: Some(follow_up),
            probe: Some(Probe { get: true, path: probe, query: probe_query, body: Vec::new() }),
            ..profile()
        }
    }
}

prop_compose! {
    fn group()(organization in text(), project in proptest::option::of(text()), producer in text()) -> Group {
        Group { organization, project, producer }
    }
}

/// The requests that a granted profile can lead to.
fn heads(
    granted: &GrantedProfile,
    endpoint: &Url,
    group: &Group,
    query: Vec<(String, String)>,
) -> [RequestHead; 3] {
    let pending = Pending { after_ms: 0, query, body: Vec::new(), state: Vec::new() };
    [
        granted.head(endpoint, group),
        granted.follow_up_head(endpoint, group, &pending).expect("it has a path"),
        granted.probe_head(endpoint, group).expect("it has a probe"),
    ]
}

/// What the operator's path leads to, without its last segment: where the resource lies that was named.
fn folder(endpoint: &Url) -> &str {
    let path = endpoint.path().trim_end_matches('/');
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn check_url(url: &Url, endpoint: &Url) {
    assert_eq!(
        (url.scheme(), url.host(), url.port_or_known_default()),
        (endpoint.scheme(), endpoint.host(), endpoint.port_or_known_default()),
    );
    assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None), "{url}");
    let folder = folder(endpoint);
    let is_below = url.path() == folder || url.path().starts_with(&format!("{folder}/"));
    assert!(is_below, "{url} is not below {endpoint}");
    let path = url.path().to_ascii_lowercase();
    for hidden in ["%2f", "%5c", "%2e", "%00", "%0d", "%0a", "\\", "//"] {
        assert!(!path.contains(hidden), "{hidden} in {url}");
    }
    for segment in path.split('/').skip(1) {
        let name = percent_encoding::percent_decode_str(segment.split(';').next().unwrap_or_default());
        let name = name.decode_utf8().expect("UTF-8").trim().to_owned();
        assert!(path == "/" || !name.chars().all(|character| character == '.'), "{segment} in {url}");
    }
    // What is sent is read as what was meant.
    assert_eq!(&Url::parse(url.as_str()).expect("a URL"), url);
}

fn check_head(head: &RequestHead, endpoint: &Url, authentication: &Authentication) {
    check_url(&head.url, endpoint);
    for (name, value) in &head.headers {
        assert!(value.as_bytes().iter().all(|byte| matches!(byte, b' '..=b'~')), "{name}: {value:?}");
        assert!(name == "content-type" || name == "x-channel", "{name} was granted");
        assert!(!authentication.headers().contains(name));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn a_granted_request_stays_at_the_endpoint(
        asked in asked(), group in group(), query in pairs(), endpoint in select(&ENDPOINTS[..]),
    ) {
        let endpoint = Url::parse(endpoint).expect("a URL");
        let Ok(granted) = GrantedProfile::check(&asked, &Authentication::None, &endpoint) else { return Ok(()) };
        for head in heads(&granted, &endpoint, &group, query) {
            check_head(&head, &endpoint, &Authentication::None);
        }
        prop_assert!(granted.head(&endpoint, &group).url.path().starts_with(endpoint.path().trim_end_matches('/')));
    }

    #[test]
    fn no_value_of_an_event_changes_where_a_request_goes(group in group(), endpoint in select(&ENDPOINTS[..])) {
        let endpoint = Url::parse(endpoint).expect("a URL");
        let asked = RequestProfile {
            path: "/in/{organization}/.{project}/{producer}".to_owned(),
            follow_up_path: Some("/in/{project}".to_owned()),
            probe: Some(Probe { get: true, path: "/{producer}".to_owned(), query: Vec::new(), body: Vec::new() }),
            headers: vec![("X-Channel".to_owned(), "{organization}{project}{producer}".to_owned())],
            ..profile()
        };
        let granted = GrantedProfile::check(&asked, &Authentication::None, &endpoint).expect("granted");
        let plain = Group { organization: "o".into(), project: Some("p".into()), producer: "q".into() };
        let usual = heads(&granted, &endpoint, &plain, Vec::new());
        for (head, usual) in heads(&granted, &endpoint, &group, Vec::new()).iter().zip(&usual) {
            check_head(head, &endpoint, &Authentication::None);
            let segments = |head: &RequestHead| head.url.path().split('/').count();
            prop_assert_eq!(segments(head), segments(usual), "{} has other segments than {}", &head.url, &usual.url);
            prop_assert_eq!(head.url.query(), None);
        }
    }
}
