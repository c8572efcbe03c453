//! Whether a URL may be used at all: asked when a configuration is read, so that the operator hears of it at once, and
//! again before each request.

use std::net::IpAddr;

use thiserror::Error;
use url::{Host, Url};

use crate::egress::{self, EgressPolicy, RefusedAddress};

/// A URL that is not used. Shows the host at most: some SIEMs keep their secret in the path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UrlError {
    #[error("the URL has the scheme `{0}`")]
    Scheme(String),
    #[error("the URL of {0} is not encrypted (http)")]
    Plaintext(String),
    #[error("the URL of {0} is not encrypted (http) and its host is not this machine")]
    PlaintextElsewhere(String),
    #[error("the URL has no host")]
    NoHost,
    #[error("the URL of {0} holds a user name or a password")]
    UserInfo(String),
    #[error("the URL of {0} has a fragment (#)")]
    Fragment(String),
    #[error(transparent)]
    Refused(#[from] RefusedAddress),
}

impl UrlError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            UrlError::Scheme(_) | UrlError::NoHost => "write a whole URL that begins with https://",
            UrlError::Plaintext(_) => {
                "use https://; for a receiver on this machine, set allow_plaintext and use a loopback address"
            }
            UrlError::PlaintextElsewhere(_) => {
                "use https://: allow_plaintext is for 127.0.0.1, [::1] and localhost only"
            }
            UrlError::UserInfo(_) => {
                "take it out of the URL and configure basic authentication with a secret reference"
            }
            UrlError::Fragment(_) => "take the # and what follows out of the URL",
            UrlError::Refused(refused) => refused.hint(),
        }
    }
}

/// Checks all that a URL says without asking the network. A host name is checked when it is dialled.
///
/// Addresses in odd spellings (`0x7f.1`, `2130706433`, `0177.0.0.1`) are no special case: parsing a URL turns them
/// into the address that they mean.
pub fn check_url(url: &Url, policy: &EgressPolicy, allow_plaintext: bool) -> Result<(), UrlError> {
    let host = url.host().ok_or(UrlError::NoHost)?;
    let name = host.to_string();
    match url.scheme() {
        "https" => {}
        "http" if !allow_plaintext => return Err(UrlError::Plaintext(name)),
        "http" if !is_this_machine(&host) => return Err(UrlError::PlaintextElsewhere(name)),
        "http" => {}
        other => return Err(UrlError::Scheme(other.to_owned())),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::UserInfo(name));
    }
    if url.fragment().is_some() {
        return Err(UrlError::Fragment(name));
    }
    if let Some(address) = literal(&host) {
        egress::check(address, policy)?;
    }
    Ok(())
}

fn literal<T>(host: &Host<T>) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(v4) => Some(IpAddr::V4(*v4)),
        Host::Ipv6(v6) => Some(IpAddr::V6(*v6)),
    }
}

/// `localhost` counts because the resolver takes nothing but loopback addresses for it.
fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_localhost(name),
        Host::Ipv4(v4) => v4.is_loopback(),
        Host::Ipv6(v6) => v6.is_loopback(),
    }
}

/// `localhost` and the names below it, which are reserved for this machine.
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || name.rsplit_once('.').is_some_and(|(_, last)| last.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str, policy: &EgressPolicy, allow_plaintext: bool) -> Result<(), UrlError> {
        check_url(&Url::parse(url).expect(url), policy, allow_plaintext)
    }

    #[test]
    fn https_is_the_rule() {
        let policy = EgressPolicy::default();
        assert_eq!(checked("https://splunk.example.com:8088/services", &policy, false), Ok(()));
        assert_eq!(checked("https://8.8.8.8/", &policy, false), Ok(()));
        let host = || "splunk.example.com".to_owned();
        assert_eq!(checked("http://splunk.example.com", &policy, false), Err(UrlError::Plaintext(host())));
        assert_eq!(
            checked("http://splunk.example.com", &policy, true),
            Err(UrlError::PlaintextElsewhere(host()))
        );
        assert_eq!(checked("ftp://splunk.example.com", &policy, true), Err(UrlError::Scheme("ftp".into())));
        assert_eq!(checked("file:///etc/passwd", &policy, true), Err(UrlError::NoHost));
    }

    #[test]
    fn plain_http_needs_the_switch_a_loopback_host_and_an_open_range() {
        let open = EgressPolicy::loopback();
        for url in
            ["http://127.0.0.1:9000/", "http://[::1]:9000/", "http://localhost:9000/", "http://a.localhost./"]
        {
            assert_eq!(checked(url, &open, true), Ok(()), "{url}");
            assert!(checked(url, &open, false).is_err(), "{url}");
        }
        assert!(checked("http://127.0.0.1:9000/", &EgressPolicy::default(), true).is_err());
        assert!(checked("http://localhost.example.com/", &open, true).is_err());
        assert!(checked("http://notlocalhost/", &open, true).is_err());
    }

    #[test]
    fn an_odd_spelling_of_an_address_is_the_address() {
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://%31%32%37.0.0.1/",
            "https://１２７.0.0.1/",
            "https://0xa9.0xfe.0xa9.0xfe/",
            "https://[::ffff:7f00:1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://0/",
        ] {
            let answer = checked(url, &EgressPolicy::default(), false);
            assert!(matches!(answer, Err(UrlError::Refused(_))), "{url}: {answer:?}");
        }
    }

    #[test]
    fn credentials_in_a_url_are_refused_and_not_repeated() {
        let error = checked("https://admin:hunter2@splunk.example.com/", &EgressPolicy::default(), false)
            .expect_err("it has credentials");
        assert_eq!(error, UrlError::UserInfo("splunk.example.com".into()));
        assert!(!format!("{error} {error:?} {}", error.hint()).contains("hunter2"));
    }

    #[test]
    fn a_fragment_is_refused() {
        let error = checked("https://splunk.example.com/#top", &EgressPolicy::default(), false);
        assert_eq!(error, Err(UrlError::Fragment("splunk.example.com".into())));
    }
}
