//! Names that Log Analytics takes for columns: a letter first, then letters, digits and `_`, at most 45 of them, and
//! not one of its own.
//!
//! The same path always gets the same name, in every event and on every host, or a table would need two columns.

use std::borrow::Cow;

use siemaphore_sdk::json::Names;

const LONGEST: usize = 45;

/// In lower case: Log Analytics does not tell `Type` from `type`.
const RESERVED: [&str; 7] = ["_resourceid", "_subscriptionid", "id", "tenantid", "title", "type", "uniqueid"];

/// The columns of one row so far.
#[derive(Debug, Default)]
pub(crate) struct Columns(Names<'static>);

impl Columns {
    /// The column for a path. A path whose column is taken gets a number: `_2`, `_3`, in the document's order.
    pub(crate) fn claim(&mut self, path: &str) -> String {
        let name = legal(path);
        if self.0.insert(name.clone().into_owned()) {
            return name.into_owned();
        }
        let mut number = 2_usize;
        loop {
            let suffix = format!("_{number}");
            let stem = name.get(..name.len().min(LONGEST - suffix.len())).unwrap_or(&name);
            let numbered = format!("{stem}{suffix}");
            if self.0.insert(numbered.clone()) {
                return numbered;
            }
            number += 1;
        }
    }
}

/// The path as a column's name; unchanged where Log Analytics takes it.
pub(crate) fn legal(path: &str) -> Cow<'_, str> {
    if is_legal(path) {
        return Cow::Borrowed(path);
    }
    let replaced: String = path
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
        .collect();
    let trimmed = replaced.trim_start_matches('_');
    let mut name = if trimmed.starts_with(|first: char| first.is_ascii_alphabetic()) && !is_reserved(trimmed)
    {
        trimmed.to_owned()
    } else {
        format!("x_{trimmed}")
    };
    if name.len() > LONGEST {
        // Long paths often differ at their end only.
        let digest = format!("_{:08x}", digest(path));
        name.truncate(LONGEST - digest.len());
        name.push_str(&digest);
    }
    Cow::Owned(name)
}

fn is_legal(name: &str) -> bool {
    name.len() <= LONGEST
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !is_reserved(name)
}

fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// FNV-1a: names have to stay apart by accident only, and to stay the same for ever.
fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |digest, byte| (digest ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_names_stay_and_others_become_legal() {
        for (path, expected) in [
            ("event_type", "event_type"),
            ("TimeGenerated", "TimeGenerated"),
            ("@timestamp", "timestamp"),
            ("id", "x_id"),
            ("Type", "x_Type"),
            ("title", "x_title"),
            ("_ResourceId", "ResourceId"),
            ("TenantId", "x_TenantId"),
            ("7up", "x_7up"),
            ("a.b-c", "a_b_c"),
            ("größe", "gr__e"),
            ("", "x_"),
            ("日本", "x_"),
        ] {
            assert_eq!(legal(path), expected, "{path}");
            assert!(is_legal(&legal(path)), "{path}");
        }
    }

    #[test]
    fn long_paths_keep_apart_and_keep_their_name() {
        let (first, second) = ("a".repeat(60) + "_x", "a".repeat(60) + "_y");
        assert_ne!(legal(&first), legal(&second));
        assert_eq!(legal(&first), legal(&first));
        assert_eq!(legal(&first).len(), LONGEST);
        assert_eq!(legal(&"b".repeat(45)), "b".repeat(45));
    }

    #[test]
    fn taken_columns_are_numbered_in_order() {
        let mut columns = Columns::default();
        let names = ["a_b", "a.b", "a-b", "a_b_2"].map(|path| columns.claim(path));
        assert_eq!(names, ["a_b", "a_b_2", "a_b_3", "a_b_2_2"]);
        let long = "c".repeat(45);
        let names = [columns.claim(&long), columns.claim(&long)];
        assert_eq!(names, [long.clone(), format!("{}_2", "c".repeat(43))]);
    }
}
