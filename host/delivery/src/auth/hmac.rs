//! A header with an HMAC-SHA256 of the body as it is sent, in hexadecimal: `X-Hub-Signature-256: sha256=…`.

use http::HeaderName;
use ring::hmac;
use siemaphore_http::Request;
use siemaphore_secrets::Secret;
use zeroize::Zeroizing;

use super::set_header;
use crate::attempt_error::AttemptError;
use crate::message_id::hexadecimal;

pub(super) fn apply(
    header: &HeaderName,
    prefix: &str,
    secret: &Secret,
    request: &mut Request,
) -> Result<Vec<Secret>, AttemptError> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let signature = Zeroizing::new(hexadecimal(hmac::sign(&key, &request.body).as_ref()));
    set_header(request, header, &Zeroizing::new(format!("{prefix}{}", signature.as_str())))?;
    Ok(vec![Secret::new(&signature)])
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{header, request};
    use super::*;

    #[test]
    fn the_example_of_githubs_documentation_is_signed_as_it_says() {
        let mut request = request("https://s", "Hello, World!");
        let name = HeaderName::from_static("x-hub-signature-256");
        apply(&name, "sha256=", &Secret::new("It's a Secret to Everybody"), &mut request).expect("signed");
        assert_eq!(
            header(&request, "x-hub-signature-256"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }
}
