//! The built-in formatters as components, inside the host's own binary.
//!
//! They are ordinary formatters: made with the public SDK, run in the same sandbox, held to the same laws. The build
//! script compiles each package `siemaphore-formatter-<folder>` beside this one; a new one needs no edit here.
#![forbid(unsafe_code)]

/// A formatter that comes with the host.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    /// The name of its folder: `splunk`.
    pub name: &'static str,
    /// A WebAssembly component for `wit/v1`.
    pub component: &'static [u8],
    /// What an operator can install in the SIEM: tables, pipelines, detection rules, dashboards. By file name.
    pub content: &'static [Content],
}

/// A file for the SIEM, from `plugins/<name>/content/`.
#[derive(Debug, Clone, Copy)]
pub struct Content {
    pub file: &'static str,
    pub text: &'static str,
}

/// All of them, by name.
pub fn formatters() -> &'static [Bundled] {
    FORMATTERS
}

include!(concat!(env!("OUT_DIR"), "/formatters.rs"));

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_formatter_beside_this_crate_is_bundled_as_a_component() {
        let names: Vec<_> = formatters().iter().map(|formatter| formatter.name.to_owned()).collect();
        let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap();
        let folders = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let beside: BTreeSet<String> =
            folders.filter(|name| !matches!(name.as_str(), "bundle" | "producers")).collect();
        assert_eq!(names, beside.into_iter().collect::<Vec<_>>());
        for formatter in formatters() {
            // The preamble of a component, which differs from that of a module.
            assert_eq!(formatter.component.get(..8), Some(&b"\0asm\x0d\0\x01\0"[..]), "{}", formatter.name);
        }
    }

    /// Customers download, review and keep these files, and the host maps each into memory.
    #[test]
    fn components_stay_small() {
        for formatter in formatters() {
            let kib = formatter.component.len() / 1024;
            assert!(kib < 500, "{} has {kib} KiB", formatter.name);
        }
    }
}
