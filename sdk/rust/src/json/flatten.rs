//! A document for a SIEM that finds fields by name only: one level, nested members under their path.

use super::{Names, Outline, scan};

/// Objects whose members would be fields beyond so many stay as they are. Repeating a long path for each of thousands
/// of members would make a record many times its document.
const MOST_FLATTENED: usize = 1_000;

/// An object deeper than this stays as it is, for the same reason.
const LONGEST_PREFIX_BYTES: usize = 128;

/// What a field gets before it when its name is taken.
const ASIDE: &str = "document.";

/// Calls `field` with the path and the value of each member: `tool_call.tool_name`. Null says nothing, so it is left
/// out; an object without members is a value.
pub fn flatten(outline: &Outline<'_>, mut field: impl FnMut(&str, &str)) {
    let mut walk = Walk { path: String::with_capacity(64), fields: 0 };
    walk.members(outline, &mut field);
}

struct Walk {
    path: String,
    fields: usize,
}

impl Walk {
    fn members(&mut self, outline: &Outline<'_>, field: &mut impl FnMut(&str, &str)) {
        for member in outline.members() {
            let parent = self.path.len();
            if parent > 0 {
                self.path.push('.');
            }
            self.path.push_str(&member.key());
            if let Some(inner) = self.flattened(member.value) {
                self.members(&inner, field);
            } else if member.value != "null" {
                self.fields += 1;
                field(&self.path, member.value);
            }
            self.path.truncate(parent);
        }
    }

    /// The members of an object that becomes a field for each of them.
    fn flattened<'v>(&self, value: &'v str) -> Option<Outline<'v>> {
        if self.path.len() > LONGEST_PREFIX_BYTES || !scan::is_object(value) {
            return None;
        }
        let outline = Outline::new(value);
        let fields = self.fields.saturating_add(outline.members().len());
        (!outline.members().is_empty() && fields <= MOST_FLATTENED).then_some(outline)
    }
}

impl Names<'_> {
    /// Takes the path as a name, with `document.` before it as often as it needs to be new.
    pub fn insert_path(&mut self, path: &str) -> String {
        let mut name = path.to_owned();
        while !self.insert(name.clone()) {
            name.insert_str(0, ASIDE);
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(document: &str) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        flatten(&Outline::new(document), |path, value| fields.push((path.to_owned(), value.to_owned())));
        fields
    }

    fn field(path: &str, value: &str) -> (String, String) {
        (path.to_owned(), value.to_owned())
    }

    #[test]
    fn nested_members_stand_under_their_path_and_lists_stay_whole() {
        let document = r#"{"a":{"b":{"c":1},"d":[{"e":2}]},"n":null,"empty":{},"t":"x"}"#;
        let expected =
            [field("a.b.c", "1"), field("a.d", r#"[{"e":2}]"#), field("empty", "{}"), field("t", "\"x\"")];
        assert_eq!(fields(document), expected);
    }

    #[test]
    fn an_object_that_is_too_wide_or_too_deep_stays_whole() {
        let members: Vec<String> = (0..=MOST_FLATTENED).map(|number| format!("\"m{number}\":1")).collect();
        let wide = format!("{{{}}}", members.join(","));
        assert_eq!(fields(&format!("{{\"wide\":{wide}}}")), [field("wide", &wide)]);
        let long = "k".repeat(LONGEST_PREFIX_BYTES);
        let deep = format!(r#"{{"{long}":{{"a":{{"b":1}}}}}}"#);
        assert_eq!(fields(&deep), [field(&format!("{long}.a"), r#"{"b":1}"#)]);
    }

    #[test]
    fn a_path_that_is_taken_moves_aside() {
        let mut names = Names::default();
        names.insert("severity");
        assert_eq!(names.insert_path("severity"), "document.severity");
        assert_eq!(names.insert_path("severity"), "document.document.severity");
        assert_eq!(names.insert_path("time"), "time");
    }
}
