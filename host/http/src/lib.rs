//! The one HTTP client of the host.
//!
//! It is built to carry credentials to addresses that other people wrote into a form:
//!
//! - https only; plain http needs a switch and a loopback host;
//! - TLS 1.2 or newer, the system's roots or the destination's own, and pins beside them; the client's own certificate
//!   where a server demands one;
//! - no redirects, no cookies, no proxies from the environment: a request goes where its URL says, or nowhere;
//! - the resolved address is checked on every dial ([`egress`]), so that no name leads into the private network;
//! - every answer is capped after decompression; one that is read as it comes ([`Stream`]) is never held as a whole;
//! - no error shows a URL: some SIEMs keep their secret in the path.
//!
//! It knows nothing of secrets, SIEMs or events.
#![forbid(unsafe_code)]

mod answer;
mod certificate;
mod client;
pub mod egress;
mod error;
mod examine;
mod identity;
mod metadata;
mod pin;
mod resolver;
mod stream;
mod tls;
mod tls_fault;
mod url_check;

pub use answer::Answer;
pub use certificate::Certificate;
pub use client::{Client, ClientConfig, ClientError, Request};
pub use egress::EgressPolicy;
pub use error::SendError;
pub use examine::{Examination, ExamineError, TlsExamination};
pub use identity::{ClientIdentity, IdentityError};
pub use ipnet::IpNet;
pub use metadata::{MetadataClient, identity_token_query};
pub use pin::{CertificatePin, PinError};
pub use resolver::{Lookup, SystemLookup};
pub use stream::Stream;
pub use tls::TlsConfigError;
pub use tls_fault::TlsFault;
pub use url_check::{UrlError, check_url};
