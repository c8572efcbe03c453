//! AWS Signature Version 4, in the `Authorization` header.
//!
//! The query is sent as it is signed: AWS reads a space only from `%20`. The path is signed encoded once more, as every
//! service but S3 wants it.

use std::time::SystemTime;

use http::HeaderName;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ring::{digest, hmac};
use siemaphore_http::Request;
use siemaphore_secrets::Secret;
use url::Url;
use zeroize::Zeroizing;

use super::{Message, set_header};
use crate::attempt_error::AttemptError;
use crate::message_id::hexadecimal;

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const SESSION_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
pub(super) const HEADERS: [HeaderName; 4] = [AUTHORIZATION, DATE, CONTENT_DIGEST, SESSION_TOKEN];

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Who signs, and for which service.
pub(super) struct Signer<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) access_key_id: &'a str,
    pub(super) secret: &'a Secret,
    /// Of temporary credentials.
    pub(super) session_token: Option<&'a Secret>,
}

pub(super) fn apply(
    signer: &Signer<'_>,
    message: &Message<'_>,
    request: &mut Request,
) -> Result<Vec<Secret>, AttemptError> {
    let digest = hexadecimal(digest::digest(&digest::SHA256, &request.body).as_ref());
    set_header(request, &CONTENT_DIGEST, &digest)?;
    if let Some(token) = signer.session_token {
        set_header(request, &SESSION_TOKEN, token.expose())?;
    }
    let signature = signer.sign(request, message.now, &digest)?;
    Ok([signature].into_iter().chain(signer.session_token.cloned()).collect())
}

impl Signer<'_> {
    /// Signs the host, the type of the body and all `x-amz-` headers.
    fn sign(&self, request: &mut Request, now: SystemTime, digest: &str) -> Result<Secret, AttemptError> {
        let unusable_clock =
            |_| AttemptError::request("this machine's clock is far off".to_owned(), "set the clock");
        let time = Timestamp::try_from(now).map_err(unusable_clock)?.strftime("%Y%m%dT%H%M%SZ").to_string();
        set_header(request, &DATE, &time)?;
        let query = canonical_query(&request.url);
        request.url.set_query((!query.is_empty()).then_some(query.as_str()));
        let headers = signed_headers(request);
        let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let path = canonical_path(&request.url, self.service);
        let canonical = format!("{}\n{path}\n{query}\n{lines}\n{names}\n{digest}", request.method);
        let date = time.get(..8).unwrap_or_default();
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let canonical = hexadecimal(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{canonical}");
        let signature = Zeroizing::new(hexadecimal(hmac::sign(&self.key(date), to_sign.as_bytes()).as_ref()));
        let value = Zeroizing::new(format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            self.access_key_id,
            signature.as_str()
        ));
        set_header(request, &AUTHORIZATION, &value)?;
        Ok(Secret::new(&signature))
    }

    /// Of one day, region and service.
    fn key(&self, date: &str) -> hmac::Key {
        let first = Zeroizing::new(format!("AWS4{}", self.secret.expose()));
        let first = hmac::Key::new(hmac::HMAC_SHA256, first.as_bytes());
        [date, self.region, self.service, "aws4_request"].iter().fold(first, |key, part| {
            hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref())
        })
    }
}

/// By name, with the spaces in their values as AWS reads them.
fn signed_headers(request: &Request) -> Vec<(String, String)> {
    let mut headers = vec![(HOST.to_string(), host(&request.url))];
    for (name, value) in &request.headers {
        if *name == CONTENT_TYPE || name.as_str().starts_with("x-amz-") {
            let value = String::from_utf8_lossy(value.as_bytes());
            let value = value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            headers.push((name.to_string(), value));
        }
    }
    headers.sort();
    headers
}

/// As the client sends it: with the port when it is not the usual one.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn canonical_path(url: &Url, service: &str) -> String {
    let segments = url.path().split('/').map(|segment| match service {
        "s3" => encoded(&percent_decode_str(segment).decode_utf8_lossy()),
        _ => encoded(segment),
    });
    segments.collect::<Vec<_>>().join("/")
}

fn canonical_query(url: &Url) -> String {
    let mut pairs: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (encoded(&name), encoded(&value))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::super::tests_support::{header, request};
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// Signs as the published test suite of AWS does: 2015-08-30T12:36:00Z, us-east-1.
    fn signed(service: &str, access_key_id: &str, request: &mut Request) -> String {
        let secret = Secret::new(SECRET);
        let signer =
            Signer { region: "us-east-1", service, access_key_id, secret: &secret, session_token: None };
        let now = "2015-08-30T12:36:00Z".parse::<Timestamp>().expect("a time").into();
        let digest = hexadecimal(digest::digest(&digest::SHA256, &request.body).as_ref());
        signer.sign(request, now, &digest).expect("signed");
        header(request, "authorization").to_owned()
    }

    fn of_suite(method: Method, url: &str) -> String {
        let mut request = Request { method, ..request(url, "") };
        let authorization = signed("service", "AKIDEXAMPLE", &mut request);
        let start = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature=";
        authorization.strip_prefix(start).expect("the same start").to_owned()
    }

    #[test]
    fn the_published_suite_is_signed_as_it_says() {
        for (method, url, expected) in [
            // get-vanilla
            (
                Method::GET,
                "https://example.amazonaws.com/",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            // post-vanilla
            (
                Method::POST,
                "https://example.amazonaws.com/",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            // get-vanilla-query-order-key-case
            (
                Method::GET,
                "https://example.amazonaws.com/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ] {
            assert_eq!(of_suite(method, url), expected, "{url}");
        }
    }

    /// The example of the documentation, "Signature Version 4 signing process": ListUsers of IAM.
    #[test]
    fn the_example_of_the_documentation_is_signed_as_it_says() {
        let mut request = Request {
            method: Method::GET,
            ..request("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", "")
        };
        let content_type = "application/x-www-form-urlencoded; charset=utf-8".parse().expect("a type");
        request.headers.insert(CONTENT_TYPE, content_type);
        assert_eq!(
            signed("iam", "AKIDEXAMPLE", &mut request),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    #[test]
    fn the_query_is_sent_as_it_is_signed_and_the_path_signed_as_it_is_sent() {
        let mut request = request("https://logs.example.com:8443/a%20b/c=d?q=x+y&b=%C3%BC&b=", "{}");
        signed("logs", "AKIDEXAMPLE", &mut request);
        assert_eq!(request.url.query(), Some("b=&b=%C3%BC&q=x%20y"));
        assert_eq!(request.url.path(), "/a%20b/c=d");
        assert_eq!(canonical_path(&request.url, "logs"), "/a%2520b/c%3Dd");
        assert_eq!(canonical_path(&request.url, "s3"), "/a%20b/c%3Dd");
        assert_eq!(host(&request.url), "logs.example.com:8443");
    }

    #[test]
    fn the_body_and_a_session_token_are_signed_and_kept_secret() {
        let (secret, token) = (Secret::new(SECRET), Secret::new("session-token-1"));
        let signer = Signer {
            region: "eu-west-1",
            service: "logs",
            access_key_id: "AKIDEXAMPLE",
            secret: &secret,
            session_token: Some(&token),
        };
        let mut request = request("https://logs.eu-west-1.amazonaws.com/", "{}");
        let message = Message { id: None, now: SystemTime::UNIX_EPOCH };
        let secrets = apply(&signer, &message, &mut request).expect("signed");
        assert_eq!(secrets.len(), 2);
        assert_eq!(
            header(&request, "x-amz-content-sha256"),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
        assert_eq!(header(&request, "x-amz-security-token"), "session-token-1");
        let signed = "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,";
        assert!(header(&request, "authorization").contains(signed));
        assert_eq!(header(&request, "x-amz-date"), "19700101T000000Z");
    }
}
