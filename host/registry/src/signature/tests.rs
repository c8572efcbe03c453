//! Keys and signatures, with OpenSSL as the other side.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::*;

const COMPONENT: &[u8] = b"\0asm and what follows";

fn key() -> SigningKey {
    SigningKey::generate().unwrap().0
}

fn trusting(keys: &[&SigningKey]) -> TrustedKeys {
    TrustedKeys::new(keys.iter().map(|key| key.public_key()).collect())
}

/// Runs `openssl` in a folder; whether it succeeded.
fn openssl(folder: &TempDir, arguments: &str) -> bool {
    let mut command = Command::new("openssl");
    let output = command.args(arguments.split(' ')).current_dir(folder.path()).output();
    output.expect("these tests need the `openssl` command").status.success()
}

fn folder_with_component() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("acme.wasm"), COMPONENT).unwrap();
    folder
}

#[test]
fn openssl_verifies_what_a_generated_key_has_signed() {
    let folder = folder_with_component();
    let (key, pem) = SigningKey::generate().unwrap();
    fs::write(folder.path().join("key"), pem.as_bytes()).unwrap();
    fs::write(folder.path().join("key.pub"), key.public_key().to_pem()).unwrap();
    fs::write(folder.path().join("acme.wasm.sig"), key.sign(COMPONENT)).unwrap();
    let verify = "pkeyutl -verify -pubin -inkey key.pub -rawin -in acme.wasm -sigfile acme.wasm.sig";
    assert!(openssl(&folder, verify));
    // It reads the private key too, and makes the same public one and the same signature of it.
    assert!(openssl(&folder, "pkey -in key -pubout -out its.pub"));
    let its = fs::read_to_string(folder.path().join("its.pub")).unwrap();
    assert_eq!(its, key.public_key().to_pem());
    assert!(openssl(&folder, "pkeyutl -sign -inkey key -rawin -in acme.wasm -out its.sig"));
    assert_eq!(fs::read(folder.path().join("its.sig")).unwrap(), key.sign(COMPONENT));
    fs::write(folder.path().join("acme.wasm"), b"\0asm and something else").unwrap();
    assert!(!openssl(&folder, verify));
}

#[test]
fn a_file_signed_by_openssl_is_believed() {
    let folder = folder_with_component();
    assert!(openssl(&folder, "genpkey -algorithm ed25519 -out key"));
    assert!(openssl(&folder, "pkey -in key -pubout -out key.pub"));
    assert!(openssl(&folder, "pkeyutl -sign -inkey key -rawin -in acme.wasm -out acme.wasm.sig"));
    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    let public = PublicKey::parse(&read("key.pub")).unwrap();
    assert_eq!(SigningKey::parse(&read("key")).unwrap().public_key(), public);
    let signature = read_beside(&folder.path().join("acme.wasm")).unwrap();
    let trusted = TrustedKeys::new(vec![public.clone()]);
    assert_eq!(trusted.verify_beside(COMPONENT, signature.as_deref()), Ok(&public));
}

#[test]
fn every_changed_byte_and_every_other_key_is_refused() {
    let (ours, theirs) = (key(), key());
    let signature = ours.sign(COMPONENT);
    assert_eq!(trusting(&[&theirs, &ours]).verify(COMPONENT, &signature), Ok(&ours.public_key()));
    let untrusted = |keys| Err(SignatureError::Untrusted { keys });
    assert_eq!(trusting(&[&theirs]).verify(COMPONENT, &signature), untrusted(1));
    assert_eq!(TrustedKeys::default().verify(COMPONENT, &signature), untrusted(0));
    for at in 0..COMPONENT.len() {
        let mut changed = COMPONENT.to_vec();
        changed[at] ^= 1;
        assert_eq!(trusting(&[&ours]).verify(&changed, &signature), untrusted(1));
    }
    for at in 0..SIGNATURE_BYTES {
        let mut changed = signature;
        changed[at] ^= 1;
        assert_eq!(trusting(&[&ours]).verify(COMPONENT, &changed), untrusted(1));
    }
    for wrong in [&signature[..63], &[&signature[..], b"\n"].concat(), b""] {
        assert_eq!(trusting(&[&ours]).verify(COMPONENT, wrong), Err(SignatureError::Malformed));
    }
    assert_eq!(trusting(&[&ours]).verify_beside(COMPONENT, None), Err(SignatureError::Missing));
}

#[test]
fn a_public_key_is_read_in_each_of_its_forms() {
    let public = key().public_key();
    let content: String = public.to_pem().lines().filter(|line| !line.starts_with('-')).collect();
    let forms = [
        public.to_base64(),
        format!(" {}\n", public.to_base64()),
        content,
        public.to_pem(),
        public.to_pem().replace('\n', "\r\n"),
        format!("of the build machine\n{}", public.to_pem()),
    ];
    for form in forms {
        assert_eq!(PublicKey::parse(&form), Ok(public.clone()), "{form}");
    }
}

#[test]
fn what_is_no_such_key_is_refused_with_what_it_is() {
    let (key, pem) = SigningKey::generate().unwrap();
    let public = key.public_key().to_pem();
    assert_eq!(PublicKey::parse(&pem), Err(KeyError::Private));
    assert_eq!(PublicKey::parse(""), Err(KeyError::NotEd25519));
    assert_eq!(PublicKey::parse("no key"), Err(KeyError::Damaged));
    assert_eq!(PublicKey::parse(&public.replace('\n', "*")), Err(KeyError::Damaged));
    let certificate = public.replace("PUBLIC KEY", "CERTIFICATE");
    assert_eq!(PublicKey::parse(&certificate), Err(KeyError::Other { label: "CERTIFICATE".to_owned() }));
    let of = |text: &str| SigningKey::parse(text).unwrap_err();
    assert_eq!(of(&public), KeyError::Public);
    assert_eq!(of(&pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")), KeyError::Encrypted);
    assert_eq!(of(&key.public_key().to_base64()), KeyError::Damaged);
    let folder = tempfile::tempdir().unwrap();
    assert!(openssl(&folder, "ecparam -name prime256v1 -genkey -noout -out sec1"));
    assert!(openssl(&folder, "pkcs8 -topk8 -nocrypt -in sec1 -out key"));
    assert!(openssl(&folder, "pkey -in key -pubout -out key.pub"));
    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(of(&read("key")), KeyError::NotEd25519);
    assert_eq!(PublicKey::parse(&read("key.pub")), Err(KeyError::NotEd25519));
}

#[test]
fn a_secret_is_not_shown_by_accident() {
    let (key, pem) = SigningKey::generate().unwrap();
    let secret: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let shown = format!("{key:?}");
    assert!(!shown.contains(&secret), "{shown}");
    assert_eq!(shown, format!("SigningKey({})", key.public_key().fingerprint()));
}

#[test]
fn only_a_file_is_read_as_a_signature_and_no_more_than_one_is_long() {
    let folder = folder_with_component();
    let component = folder.path().join("acme.wasm");
    assert_eq!(read_beside(&component).unwrap(), None);
    fs::write(path_of(&component), vec![7; 1 << 20]).unwrap();
    assert_eq!(read_beside(&component).unwrap(), Some(vec![7; SIGNATURE_BYTES + 1]));
    fs::remove_file(path_of(&component)).unwrap();
    fs::create_dir(path_of(&component)).unwrap();
    read_beside(&component).unwrap_err();
}
