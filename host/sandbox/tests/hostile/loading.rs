//! Files that are no formatters, or none that this host takes, and descriptions that nobody should believe.

use siemaphore_sandbox::{Call, FaultKind, LoadError, verify};

use super::scene::{fault_of_load, load, refusal};
use crate::guests;

/// Refused by name, with what to do instead.
fn refused_import(component: &[u8], interface: &str, advice: &str) {
    let error = refusal(component);
    assert!(matches!(&error, LoadError::ForbiddenImport { import, .. } if import == interface), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("`hostile`") && message.contains(interface) && message.contains(advice),
        "{message}"
    );
}

const NO_NETWORK: &str = "formatters have no network; the host delivers";

pub(crate) fn imports_sockets(component: Vec<u8>) {
    refused_import(&component, guests::imports_sockets::INTERFACE, NO_NETWORK);
}

pub(crate) fn imports_http(component: Vec<u8>) {
    refused_import(&component, guests::imports_http::INTERFACE, NO_NETWORK);
}

pub(crate) fn imports_threads(component: Vec<u8>) {
    refused_import(&component, guests::imports_threads::INTERFACE, "nothing else");
}

pub(crate) fn imports_the_unknown(component: Vec<u8>) {
    refused_import(&component, guests::imports_the_unknown::INTERFACE, "nothing else");
}

pub(crate) fn wrong_world(component: Vec<u8>) {
    assert_eq!(
        refusal(&component).to_string(),
        "plugin `hostile` is not a formatter: it exports `wasi:cli/run@0.2.0`, and no `siemaphore:formatter/formatter`"
    );
}

pub(crate) fn core_module(component: Vec<u8>) {
    let error = refusal(&component);
    assert!(matches!(error, LoadError::CoreModule { .. }), "{error}");
    assert!(error.hint().contains("wasm-tools component new"));
}

/// Here and wherever else it is cut.
pub(crate) fn truncated_file(component: Vec<u8>) {
    for length in (8..component.len()).step_by(97).chain([component.len()]) {
        let error = refusal(&component[..length]);
        assert!(
            matches!(error, LoadError::Invalid { .. } | LoadError::NotAFormatter { .. }),
            "{length}: {error}"
        );
    }
}

pub(crate) fn no_webassembly(component: Vec<u8>) {
    assert_eq!(
        refusal(&component).to_string(),
        "plugin `hostile` is not WebAssembly: it begins with \"#!/bin/sh e\""
    );
}

/// Its size and its imports are in order, which is all that can be known without compiling it. That is why customers'
/// components are compiled in a process of their own, with limits on its memory and CPU time.
pub(crate) fn compile_bomb(component: Vec<u8>) {
    assert!(component.len() < 64 << 10, "{} bytes", component.len());
    verify("hostile", &component).expect("it looks like any other");
}

pub(crate) fn schema_over_its_cap(component: Vec<u8>) {
    let FaultKind::Contract(reason) = fault_of_load(&component).kind else { panic!("no broken promise") };
    assert_eq!(reason, "`settings-schema` has 102400 bytes, and at most 65536 are allowed");
}

/// The sandbox reads no schema: it is a text within its cap. The laws count what its references lead to, and refuse it.
pub(crate) fn schema_bomb(component: Vec<u8>) {
    let formatter = load(&component).unwrap();
    assert_eq!(formatter.description().settings_schema, guests::schema_bomb::schema());
}

pub(crate) fn escapes_in_its_title(component: Vec<u8>) {
    assert_eq!(load(&component).unwrap().description().title, "red !");
}

pub(crate) fn invalid_utf8_in_its_title(component: Vec<u8>) {
    let fault = fault_of_load(&component);
    assert_eq!(fault.call, Call::Describe);
    assert!(matches!(&fault.kind, FaultKind::Contract(reason) if reason.contains("utf-8")), "{fault}");
}
