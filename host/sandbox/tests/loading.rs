//! What is loaded and what is refused, and that the error says what to do. Hostile files are in tests/guests.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/guest.rs"]
mod guest;

use std::sync::LazyLock;

use guest::Guest;
use siemaphore_sandbox::{Formatter, GuestLimits, LoadError, Sandbox, SandboxConfig};

static SANDBOX: LazyLock<Sandbox> =
    LazyLock::new(|| Sandbox::new(SandboxConfig::default()).expect("a sandbox"));

fn load(component: &[u8]) -> Result<Formatter, LoadError> {
    SANDBOX.load("candidate", component, GuestLimits::default())
}

fn load_text(component: &str) -> LoadError {
    load(&wat::parse_str(component).expect("the text is WebAssembly")).unwrap_err()
}

#[test]
fn interfaces_of_wasi_beyond_the_listed_are_refused_by_name_with_what_to_do() {
    for (import, advice) in [
        ("wasi:filesystem/secrets@0.2.0", "--stub-wasi"),
        ("wasi:cli/run@0.3.0", "disableFeatures"),
        ("wasi:io/streams@0.3.0", "WASI 0.2"),
        ("wasi:io/streams", "WASI 0.2"),
    ] {
        let error = load_text(&format!("(component (import \"{import}\" (instance)))"));
        assert!(
            matches!(&error, LoadError::ForbiddenImport { import: named, .. } if named == import),
            "{error}"
        );
        assert!(error.to_string().contains(advice), "{error}");
    }
}

#[test]
fn an_empty_file_is_no_webassembly() {
    assert!(matches!(load(b"").unwrap_err(), LoadError::NotWasm { .. }));
}

#[test]
fn imports_of_a_component_inside_are_not_the_components_own() {
    // It is refused for what it lacks, not for what its unused inner component would like.
    let error = load_text("(component (component (import \"wasi:sockets/tcp@0.2.0\" (instance))))");
    assert!(matches!(error, LoadError::NotAFormatter { .. }), "{error}");
}

#[test]
fn every_release_of_wasi_0_2_links() {
    for release in ["0.2.0", "0.2.1", "0.2.3", "0.2.6", "0.2.9", "0.2.12", "0.2.40"] {
        let guest = Guest::honest().printing().wasi_version(release);
        let formatter = load(&guest.component()).unwrap_or_else(|error| panic!("{release}: {error}"));
        assert_eq!(formatter.description().name, "guest");
    }
}

#[test]
fn an_unknown_version_of_the_contract_is_told_the_known_ones() {
    let error =
        load_text("(component (instance) (export \"siemaphore:formatter/formatter@9.1.0\" (instance 0)))");
    assert_eq!(
        error.to_string(),
        "plugin `candidate` is made for siemaphore:formatter@9.1.0; this host takes 1.0.0"
    );
}

#[test]
fn the_right_name_with_the_wrong_functions_is_a_mismatch() {
    let error =
        load_text("(component (instance) (export \"siemaphore:formatter/formatter@1.0.0\" (instance 0)))");
    assert!(matches!(error, LoadError::Mismatch { .. }), "{error}");
}

#[test]
fn proposals_that_are_not_on_the_list_are_refused() {
    for extra in [
        "(memory $m i64 1)",
        "(memory $m 1 1 shared)",
        "(tag $t)",
        "(type $s (struct))",
        "(table $t 1 externref)",
    ] {
        let error = load(&Guest::honest().extra(extra).component_unchecked()).map(|_| extra).unwrap_err();
        assert!(matches!(error, LoadError::Invalid { .. }), "{extra}: {error}");
    }
}

#[test]
fn loads_run_beside_each_other() {
    let component = Guest::honest().component();
    std::thread::scope(|scope| {
        let loads: Vec<_> = (0..8).map(|_| scope.spawn(|| load(&component).map(|_| ()))).collect();
        for load in loads {
            load.join().unwrap().unwrap();
        }
    });
}
