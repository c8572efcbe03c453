//! Names that the API takes for properties: letters, digits and `_`, at most 45 with the suffix of the type that it
//! appends, and not one of its own.

use siemaphore_sdk::json::Names;

/// 45 less the two characters of `_s`.
const LONGEST: usize = 43;

/// In lower case. A row with one of the first three is an error; the others belong to every table.
const RESERVED: [&str; 9] =
    ["tenant", "timegenerated", "rawdata", "_resourceid", "id", "tenantid", "title", "type", "uniqueid"];

/// The columns of one row so far.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    names: Names<'static>,
    pub(crate) count: usize,
}

impl Columns {
    /// The column for a path. A path whose column is taken gets a number, in the document's order.
    pub(crate) fn claim(&mut self, path: &str) -> String {
        self.count += 1;
        let name = legal(path);
        let mut claimed = name.clone();
        let mut number = 2_usize;
        while !self.names.insert(claimed.clone()) {
            let suffix = format!("_{number}");
            let stem = name.get(..name.len().min(LONGEST - suffix.len())).unwrap_or(&name);
            claimed = format!("{stem}{suffix}");
            number += 1;
        }
        claimed
    }
}

/// The same path always gets the same name, or a table would need two columns.
fn legal(path: &str) -> String {
    let replaced: String = path
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
        .collect();
    let mut name = replaced.trim_start_matches('_').to_owned();
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if !starts_well || RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(&name)) {
        name.insert_str(0, "x_");
    }
    if name.len() > LONGEST {
        // Long paths often differ at their end only.
        let digest = format!("_{:08x}", digest(path));
        name.truncate(LONGEST - digest.len());
        name.push_str(&digest);
    }
    name
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
            ("@timestamp", "timestamp"),
            ("TimeGenerated", "x_TimeGenerated"),
            ("tenant", "x_tenant"),
            ("rawData", "x_rawData"),
            ("id", "x_id"),
            ("7up", "x_7up"),
            ("a.b-c", "a_b_c"),
            ("größe", "gr__e"),
            ("", "x_"),
        ] {
            assert_eq!(legal(path), expected, "{path}");
        }
    }

    #[test]
    fn long_paths_keep_apart_and_leave_room_for_the_suffix() {
        let (first, second) = ("a".repeat(60) + "_x", "a".repeat(60) + "_y");
        assert_ne!(legal(&first), legal(&second));
        assert_eq!((legal(&first).len(), legal(&"b".repeat(43))), (43, "b".repeat(43)));
    }

    #[test]
    fn taken_columns_are_numbered_in_order() {
        let mut columns = Columns::default();
        assert_eq!(["a_b", "a.b", "a-b"].map(|path| columns.claim(path)), ["a_b", "a_b_2", "a_b_3"]);
        assert_eq!(columns.count, 3);
    }
}
