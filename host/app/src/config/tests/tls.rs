//! What people get wrong about pins and client certificates.

use siemaphore_secrets::SecretReference;

use super::*;

const PIN: &str = "sha256//r/mIkG3eEpVdm+u/ko/cwxzOMo1bk4TyHIlByibiA5E=";

#[test]
fn pins_and_a_client_certificate_are_read_as_written() {
    let text = destination(&format!(
        "certificate_pins = ['{PIN}', 'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=']\n\
         client_certificate = 'tls/client.pem'\nclient_key = 'file:/run/secrets/client.key'"
    ));
    let config = from_text(text, Path::new("/etc/siemaphore")).ok().unwrap();
    let read = &config.destinations[0];
    assert_eq!(read.client.pins[0].to_string(), PIN);
    assert_eq!(read.client.pins.len(), 2);
    let client = read.client_certificate.clone().unwrap();
    assert_eq!(client.certificate, SecretReference::File("/etc/siemaphore/tls/client.pem".into()));
    assert_eq!(client.key, SecretReference::File("/run/secrets/client.key".into()));

    let text = destination("client_certificate = 'env:CLIENT_PEM'\nclient_key = 'env:CLIENT_PEM'");
    let config = from_text(text, Path::new("/etc/siemaphore")).ok().unwrap();
    let client = config.destinations[0].client_certificate.clone().unwrap();
    assert_eq!((&client.certificate, client.certificate.to_string()), (&client.key, "env:CLIENT_PEM".into()));
}

#[test]
fn what_is_no_pin_is_told_with_its_line_and_where_to_get_one() {
    let fingerprint = "AB:".repeat(31) + "AB";
    for (pins, told) in [
        (
            format!("['{PIN}',\n'{fingerprint}']"),
            format!("7: `{fingerprint}` is not a pin: it is the fingerprint of a certificate, and"),
        ),
        (
            "['r/mIkG3eEpVdm']".to_owned(),
            "6: `r/mIkG3eEpVdm` is not a pin: it does not begin with `sha256//`".to_owned(),
        ),
        (
            "['sha256//AAAA']".to_owned(),
            "6: `sha256//AAAA` is not a pin: it is not 32 bytes in base64".to_owned(),
        ),
        (format!("'{PIN}'"), "6: `certificate_pins` takes a list in brackets, not text".to_owned()),
    ] {
        let found = problems(&destination(&format!("certificate_pins = {pins}")));
        assert!(found.len() == 1 && found[0].starts_with(&told), "{found:?}");
    }
    let found = problems(&destination("certificate_pins = ['x']"));
    assert!(found[0].contains("siemaphore doctor"), "{found:?}");
}

#[test]
fn half_a_client_certificate_and_a_certificate_without_tls_are_refused() {
    for (lines, told) in [
        (
            "client_certificate = 'a.pem'",
            "6: a client certificate is of no use without its key (write `client_key",
        ),
        (
            "client_key = 'file:/a'",
            "6: a client key is of no use without its certificate (write `client_certificate",
        ),
        ("client_certificate = 'a.pem'\nclient_key = 'a.key'", "7: not a secret reference"),
        (
            "client_certificate = 'file:a.pem'\nclient_key = 'env:A'",
            "6: `file:` is followed by something that is not",
        ),
        (
            "client_certificate = '-----BEGIN CERTIFICATE-----'\nclient_key = 'env:A'",
            "6: `client_certificate` holds a certificate itself",
        ),
    ] {
        let found = problems(&destination(lines));
        assert!(found.len() == 1 && found[0].starts_with(told), "{found:?}");
    }
    let key = "-----BEGIN PRIVATE KEY-----canary";
    let found = problems(&destination(&format!("client_certificate = 'a.pem'\nclient_key = '{key}'")));
    assert!(found.len() == 1 && !found[0].contains("canary"), "{found:?}");

    let plain = |lines: &str| {
        let text =
            destination(&format!("allow_plaintext = true\n{lines}\n[egress]\nallow = ['127.0.0.0/8']"));
        problems(&text.replace("https://splunk.example.com", "http://127.0.0.1"))
    };
    for (lines, key) in [
        (format!("certificate_pins = ['{PIN}']"), "certificate_pins"),
        ("client_certificate = 'a.pem'\nclient_key = 'env:A'".to_owned(), "client_certificate"),
    ] {
        let told = format!("7: `{key}` means nothing without TLS, and the endpoint is plain http");
        let found = plain(&lines);
        assert!(found.len() == 1 && found[0].starts_with(&told), "{found:?}");
    }
}
