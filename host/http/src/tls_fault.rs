//! What is wrong between two TLS stacks, in words for the operator of the server.
//!
//! The libraries name the rule that was broken. People who made a certificate by hand need to know which certificate
//! breaks it and how to make a better one.

use rustls::{AlertDescription, CertificateError};
use thiserror::Error;

use crate::pin::{CertificatePin, NotPinned};

/// Why there is no TLS connection. All of these need somebody to change something.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlsFault {
    #[error("its certificate is from an authority that is not trusted")]
    UnknownIssuer,
    #[error("its certificate is for another name ({0})")]
    WrongName(String),
    #[error("its certificate has expired")]
    Expired,
    #[error("its certificate is not valid yet")]
    NotYetValid,
    #[error("its certificate was revoked")]
    Revoked,
    /// What `openssl req -x509` makes unless told otherwise.
    #[error("its certificate is that of an authority (CA:TRUE), which no server may use")]
    AuthorityAsServer,
    /// What `openssl x509 -req` makes without a file of extensions.
    #[error("its certificate is X.509 version 1")]
    OldVersion,
    #[error("its certificate is not for servers")]
    NotForServers,
    #[error("the signature of its certificate does not fit the authority that is named there")]
    BadSignature,
    #[error("its certificate is signed with an algorithm or a key that is not supported")]
    UnsupportedSignature,
    /// The key that was seen, as a pin.
    #[error("its key is not one of the pinned ones: it is {0}")]
    NotPinned(CertificatePin),
    #[error("its certificate cannot be used ({0})")]
    Certificate(String),
    #[error("it does not answer in TLS")]
    NotTls,
    #[error("it demands a client certificate")]
    ClientCertificateDemanded,
    #[error("it does not take the client certificate ({0})")]
    ClientCertificateRefused(&'static str),
    /// No common version or cipher suite, or the other side broke the handshake off.
    #[error("the handshake did not succeed ({0})")]
    Handshake(String),
}

impl TlsFault {
    pub(crate) fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(certificate) => Self::of_certificate(certificate),
            rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => TlsFault::NotTls,
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            other => TlsFault::Handshake(other.to_string()),
        }
    }

    /// What the server said when it ended the handshake.
    fn of_alert(alert: AlertDescription) -> Self {
        use AlertDescription as Alert;
        TlsFault::ClientCertificateRefused(match alert {
            Alert::CertificateRequired | Alert::NoCertificate => return TlsFault::ClientCertificateDemanded,
            Alert::BadCertificate => "it calls it bad",
            Alert::UnsupportedCertificate => "it does not support its kind",
            Alert::CertificateRevoked => "it calls it revoked",
            Alert::CertificateExpired => "it calls it expired",
            Alert::CertificateUnknown => "it gives no reason",
            Alert::UnknownCA => "it does not know its authority",
            Alert::AccessDenied => "it gives it no access",
            Alert::DecryptError => "its signature does not fit",
            other => return TlsFault::Handshake(rustls::Error::AlertReceived(other).to_string()),
        })
    }

    #[allow(deprecated, reason = "a verifier may still use the variants without context")]
    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => TlsFault::UnknownIssuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFault::WrongName(error.to_string())
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TlsFault::NotYetValid
            }
            CertificateError::Revoked => TlsFault::Revoked,
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                TlsFault::NotForServers
            }
            CertificateError::BadSignature => TlsFault::BadSignature,
            CertificateError::UnsupportedSignatureAlgorithm
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                TlsFault::UnsupportedSignature
            }
            CertificateError::Other(other) => {
                let rule = other.0.downcast_ref::<webpki::Error>();
                match (rule, other.0.downcast_ref::<NotPinned>()) {
                    (Some(rule), _) => Self::of_rule(rule),
                    (None, Some(pin)) => TlsFault::NotPinned(pin.seen),
                    (None, None) => TlsFault::Certificate(other.0.to_string()),
                }
            }
            other => TlsFault::Certificate(other.to_string()),
        }
    }

    /// The rules that the TLS library has no words of its own for.
    fn of_rule(rule: &webpki::Error) -> Self {
        let words = match rule {
            webpki::Error::CaUsedAsEndEntity => return TlsFault::AuthorityAsServer,
            webpki::Error::UnsupportedCertVersion => return TlsFault::OldVersion,
            webpki::Error::EmptyEkuExtension => return TlsFault::NotForServers,
            webpki::Error::EndEntityUsedAsCa => "the certificate that issued it is not that of an authority",
            webpki::Error::PathLenConstraintViolated => {
                "one of its authorities allows fewer authorities below it than there are"
            }
            webpki::Error::NameConstraintViolation => "its authority may not issue certificates for its name",
            webpki::Error::UnsupportedCriticalExtension => {
                "it has a critical extension that is not known here"
            }
            webpki::Error::InvalidSerialNumber => "its serial number is negative or too long",
            webpki::Error::SignatureAlgorithmMismatch => "it names two algorithms for one signature",
            webpki::Error::MalformedExtensions | webpki::Error::ExtensionValueInvalid => {
                "one of its extensions is malformed"
            }
            other => return TlsFault::Certificate(other.to_string()),
        };
        TlsFault::Certificate(words.to_owned())
    }

    /// What the operator can do.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            TlsFault::UnknownIssuer => {
                "name a CA file with the certificate of the authority that issued it as `ca_file`"
            }
            TlsFault::WrongName(_) => {
                "use the name that is in the certificate as the endpoint's host, or issue a certificate for this one"
            }
            TlsFault::Expired => "renew the server's certificate, and check this machine's clock",
            TlsFault::NotYetValid => "check this machine's clock and the server's certificate",
            TlsFault::AuthorityAsServer => {
                "issue the server a certificate with CA:FALSE: with openssl req -x509, add -addext basicConstraints=critical,CA:FALSE and -addext subjectAltName=DNS:NAME"
            }
            TlsFault::OldVersion => {
                "issue a version 3 certificate, with its extensions such as subjectAltName: openssl x509 -req takes them from -extfile"
            }
            TlsFault::NotForServers => {
                "issue the server a certificate with the extended key usage serverAuth, or without any"
            }
            TlsFault::BadSignature => {
                "check that the CA file holds the authority's present certificate, not an earlier one of the same name, and that its RSA keys have 2048 bits or more"
            }
            TlsFault::UnsupportedSignature => {
                "issue the certificate again with SHA-256 or better, and RSA of 2048 bits or more, ECDSA P-256 or P-384, or Ed25519"
            }
            TlsFault::NotPinned(_) => {
                "find out why the server has another key; if its operator confirms it, add it to `certificate_pins`"
            }
            TlsFault::ClientCertificateDemanded => {
                "give the destination a `client_certificate` and its `client_key`"
            }
            TlsFault::ClientCertificateRefused(_) => {
                "check with the server's operator that it trusts the client certificate's authority and knows its name, and that `client_certificate` holds the whole chain; a replaced one is read again without a restart"
            }
            TlsFault::Revoked | TlsFault::Certificate(_) => "replace the server's certificate",
            TlsFault::NotTls => {
                "check the port: this one seems to speak plain HTTP; enable TLS there or use its TLS port"
            }
            TlsFault::Handshake(_) => {
                "enable TLS 1.2 or 1.3 with modern cipher suites on the server, and check whether it demands a client certificate (`client_certificate`)"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    fn of_rule(rule: webpki::Error) -> TlsFault {
        let error = CertificateError::Other(OtherError(Arc::new(rule)));
        TlsFault::of(&rustls::Error::InvalidCertificate(error))
    }

    #[test]
    fn a_broken_rule_of_the_certificate_library_has_plain_words_and_a_hint() {
        assert_eq!(of_rule(webpki::Error::CaUsedAsEndEntity), TlsFault::AuthorityAsServer);
        let old = of_rule(webpki::Error::UnsupportedCertVersion);
        assert!(old.to_string().ends_with("is X.509 version 1") && old.hint().contains("version 3"), "{old}");
        for rule in [
            webpki::Error::CaUsedAsEndEntity,
            webpki::Error::EndEntityUsedAsCa,
            webpki::Error::UnsupportedCertVersion,
            webpki::Error::PathLenConstraintViolated,
            webpki::Error::NameConstraintViolation,
            webpki::Error::UnsupportedCriticalExtension,
            webpki::Error::MalformedExtensions,
        ] {
            let fault = of_rule(rule.clone());
            assert!(!fault.to_string().contains(&format!("{rule:?}")), "{fault}");
            assert!(!fault.hint().is_empty(), "{fault:?}");
        }
        assert_eq!(
            of_rule(webpki::Error::InvalidCrlNumber),
            TlsFault::Certificate(webpki::Error::InvalidCrlNumber.to_string())
        );
    }
}
