//! Describes settings with a schema of a few kilobytes that means 2^24 schemas when its references are followed, and
//! with a pattern that a backtracking matcher never finishes.

use super::{Guest, words};

/// Each definition refers to the next twice.
const DEPTH: usize = 24;

pub(crate) fn schema() -> String {
    let definitions: String = (0..DEPTH)
        .map(|level| {
            let next = format!(r##"{{"$ref":"#/$defs/d{}"}}"##, level + 1);
            format!(r#""d{level}":{{"allOf":[{next},{next}]}},"#)
        })
        .collect();
    format!(
        r##"{{"type":"object","properties":{{"name":{{"type":"string","pattern":"^(a+)+$"}}}},"$ref":"#/$defs/d0","$defs":{{{definitions}"d{DEPTH}":{{"type":"object"}}}}}}"##
    )
}

pub(crate) fn component() -> Vec<u8> {
    let schema = schema();
    let text = schema.replace('"', "\\22");
    Guest::honest()
        .extra(&format!(
            "(data (i32.const 0x24000) \"{text}\")
             (data (i32.const 1064) \"{}\")",
            words(&[0x24000, schema.len()])
        ))
        .component()
}
