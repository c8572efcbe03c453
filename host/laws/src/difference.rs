//! Where two outcomes of the same event differ, for an author to see.

/// What a formatter made of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    Record(&'a [u8]),
    /// With its reason.
    Rejected(&'a str),
}

/// What is shown of a record: where the difference is, with what stands before it.
const BEFORE: usize = 12;
const SHOWN: usize = 48;

/// `it is `…1}` before and `…2}` after`, with words for the two; none when they are equal.
pub(crate) fn tell(first: (&str, Outcome<'_>), second: (&str, Outcome<'_>)) -> Option<String> {
    if first.1 == second.1 {
        return None;
    }
    let from = match (first.1, second.1) {
        (Outcome::Record(left), Outcome::Record(right)) => {
            left.iter().zip(right).take_while(|(left, right)| left == right).count()
        }
        _ => 0,
    };
    let [first, second] =
        [first, second].map(|(when, outcome)| format!("{when} it is {}", shown(outcome, from)));
    Some(format!("{first}, {second}"))
}

fn shown(outcome: Outcome<'_>, from: usize) -> String {
    match outcome {
        Outcome::Rejected(reason) => format!("rejected ({reason})"),
        Outcome::Record(record) => {
            let start = from.saturating_sub(BEFORE);
            let rest = record.get(start..).unwrap_or_default();
            let part = rest.get(..SHOWN.min(rest.len())).unwrap_or_default();
            let before = if start > 0 { "…" } else { "" };
            let after = if rest.len() > SHOWN { "…" } else { "" };
            format!(
                "`{before}{}{after}`",
                part.utf8_chunks()
                    .map(|chunk| chunk.valid().escape_debug().to_string()
                        + if chunk.invalid().is_empty() { "" } else { "\u{fffd}" })
                    .collect::<String>()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_outcomes_have_no_difference() {
        assert_eq!(tell(("alone", Outcome::Record(b"a")), ("in a batch", Outcome::Record(b"a"))), None);
        assert_eq!(tell(("alone", Outcome::Rejected("no")), ("in a batch", Outcome::Rejected("no"))), None);
    }

    #[test]
    fn a_difference_is_shown_where_it_is() {
        let told = |left, right| tell(("alone", left), ("in a batch", right)).unwrap();
        assert_eq!(
            told(Outcome::Record(br#"{"n":1}"#), Outcome::Record(br#"{"n":2}"#)),
            r#"alone it is `{\"n\":1}`, in a batch it is `{\"n\":2}`"#
        );
        let long = [b"x".repeat(100), b"1".to_vec(), b"y".repeat(100)].concat();
        let other = [b"x".repeat(100), b"\n\xff".to_vec(), b"y".repeat(3)].concat();
        assert_eq!(
            told(Outcome::Record(&long), Outcome::Record(&other)),
            format!(
                "alone it is `…{x}1{y}…`, in a batch it is `…{x}\\n\u{fffd}yyy`",
                x = "x".repeat(BEFORE),
                y = "y".repeat(SHOWN - BEFORE - 1)
            )
        );
        assert_eq!(
            told(Outcome::Rejected("too old"), Outcome::Record(b"a")),
            "alone it is rejected (too old), in a batch it is `a`"
        );
    }
}
