//! Plugin names: short, safe in URLs, file systems, metrics and logs.

use std::path::Path;

const MAX_BYTES: usize = 64;
pub(crate) const EXTENSION: &str = "wasm";

/// Lowercase letters, digits and hyphens, at most 64, and no hyphen at the beginning.
pub fn is_valid(name: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    !name.is_empty() && name.len() <= MAX_BYTES && !name.starts_with('-') && name.bytes().all(allowed)
}

/// The name that a file asks for, if it is meant to be a plugin at all. Hidden files are other programs' temporary
/// ones.
pub(crate) fn of_file(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_string_lossy();
    let is_plugin =
        path.extension().is_some_and(|extension| extension == EXTENSION) && !stem.starts_with('.');
    // Whoever sees a name that cannot be used sees no line breaks or terminal escapes of it.
    is_plugin.then(|| stem.escape_debug().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lowercase_words_with_hyphens() {
        for name in ["splunk", "my-siem-2", "0"] {
            assert!(is_valid(name), "{name}");
        }
        for name in ["", "-x", "My", "a_b", "a.b", "ä", "../x", &"x".repeat(65)] {
            assert!(!is_valid(name), "{name}");
        }
    }

    #[test]
    fn only_visible_wasm_files_are_plugins() {
        assert_eq!(of_file(Path::new("/p/acme.wasm")).as_deref(), Some("acme"));
        for path in ["/p/acme.txt", "/p/.acme.wasm", "/p/acme.wasm.tmp", "/p/acme", "/p/.wasm"] {
            assert_eq!(of_file(Path::new(path)), None, "{path}");
        }
    }
}
