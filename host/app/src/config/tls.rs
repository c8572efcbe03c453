//! What a destination's TLS asks for beside its CA file: pins, and a certificate of our own.

use std::path::Path;

use siemaphore_delivery::ClientCertificate;
use siemaphore_http::CertificatePin;
use siemaphore_secrets::SecretReference;

use crate::config::problem::at;
use crate::config::{Problems, destination, file};

pub(crate) fn pins(
    problems: &mut Problems<'_>,
    index: usize,
    written: &file::Destination,
) -> Vec<CertificatePin> {
    let mut pins = Vec::new();
    for (place, text) in written.certificate_pins.iter().enumerate() {
        let pin = text.parse::<CertificatePin>();
        let pin = pin.map_err(|error| (format!("`{text}` is not a pin: {error}"), error.hint().to_owned()));
        pins.extend(problems.check(at!["destination", index, "certificate_pins", place], pin));
    }
    if !written.certificate_pins.is_empty() {
        refuse_plaintext(problems, index, "certificate_pins", written);
    }
    pins
}

pub(crate) fn client_certificate(
    problems: &mut Problems<'_>,
    index: usize,
    written: &file::Destination,
    folder: &Path,
) -> Option<ClientCertificate> {
    let (certificate, key) = match (&written.client_certificate, &written.client_key) {
        (None, None) => return None,
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => {
            problems.add(
                at!["destination", index, "client_certificate"],
                "a client certificate is of no use without its key",
                "write `client_key = \"file:/path\"`, naming where its private key is; one file may hold both",
            );
            return None;
        }
        (None, Some(_)) => {
            problems.add(
                at!["destination", index, "client_key"],
                "a client key is of no use without its certificate",
                "write `client_certificate = \"client.pem\"`, the file of the certificate that it belongs to",
            );
            return None;
        }
    };
    refuse_plaintext(problems, index, "client_certificate", written);
    let certificate = certificate_reference(problems, index, certificate, folder);
    let key = destination::secret_reference(problems, at!["destination", index, "client_key"], key);
    Some(ClientCertificate { certificate: certificate?, key: key? })
}

/// A certificate is no secret, so its file may be written like any other; or where secrets are, like its key.
fn certificate_reference(
    problems: &mut Problems<'_>,
    index: usize,
    written: &str,
    folder: &Path,
) -> Option<SecretReference> {
    let path = at!["destination", index, "client_certificate"];
    if written.contains("-----BEGIN") {
        problems.add(
            path,
            "`client_certificate` holds a certificate itself",
            "store it in a file and write the file's path",
        );
        return None;
    }
    match written.split_once(':') {
        Some(_) => destination::secret_reference(problems, path, written),
        None => Some(SecretReference::File(folder.join(written))),
    }
}

fn refuse_plaintext(problems: &mut Problems<'_>, index: usize, key: &str, written: &file::Destination) {
    if written.endpoint.starts_with("http:") {
        problems.add(
            at!["destination", index, key],
            format!("`{key}` means nothing without TLS, and the endpoint is plain http"),
            "write an https endpoint, or leave it out",
        );
    }
}
