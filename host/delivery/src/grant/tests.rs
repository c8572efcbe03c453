use http::HeaderName;
use siemaphore_model::formatter::{Limits, Method as ProfileMethod};
use siemaphore_secrets::SecretReference;

use super::tests_support::profile;
use super::*;

fn endpoint() -> Url {
    Url::parse("https://splunk.example.com:8088").expect("a URL")
}

fn api_key() -> Authentication {
    Authentication::Header {
        header: HeaderName::from_static("dd-api-key"),
        prefix: String::new(),
        secret: SecretReference::Env("KEY".into()),
    }
}

fn checked(change: impl FnOnce(&mut RequestProfile)) -> Result<GrantedProfile, GrantError> {
    let mut profile = profile();
    change(&mut profile);
    GrantedProfile::check(&profile, &api_key(), &endpoint())
}

fn with_header(name: &str, value: &str) -> Result<GrantedProfile, GrantError> {
    checked(|profile| profile.headers = vec![(name.into(), value.into())])
}

fn group() -> Group {
    Group { organization: "acme".into(), project: Some("chat".into()), producer: "aisg".into() }
}

fn with_field(asked: &RequestProfile) -> Result<GrantedProfile, GrantError> {
    let secret = SecretReference::Env("KEY".into());
    let authentication = Authentication::BodyField { field: "routing_key".into(), secret };
    GrantedProfile::check(asked, &authentication, &Url::parse("https://s").expect("a URL"))
}

#[test]
fn a_secret_in_the_body_needs_one_plain_object_per_request_and_room() {
    let plain = RequestProfile { framing: Framing::OnePerRequest, compression: Vec::new(), ..profile() };
    let limits = Limits { records: 1, body_bytes: 5000, record_bytes: 5000 };
    let granted = with_field(&RequestProfile { limits, ..plain.clone() }).expect("granted");
    assert_eq!(granted.profile().limits.body_bytes, 5000 - 1024);
    let tight = Limits { body_bytes: 1024, ..limits };
    for (asked, words) in [
        (RequestProfile { limits, ..profile() }, "several events"),
        (RequestProfile { limits, compression: vec![Compression::Gzip], ..plain.clone() }, "compression"),
        (RequestProfile { limits: tight, ..plain }, "no room"),
    ] {
        let error = with_field(&asked).expect_err(words);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn the_summary_is_the_whole_request_line_with_the_names_of_placeholders() {
    let granted = checked(|profile| {
        profile.path = "/in/{organization}/a b".into();
        profile.query = vec![("api-version".into(), "2023-01-01".into()), ("q".into(), "{x}".into())];
    });
    assert_eq!(
        granted.expect("granted").summary(),
        "POST https://splunk.example.com:8088/in/{organization}/a%20b?api-version=2023-01-01&q=%7Bx%7D"
    );
}

#[test]
fn the_head_of_a_request_is_filled_for_its_group() {
    let granted = checked(|profile| {
        profile.path = "/in/{project}".into();
        profile.headers = vec![("X-Tenant".into(), "{organization}/{producer} é".into())];
    })
    .expect("granted");
    let head = granted.head(&endpoint(), &group());
    assert_eq!((head.method, head.url.path()), (Method::POST, "/in/chat"));
    assert_eq!(head.headers["x-tenant"], "acme/aisg %C3%A9");
    assert_eq!(head.headers["content-type"], "application/json");
    assert_eq!(granted.grouping(), Grouping { organization: true, project: true, producer: true });
}

#[test]
fn without_placeholders_nothing_is_grouped() {
    assert_eq!(checked(|_| ()).expect("granted").grouping(), Grouping::default());
}

#[test]
fn a_value_of_an_event_cannot_add_a_header() {
    let granted = with_header("X-Project", "{project}").expect("granted");
    let group = Group { project: Some("a\r\nAuthorization: x".into()), ..group() };
    assert_eq!(granted.head(&endpoint(), &group).headers["x-project"], "a%0D%0AAuthorization: x");
}

#[test]
fn gzip_is_used_when_the_siem_takes_it() {
    assert_eq!(checked(|_| ()).expect("granted").compression(), Some(Compression::Gzip));
    let zstd = checked(|profile| profile.compression = vec![Compression::Zstd]).expect("granted");
    assert_eq!(zstd.compression(), None);
}

#[test]
fn headers_of_the_host_are_refused_in_any_spelling() {
    for name in [
        "Host",
        "authorization",
        "COOKIE",
        "Proxy-Authorization",
        "proxy-connection",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Content-Length",
        "Content-Encoding",
        "Content-Type",
        "Accept-Encoding",
    ] {
        assert_eq!(with_header(name, "x"), Err(GrantError::RefusedHeader(name.into())), "{name}");
    }
    assert!(with_header("X-Splunk-Request-Channel", "{producer}").is_ok());
}

#[test]
fn the_header_of_the_credential_is_refused_whichever_it_is() {
    assert_eq!(with_header("DD-Api-Key", "x"), Err(GrantError::CredentialHeader("DD-Api-Key".into())));
    let mut profile = profile();
    profile.headers = vec![("Authorization".into(), "x".into())];
    let bearer = Authentication::Bearer { secret: SecretReference::Env("KEY".into()) };
    let error = GrantedProfile::check(&profile, &bearer, &endpoint()).expect_err("it is the credential's");
    assert_eq!(error, GrantError::CredentialHeader("Authorization".into()));
}

#[test]
fn headers_that_are_none_are_refused() {
    assert!(matches!(with_header("bad name", "x"), Err(GrantError::BadHeader(_))));
    assert!(matches!(with_header("", "x"), Err(GrantError::BadHeader(_))));
    assert!(matches!(with_header("x-a\r\nhost", "x"), Err(GrantError::BadHeader(_))));
    assert!(matches!(with_header("x-a", "{tenant}"), Err(GrantError::HeaderPlaceholder { .. })));
    let twice =
        checked(|profile| profile.headers = vec![("x-a".into(), "1".into()), ("X-A".into(), "2".into())]);
    assert_eq!(twice, Err(GrantError::RepeatedHeader("X-A".into())));
    let many = checked(|profile| {
        profile.headers = (0..=MAX_HEADERS).map(|number| (format!("x-{number}"), String::new())).collect();
    });
    assert!(matches!(many, Err(GrantError::TooMany { .. })));
    assert!(matches!(with_header("x-a", &"v".repeat(MAX_TEXT_BYTES + 1)), Err(GrantError::TooLong(_))));
    let content_type = checked(|profile| profile.content_type = "a\r\nb".into());
    assert!(matches!(content_type, Err(GrantError::ContentType(_))));
}

#[test]
fn methods_paths_and_limits_have_rules() {
    assert_eq!(checked(|profile| profile.method = ProfileMethod::Get), Err(GrantError::Method("GET")));
    assert!(matches!(checked(|profile| profile.path = "/../x".into()), Err(GrantError::Path(_))));
    let follow_up = checked(|profile| profile.follow_up_path = Some("//evil.example.com".into()));
    assert!(matches!(follow_up, Err(GrantError::Path(_))));
    for (name, limits) in [
        ("records", Limits { records: 0, body_bytes: 1, record_bytes: 1 }),
        ("body-bytes", Limits { records: 1, body_bytes: 0, record_bytes: 1 }),
        ("record-bytes", Limits { records: 1, body_bytes: 1, record_bytes: 0 }),
    ] {
        assert_eq!(checked(|profile| profile.limits = limits), Err(GrantError::ZeroLimit(name)));
    }
    let no_room = checked(|profile| {
        profile.framing = Framing::JsonArray;
        profile.limits.body_bytes = 2;
    });
    assert_eq!(no_room, Err(GrantError::NoRoom(2)));
}

#[test]
fn a_probe_has_the_rules_of_a_request() {
    let probe = |path: &str, get| Probe { get, path: path.into(), query: Vec::new(), body: Vec::new() };
    let refused = checked(|profile| profile.probe = Some(probe("/a/../b", true)));
    assert!(matches!(refused, Err(GrantError::Path(_))));
    let granted = checked(|profile| profile.probe = Some(probe("/services/collector/health", true)));
    let granted = granted.expect("granted");
    let pasted = Url::parse("https://s/services/collector/event").expect("a URL");
    let head = granted.probe_head(&pasted, &group()).expect("it has a probe");
    assert_eq!((head.method, head.url.as_str()), (Method::GET, "https://s/services/collector/health"));
    let told = "GET https://splunk.example.com:8088/services/collector/health";
    assert_eq!(granted.probe_summary(), Some(told));
    assert_eq!(checked(|profile| profile.probe = None).expect("granted").probe_summary(), None);
    let large = checked(|profile| {
        profile.probe = Some(Probe { body: vec![0; MAX_PROBE_BYTES + 1], ..probe("/", false) });
    });
    assert_eq!(large, Err(GrantError::ProbeBody));
}

#[test]
fn an_endpoint_with_a_query_is_refused() {
    let endpoint = Url::parse("https://s/?key=1").expect("a URL");
    let error =
        GrantedProfile::check(&profile(), &Authentication::None, &endpoint).expect_err("it has a query");
    assert_eq!(error, GrantError::Endpoint(EndpointError::Query));
}
