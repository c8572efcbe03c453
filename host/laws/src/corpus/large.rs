//! Events of 250 KiB, each large in another way.

use super::Raw;

const BYTES: usize = 250 * 1024;

pub(super) fn events() -> impl Iterator<Item = Raw> {
    [
        ("text", text("x")),
        ("quotes", text("\\\"")),
        ("control-characters", text("\\u0001")),
        ("astral-text", text("😀")),
        ("members", format!("{{{}}}", filled(|number| format!("\"member{number}\":{{\"n\":{number}}}")))),
        ("numbers", format!("{{\"list\":[{}]}}", filled(|number| number.to_string()))),
    ]
    .into_iter()
    .map(|(kind, text)| Raw::new(format!("large/{kind}"), text))
}

/// In a member that is nobody's content, so that it stays.
fn text(part: &str) -> String {
    format!(
        r#"{{"event_id":"evt_large","event_type":"tool_call.completed","detail":"{}"}}"#,
        part.repeat(BYTES / part.len())
    )
}

fn filled(part: impl Fn(usize) -> String) -> String {
    let mut text = part(0);
    for number in 1.. {
        let next = part(number);
        if text.len() + 1 + next.len() > BYTES {
            break;
        }
        text.push(',');
        text.push_str(&next);
    }
    text
}
