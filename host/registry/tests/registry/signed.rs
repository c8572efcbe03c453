//! Operators who trust keys: what is not signed by one of them does not run.

use std::fs;

use siemaphore_registry::signature::{SigningKey, TrustedKeys};
use siemaphore_registry::{PluginState, RegistryConfig};

use crate::bench::{Bench, guest};

fn key() -> SigningKey {
    SigningKey::generate().unwrap().0
}

/// A registry that believes these keys and outlives itself.
fn trusting(keys: &[&SigningKey]) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let (plugins, state) = (folder.path().join("plugins"), folder.path().join("state"));
    fs::create_dir(&plugins).unwrap();
    let trusted_keys = TrustedKeys::new(keys.iter().map(|key| key.public_key()).collect());
    let config =
        RegistryConfig { folder: Some(plugins), state: Some(state), trusted_keys, ..Default::default() };
    Bench::with(folder, config)
}

#[test]
fn only_what_a_trusted_key_has_signed_is_taken() {
    let (trusted, other) = (key(), key());
    let mut bench = trusting(&[&other, &trusted]);
    let stranger = key();
    let component = guest("signed");
    bench.write("acme.wasm", &component);
    let status = bench.wait_for_error("acme", "the file is not signed");
    assert_eq!(status.state, PluginState::Quarantined);
    bench.write("acme.wasm.sig", &stranger.sign(&component));
    bench.wait_for_error("acme", "none of the 2 trusted keys");
    bench.write("acme.wasm.sig", b"too short");
    bench.wait_for_error("acme", "not the 64 bytes");
    // The signature may come after the file.
    bench.write("acme.wasm.sig", &trusted.sign(&component));
    assert_eq!(bench.wait_for_title("acme", "signed").error, None);
    // One changed byte is another file.
    bench.write("acme.wasm", &guest("forged"));
    let status = bench.wait_for_error("acme", "changed since it was signed");
    assert_eq!((status.state, status.title.as_deref()), (PluginState::Active, Some("signed")));
}

#[test]
fn a_version_of_before_a_restart_is_held_to_the_keys_of_after_it() {
    let (first, second) = (key(), key());
    let mut bench = trusting(&[&first]);
    let component = guest("kept");
    bench.write("acme.wasm.sig", &first.sign(&component));
    bench.write("acme.wasm", &component);
    bench.wait_for_title("acme", "kept");
    // The file is broken, so what is kept decides: signed by the same key it goes on, by one that is not trusted not.
    let bench = bench.restart(|plugins| fs::write(plugins.join("acme.wasm"), "nonsense").unwrap());
    assert_eq!(bench.active("acme").formatter.description().title, "kept");
    let bench = bench.trusting(TrustedKeys::new(vec![second.public_key()])).restart(|_| ());
    assert_eq!(bench.registry.list().remove(0).state, PluginState::Quarantined);
}

#[test]
fn a_file_that_was_signed_anew_is_known_by_its_new_signature_after_a_restart() {
    let (first, second) = (key(), key());
    let bench = trusting(&[&first]);
    let component = guest("kept");
    fs::write(bench.path.join("acme.wasm.sig"), first.sign(&component)).unwrap();
    bench.write("acme.wasm", &component);
    let mut bench = bench.restart(|_| ());
    bench.wait_for_title("acme", "kept");
    // The operator signs with the next key, and then trusts that one only. The file breaks later.
    let both = TrustedKeys::new(vec![first.public_key(), second.public_key()]);
    let resign = |plugins: &std::path::Path| {
        fs::write(plugins.join("acme.wasm.sig"), second.sign(&component)).unwrap();
    };
    let bench = bench.trusting(both).restart(resign);
    let bench = bench.trusting(TrustedKeys::new(vec![second.public_key()]));
    let bench = bench.restart(|plugins| fs::write(plugins.join("acme.wasm"), "nonsense").unwrap());
    assert_eq!(bench.active("acme").formatter.description().title, "kept");
}

#[test]
fn a_signature_that_nobody_trusts_does_not_take_the_place_of_the_one_that_is_kept() {
    let trusted = key();
    let mut bench = trusting(&[&trusted]);
    let component = guest("kept");
    bench.write("acme.wasm.sig", &trusted.sign(&component));
    bench.write("acme.wasm", &component);
    bench.wait_for_title("acme", "kept");
    bench.write("acme.wasm.sig", &key().sign(&component));
    let status = bench.wait_for_error("acme", "trusted key");
    assert_eq!(status.title.as_deref(), Some("kept"), "it goes on");
    let bench = bench.restart(|_| ());
    assert_eq!(bench.active("acme").formatter.description().title, "kept");
}
