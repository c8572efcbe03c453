//! Guests that ask for a request they cannot have, or say of an answer what cannot be true.

use http::HeaderName;
use siemaphore_delivery::{Authentication, GrantError, GrantedProfile};
use siemaphore_model::formatter::{Refusal, Verdict};
use siemaphore_sandbox::{Call, ConfigureError, FaultKind};
use siemaphore_secrets::SecretReference;

use super::scene::{configuration, interpret, load};
use crate::guests;

/// What the formatter asks for, held against what a destination grants.
fn grant(component: &[u8]) -> Result<GrantedProfile, GrantError> {
    let asked = load(component).unwrap().configure(&configuration()).unwrap();
    let authentication = Authentication::Header {
        header: HeaderName::from_static("authorization"),
        prefix: String::new(),
        secret: "env:TOKEN".parse::<SecretReference>().unwrap(),
    };
    GrantedProfile::check(&asked, &authentication, &"https://siem.example.net/base".parse().unwrap())
}

pub(crate) fn a_limit_of_nothing(component: Vec<u8>) {
    let Err(ConfigureError::Fault(fault)) = load(&component).unwrap().configure(&configuration()) else {
        panic!("no fault")
    };
    assert_eq!(fault.kind, FaultKind::Contract("the profile's limit `records` is 0".to_owned()));
    assert_eq!(fault.call, Call::Configure);
}

pub(crate) fn asks_for_another_path(component: Vec<u8>) {
    let path = guests::asks_for_another_path::PATH;
    let error = grant(&component).unwrap_err();
    assert_eq!(error.to_string(), format!("the path `{path}` has an empty segment or one of dots"));
}

pub(crate) fn asks_for_another_host(component: Vec<u8>) {
    let path = guests::asks_for_another_host::PATH;
    let error = grant(&component).unwrap_err();
    assert_eq!(error.to_string(), format!("the path `{path}` has an empty segment or one of dots"));
}

pub(crate) fn asks_for_the_hosts_header(component: Vec<u8>) {
    let header = guests::asks_for_the_hosts_header::HEADER.to_owned();
    assert_eq!(grant(&component), Err(GrantError::RefusedHeader(header)));
}

pub(crate) fn asks_for_the_credentials_header(component: Vec<u8>) {
    let header = guests::asks_for_the_credentials_header::HEADER.to_owned();
    assert_eq!(grant(&component), Err(GrantError::CredentialHeader(header)));
}

/// The sandbox passes the verdict on. The laws refuse such a formatter, and the delivery believes `delivered` on a success
/// only.
pub(crate) fn delivered_on_a_500(component: Vec<u8>) {
    assert_eq!(interpret(&component, 500).unwrap(), Verdict::Delivered(None));
}

/// Nothing that a terminal obeys is left. Markup stays as it is: whoever shows it on a page escapes it there.
pub(crate) fn escapes_and_markup_in_hints(component: Vec<u8>) {
    let Verdict::Hold(Refusal { reason, hint }) = interpret(&component, 200).unwrap() else {
        panic!("it does not hold")
    };
    assert_eq!(reason, "full again");
    assert_eq!(hint, "<script>alert(1)</script>txt.exe");
}
