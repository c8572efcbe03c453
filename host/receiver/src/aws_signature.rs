//! AWS Signature Version 4 as a service of AWS verifies it: from the request as it came, with the secret that belongs to
//! the access key id.
//!
//! The headers that are signed are those that the client names; host, time, and every `x-amz-` header must be among
//! them.

use http::header::{AUTHORIZATION, HOST};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ring::{digest, hmac};
use thiserror::Error;

use crate::request::Request;
use crate::timestamp::now_ms;

const ALGORITHM: &str = "AWS4-HMAC-SHA256 ";
/// How far the clock of a request may be off.
const CLOCK_SKEW_MS: i64 = 5 * 60 * 1000;

/// The key that a service of AWS believes.
#[derive(Clone, Debug)]
pub struct AwsKey {
    pub region: String,
    pub service: String,
    pub access_key_id: String,
    pub secret_access_key: String,
}

/// Why a signature is not believed.
#[derive(Debug, Error)]
pub(crate) enum SignatureError {
    #[error("Missing Authentication Token")]
    Missing,
    #[error("Authorization header requires Credential, SignedHeaders and Signature")]
    Incomplete,
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    #[error("Credential should be scoped to a valid region and the correct service")]
    WrongScope,
    #[error("Signature expired")]
    Expired,
    #[error("the header {0} is not signed")]
    NotSigned(String),
    #[error("the value of x-amz-content-sha256 is not the digest of the body")]
    WrongDigest,
    #[error("The request signature we calculated does not match the signature you provided.")]
    Mismatch,
}

/// The parts of the header.
struct Claim<'a> {
    credential: Vec<&'a str>,
    signed_headers: Vec<&'a str>,
    names: &'a str,
    signature: &'a str,
}

impl AwsKey {
    pub(crate) fn verify(&self, request: &Request) -> Result<(), SignatureError> {
        let claim = Claim::read(request)?;
        let [id, date, region, service, "aws4_request"] = claim.credential[..] else {
            return Err(SignatureError::Incomplete);
        };
        if id != self.access_key_id {
            return Err(SignatureError::UnknownKey);
        }
        if (region, service) != (&self.region, &self.service) {
            return Err(SignatureError::WrongScope);
        }
        let time = request.header("x-amz-date").unwrap_or_default();
        check_time(time, date)?;
        claim.covers(request)?;
        let digest = hexadecimal(digest::digest(&digest::SHA256, &request.compressed).as_ref());
        if request.header("x-amz-content-sha256") != Some(digest.as_str()) {
            return Err(SignatureError::WrongDigest);
        }
        let canonical = canonical(request, &claim, &digest);
        let canonical = hexadecimal(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let scope = [date, region, service, "aws4_request"].join("/");
        let to_sign = ["AWS4-HMAC-SHA256", time, &scope, &canonical].join("\n");
        let mut key = format!("AWS4{}", self.secret_access_key).into_bytes();
        for part in [date, region, service, "aws4_request"] {
            key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
        }
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), to_sign.as_bytes());
        match hexadecimal(signature.as_ref()) == claim.signature {
            true => Ok(()),
            false => Err(SignatureError::Mismatch),
        }
    }
}

impl<'a> Claim<'a> {
    fn read(request: &'a Request) -> Result<Claim<'a>, SignatureError> {
        let header = request.header(AUTHORIZATION).ok_or(SignatureError::Missing)?;
        let parts = header.strip_prefix(ALGORITHM).ok_or(SignatureError::Incomplete)?;
        let part = |name: &str| {
            let found = parts.split(',').find_map(|part| part.trim().strip_prefix(name));
            found.ok_or(SignatureError::Incomplete)
        };
        let names = part("SignedHeaders=")?;
        Ok(Claim {
            credential: part("Credential=")?.split('/').collect(),
            signed_headers: names.split(';').collect(),
            names,
            signature: part("Signature=")?,
        })
    }

    /// In order, and with all that must be signed.
    fn covers(&self, request: &Request) -> Result<(), SignatureError> {
        if !self.signed_headers.is_sorted() {
            return Err(SignatureError::Incomplete);
        }
        let amazons =
            request.headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("x-amz-"));
        let missing =
            [HOST.as_str()].into_iter().chain(amazons).find(|name| !self.signed_headers.contains(name));
        missing.map_or(Ok(()), |name| Err(SignatureError::NotSigned(name.to_owned())))
    }
}

/// `20150830T123600Z`, of the day of the credential.
fn check_time(time: &str, date: &str) -> Result<(), SignatureError> {
    let parsed = DateTime::strptime("%Y%m%dT%H%M%SZ", time).ok();
    let parsed =
        parsed.and_then(|time| TimeZone::UTC.to_timestamp(time).ok()).ok_or(SignatureError::Incomplete)?;
    let off_ms = parsed.as_millisecond().saturating_sub(now_ms()).abs();
    if off_ms > CLOCK_SKEW_MS || !time.starts_with(date) { Err(SignatureError::Expired) } else { Ok(()) }
}

fn canonical(request: &Request, claim: &Claim<'_>, digest: &str) -> String {
    let mut pairs: Vec<&str> = request.query.split('&').filter(|pair| !pair.is_empty()).collect();
    // By name: a whole pair would sort its `=` among the characters of longer names.
    pairs.sort_by_key(|pair| pair.split_once('='));
    let value = |name: &&str| {
        let words = request.header(*name).unwrap_or_default().split_ascii_whitespace();
        format!("{name}:{}\n", words.collect::<Vec<_>>().join(" "))
    };
    let headers: String = claim.signed_headers.iter().map(value).collect();
    [request.method.as_str(), &path(&request.path), &pairs.join("&"), &headers, claim.names, digest]
        .join("\n")
}

/// Encoded once more, as every service but S3 wants it.
fn path(path: &str) -> String {
    let encode = |byte: u8| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    path.bytes().map(encode).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
