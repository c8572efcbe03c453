//! A document's members beside those that a SIEM gives a meaning.

use super::scan::Member;
use super::{Object, Outline, cut};

/// Writes the members of a document. One that `taken` claims moves aside and is kept as `original_<name>`, unless
/// `repeats` says that it tells nothing that is not in the object already. Values longer than `longest_value` are
/// [`cut`].
///
/// No key comes twice, as long as `taken` claims all that was written before and none of them begins with
/// `original_`.
pub fn write_beside(
    object: &mut Object<'_>,
    outline: &Outline<'_>,
    longest_value: usize,
    taken: impl Fn(&str, &Member<'_>) -> bool,
    repeats: impl Fn(&str, &Member<'_>) -> bool,
) {
    for member in outline.members() {
        let (key, value) = (member.key(), cut(member.value, longest_value));
        if !taken(&key, member) {
            object.plain_key(member.raw_key).raw(&value);
        } else if !repeats(&key, member) {
            let mut name = format!("original_{key}");
            while outline.contains(&name) {
                name.insert_str(0, "original_");
            }
            object.key(&name).raw(&value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Writer;

    #[test]
    fn claimed_members_move_aside_and_repetitions_are_left_out() {
        let outline = Outline::new(
            r#"{"time":1,"t\u0069me":2,"original_time":3,"same":"x","own":true,"long":"abcdefgh"}"#,
        );
        let mut record = Writer::default();
        {
            let mut object = record.object();
            object.plain_key("time").raw("0");
            write_beside(
                &mut object,
                &outline,
                6,
                |key, _| matches!(key, "time" | "same"),
                |_, member| member.value == "\"x\"",
            );
        }
        let text = String::from_utf8(record.into_bytes()).unwrap();
        assert_eq!(
            text,
            r#"{"time":0,"original_original_time":2,"original_time":3,"own":true,"long":"abcdef… [truncated]"}"#
        );
    }
}
