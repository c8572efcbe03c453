//! Keys and signatures, with the `openssl` command as the other side.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::Workshop;
use crate::support::formatter::{bundled, rebuilt};
use crate::support::{run, run_in};

fn openssl(folder: &Path, arguments: &str) -> bool {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
    output.expect("these stories need the `openssl` command").status.success()
}

#[tokio::test]
async fn a_file_is_signed_and_openssl_and_inspect_know_by_whom() {
    let shop = Workshop::new();
    let acme = shop.file("acme.wasm", bundled("splunk"));
    let made = run_in(shop.folder(), &["plugin", "keygen", "publisher.key"]).await.expect(0);
    made.shows(&["publisher.key", "publisher.key.pub", "trusted_keys = [\""]);
    assert_eq!(fs::metadata(shop.path("publisher.key")).unwrap().permissions().mode() & 0o777, 0o600);
    let secret: String =
        fs::read_to_string(shop.path("publisher.key")).unwrap().lines().nth(1).unwrap().to_owned();
    assert!(!made.stdout.contains(&secret) && !made.stderr.contains(&secret), "{made:?}");

    run_in(shop.folder(), &["plugin", "inspect", "acme.wasm"])
        .await
        .expect(0)
        .shows(&["signature       none"]);
    let sign = ["plugin", "sign", "acme.wasm", "--key", "publisher.key"];
    let signed = run_in(shop.folder(), &sign).await.expect(0);
    signed.shows(&["acme.wasm.sig"]);
    assert!(!signed.stderr.contains("warning"), "{signed:?}");
    assert!(openssl(
        shop.folder(),
        "pkeyutl -verify -pubin -inkey publisher.key.pub -rawin -in acme.wasm -sigfile acme.wasm.sig"
    ));
    let inspect =
        async |key: &str| run_in(shop.folder(), &["plugin", "inspect", "acme.wasm", "--key", key]).await;
    let told = inspect("publisher.key.pub").await.expect(0);
    let fingerprint = told.stdout.split("by the key ").nth(1).unwrap().lines().next().unwrap();
    assert!(made.stdout.contains(fingerprint) && signed.stdout.contains(fingerprint), "{fingerprint}");

    // Another key, and another file under the same name.
    assert!(openssl(shop.folder(), "genpkey -algorithm ed25519 -out theirs"));
    assert!(openssl(shop.folder(), "pkey -in theirs -pubout -out theirs.pub"));
    inspect("theirs.pub").await.expect(1).shows(&["none of the 1 trusted keys", "hint: "]);
    fs::write(&acme, rebuilt(bundled("splunk"), "changed")).unwrap();
    inspect("publisher.key.pub").await.expect(1).shows(&["has been changed since", "hint: "]);
    assert!(openssl(shop.folder(), "pkeyutl -sign -inkey theirs -rawin -in acme.wasm -out acme.wasm.sig"));
    inspect("theirs.pub").await.expect(0).shows(&["by the key"]);
    fs::remove_file(shop.path("acme.wasm.sig")).unwrap();
    inspect("theirs.pub").await.expect(1).shows(&["is not signed", "siemaphore plugin sign"]);
}

#[tokio::test]
async fn slips_with_keys_are_told_and_nothing_is_overwritten() {
    let shop = Workshop::new();
    shop.file("acme.wasm", bundled("splunk"));
    let shows = async |arguments: &[&str], told: &[&str]| {
        run_in(shop.folder(), &[&["plugin"], arguments].concat()).await.expect(1).shows(told);
    };
    let made = run_in(shop.folder(), &["plugin", "keygen", "key", "--json"]).await.expect(0).json();
    let before = fs::read(shop.path("key")).unwrap();
    shows(&["keygen", "key"], &["is there already", "hint: "]).await;
    fs::remove_file(shop.path("key")).unwrap();
    shows(&["keygen", "key"], &["key.pub is there already"]).await;
    assert!(!shop.path("key").exists(), "half a pair was made");
    fs::write(shop.path("key"), before).unwrap();
    fs::set_permissions(shop.path("key"), fs::Permissions::from_mode(0o644)).unwrap();
    let sign = ["plugin", "sign", "acme.wasm", "--key", "key", "--json"];
    let signed = run_in(shop.folder(), &sign).await.expect(0);
    signed.shows(&["warning: others can read the private key key; `chmod 600` it"]);
    assert_eq!(signed.json()["fingerprint"], made["fingerprint"]);
    fs::set_permissions(shop.path("key.pub"), fs::Permissions::from_mode(0o644)).unwrap();
    let public = run_in(shop.folder(), &["plugin", "sign", "acme.wasm", "--key", "key.pub"]).await.expect(1);
    public.shows(&["key.pub cannot sign", "it is a public key", "without `.pub`"]);
    assert!(!public.stderr.contains("chmod"), "a public key may be read by everybody: {}", public.stderr);
    shows(&["inspect", "acme.wasm", "--key", "key"], &["it is a private key", "hint: "]).await;
    shows(&["sign", "acme.wasm", "--key", "acme.wasm"], &["cannot read the key acme.wasm"]).await;
    shop.file("source.wasm", "(component)");
    shows(&["sign", "source.wasm", "--key", "key"], &["is not WebAssembly", "hint: "]).await;
    assert!(!shop.path("source.wasm.sig").exists());
    let one_line = made["public_key"].as_str().unwrap();
    shop.file("one-line", one_line);
    run_in(shop.folder(), &["plugin", "inspect", "acme.wasm", "--key", "one-line"]).await.expect(0);
    run(&["plugin", "inspect", "splunk"]).await.expect(0);
}
