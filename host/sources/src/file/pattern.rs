//! Which files of a folder are meant: a name in which `*` stands for any characters and `?` for one.

use std::path::{Path, PathBuf};

/// What log rotation leaves of a file that was read before: never events in plain text.
const COMPRESSED: [&str; 6] = [".gz", ".zst", ".xz", ".bz2", ".zip", ".lz4"];

/// Files of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pub folder: PathBuf,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("`{0}` names no file")]
    NoName(String),
    #[error("`{0}` has `*` or `?` in a folder's name")]
    InFolder(String),
}

impl Pattern {
    /// Of a path whose last part may hold `*` and `?`.
    pub fn new(path: &Path) -> Result<Pattern, PatternError> {
        let shown = path.display().to_string();
        let ends_in_slash = shown.ends_with('/');
        let (Some(name), Some(folder)) = (path.file_name().and_then(|name| name.to_str()), path.parent())
        else {
            return Err(PatternError::NoName(shown));
        };
        if ends_in_slash {
            return Err(PatternError::NoName(shown));
        }
        if folder.to_string_lossy().contains(['*', '?']) {
            return Err(PatternError::InFolder(shown));
        }
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Ok(Pattern { folder: folder.to_owned(), name: name.to_owned() })
    }

    pub fn matches(&self, name: &str) -> bool {
        let is_meant = name == self.name || !COMPRESSED.iter().any(|end| name.ends_with(end));
        is_meant && matches(self.name.as_bytes(), name.as_bytes())
    }
}

/// Without recursion: after a mismatch only the last `*` may take one character more.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, from) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_a_question_mark_for_one() {
        for (pattern, name, expected) in [
            ("a.jsonl", "a.jsonl", true),
            ("a.jsonl", "a.jsonl.1", false),
            ("*.jsonl", "a.jsonl", true),
            ("*.jsonl", ".jsonl", true),
            ("a.jsonl*", "a.jsonl.1", true),
            ("a.jsonl*", "a.jsonl.1.gz", false),
            ("a.jsonl.gz", "a.jsonl.gz", true),
            ("a-*-b*c", "a-x-b-y-bzc", true),
            ("a-*-b*c", "a-x-b-y-bzd", false),
            ("a?.log", "a1.log", true),
            ("a?.log", "a.log", false),
            ("***", "", true),
            ("*a", "bbba", true),
            ("*ab", "aab", true),
        ] {
            let pattern = Pattern::new(&Path::new("/logs").join(pattern)).unwrap();
            assert_eq!(pattern.matches(name), expected, "{pattern:?} {name}");
        }
    }

    #[test]
    fn a_path_must_name_files_of_one_folder() {
        assert_eq!(Pattern::new(Path::new("a.log")).unwrap().folder, Path::new("."));
        assert_eq!(Pattern::new(Path::new("/logs/")), Err(PatternError::NoName("/logs/".to_owned())));
        assert_eq!(Pattern::new(Path::new("/*/a")), Err(PatternError::InFolder("/*/a".to_owned())));
    }
}
