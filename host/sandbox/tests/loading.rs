//! What is refused when a file is loaded, and that the error says what to do.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/guest.rs"]
mod guest;

use std::sync::LazyLock;

use guest::Guest;
use siemaphore_sandbox::{Fault, FaultKind, Formatter, GuestLimits, LoadError, Sandbox, SandboxConfig};

static SANDBOX: LazyLock<Sandbox> =
    LazyLock::new(|| Sandbox::new(SandboxConfig::default()).expect("a sandbox"));

fn load(component: &[u8]) -> Result<Formatter, LoadError> {
    SANDBOX.load("candidate", component, GuestLimits::default())
}

fn load_text(component: &str) -> LoadError {
    load(&wat::parse_str(component).expect("the text is WebAssembly")).unwrap_err()
}

#[test]
fn imports_beyond_wasi_are_refused_by_name_with_what_to_do() {
    for (import, advice) in [
        ("wasi:sockets/tcp@0.2.0", "formatters have no network; the host delivers"),
        ("wasi:http/outgoing-handler@0.2.3", "formatters have no network; the host delivers"),
        ("wasi:filesystem/secrets@0.2.0", "--stub-wasi"),
        ("wasi:cli/run@0.3.0", "disableFeatures"),
        ("wasi:io/streams@0.3.0", "WASI 0.2"),
        ("wasi:io/streams", "WASI 0.2"),
        ("acme:keys/vault@1.0.0", "nothing else"),
    ] {
        let error = load_text(&format!("(component (import \"{import}\" (instance)))"));
        assert!(
            matches!(&error, LoadError::ForbiddenImport { import: named, .. } if named == import),
            "{error}"
        );
        let message = error.to_string();
        assert!(
            message.contains("`candidate`") && message.contains(import) && message.contains(advice),
            "{message}"
        );
    }
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
fn core_modules_are_told_how_to_become_components() {
    let error = load_text("(module)");
    assert!(matches!(error, LoadError::CoreModule { .. }), "{error}");
    assert!(error.hint().contains("wasm-tools component new"));
}

#[test]
fn files_that_are_not_webassembly_say_how_they_begin() {
    let error = load(b"#!/bin/sh\x1b[31m echo").unwrap_err();
    assert_eq!(error.to_string(), "plugin `candidate` is not WebAssembly: it begins with \"#!/bin/sh e\"");
    assert!(matches!(load(b"").unwrap_err(), LoadError::NotWasm { .. }));
}

#[test]
fn a_truncated_component_never_loads() {
    let component = Guest::honest().component();
    for length in (8..component.len()).step_by(97).chain([component.len() - 1]) {
        let error = load(&component[..length]).map(|_| length).unwrap_err();
        assert!(
            matches!(error, LoadError::Invalid { .. } | LoadError::NotAFormatter { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn a_component_for_another_world_is_told_what_is_missing() {
    let error = load_text("(component (instance) (export \"wasi:cli/run@0.2.0\" (instance 0)))");
    assert_eq!(
        error.to_string(),
        "plugin `candidate` is not a formatter: it exports `wasi:cli/run@0.2.0`, and no `siemaphore:formatter/formatter`"
    );
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
fn a_description_over_its_caps_is_a_fault() {
    // A schema of 100 KiB of zeros: settings-schema is the sixth string.
    let guest = Guest::honest().extra("(data (i32.const 1064) \"\\00\\00\\01\\00\\00\\90\\01\\00\")");
    let Err(LoadError::Fault(Fault { kind: FaultKind::Contract(reason), .. })) = load(&guest.component())
    else {
        panic!("it loaded")
    };
    assert_eq!(reason, "`settings-schema` has 102400 bytes, and at most 65536 are allowed");
}

#[test]
fn a_hostile_title_is_cleaned_when_loaded() {
    // The title becomes an escape sequence and a bell around one word.
    let guest = Guest::honest()
        .extra("(data (i32.const 700) \"\\1b[31mred\\07\\0a!\") (data (i32.const 1048) \"\\bc\\02\\00\\00\\0b\\00\\00\\00\")");
    assert_eq!(load(&guest.component()).unwrap().description().title, "red !");
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
