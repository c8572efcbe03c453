//! Which of a guest's last lines say what broke it: each language's runtime has words of its own around the message.

use crate::text::clean_line;

/// What the runtime of JavaScript says behind every exception.
const JAVASCRIPT_STACK: &str = "Stack:";
const RUST_PANIC: &str = " panicked at ";

/// One line, from lines that were cleaned; none where nothing was written.
pub(super) fn of(lines: &[String]) -> Option<String> {
    let told = rust_panic(lines)
        .or_else(|| javascript_exception(lines))
        .or_else(|| python_exception(lines))
        .or_else(|| lines.last().cloned())?;
    Some(clean_line(&told))
}

/// `thread '…' panicked at src/lib.rs:12:5:`, the message in the lines below, and advice about backtraces.
fn rust_panic(lines: &[String]) -> Option<String> {
    let is_place = |line: &String| line.starts_with("thread '") && line.contains(RUST_PANIC);
    let (place, below) = lines.get(lines.iter().rposition(is_place)?..)?.split_first()?;
    let is_advice = |line: &&String| {
        line.starts_with("note: run with `RUST_BACKTRACE") || line.starts_with("stack backtrace:")
    };
    let message = below.iter().take_while(|line| !is_advice(line)).map(|line| line.trim());
    let place = place.get(place.find(RUST_PANIC)?..)?.trim_start();
    let words: Vec<&str> = std::iter::once(place).chain(message).collect();
    Some(words.join(" "))
}

/// The message's last line, `Stack:`, and a frame a line: `format@src/formatter.js:48:11`.
fn javascript_exception(lines: &[String]) -> Option<String> {
    let at = lines.iter().rposition(|line| line == JAVASCRIPT_STACK)?;
    let message = lines.get(at.checked_sub(1)?)?;
    let frames = lines.get(at..)?.iter().filter_map(|line| line.split_once('@')).map(|(_, place)| place);
    // The author's own: neither our SDK's nor the bindings' that the tools add.
    let mut own =
        frames.filter(|place| !place.starts_with("siemaphore/sdk/") && !place.contains("/initializer.js:"));
    Some(match own.next() {
        Some(place) => format!("{message} ({place})"),
        None => message.clone(),
    })
}

/// `Traceback (most recent call last):`, two lines a frame, and the exception.
fn python_exception(lines: &[String]) -> Option<String> {
    let at = lines.iter().rposition(|line| line.starts_with("Traceback (most recent call last)"))?;
    let below = lines.get(at + 1..)?;
    let exception = below.iter().find(|line| !line.starts_with(' '))?;
    let frames = below.iter().take_while(|line| line.starts_with(' '));
    let frame = frames.filter(|line| line.starts_with("  File ")).last();
    // `File "/0/formatter.py", line 52, in format`
    let place = frame.and_then(|frame| {
        let (file, rest) = frame.split_once('"')?.1.split_once("\", line ")?;
        let file = file.rsplit('/').next()?;
        Some(format!(" ({file}, line {})", rest.split(',').next()?))
    });
    Some(format!("{exception}{}", place.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(written: &str) -> Option<String> {
        let lines: Vec<String> = written.lines().map(clean_line).filter(|line| !line.is_empty()).collect();
        of(&lines)
    }

    /// What a formatter of the Rust template wrote.
    const RUST: &str = "
thread '<unnamed>' (1) panicked at src/lib.rs:65:13:
assertion `left == right` failed: two parts of 8a0068a789a281f29a2ccc4546031aec
  left: 1
 right: 2
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
";
    /// One of the JavaScript template, whose `interpret` threw `new RangeError('no such page')`.
    const JAVASCRIPT: &str = "no such page
Stack:
  interpret@src/formatter.js:72:37
  interpret@siemaphore/sdk/javascript/formatter.js:29:41
  export_formatter_1_0_0$interpret@/tmp/e15824ba9fe2/sources/initializer.js:859:15

Redirecting call to abort() to mozalloc_abort
";
    /// The bindings of the JavaScript tools, when they were given something else than the contract has.
    const BINDINGS: &str = "expected a string, received [object]
Stack:
  _utf8AllocateAndEncode@/tmp/1b7e3a7447f2/sources/initializer.js:72:11
  export_formatter_1_0_0$format@/tmp/1b7e3a7447f2/sources/initializer.js:793:45

Redirecting call to abort() to mozalloc_abort
";
    /// Python where its standard error is not stubbed.
    const PYTHON: &str = r#"Traceback (most recent call last):
  File "/0/siemaphore_sdk/formatter.py", line 81, in format
    return _records(self.formatter, events)
  File "/0/formatter.py", line 52, in format
    raise KeyError("x")
KeyError: 'x'
"#;

    #[test]
    fn each_language_says_what_broke_it_and_where() {
        for (written, expected) in [
            (
                RUST,
                "panicked at src/lib.rs:65:13: assertion `left == right` failed: two parts of \
                 8a0068a789a281f29a2ccc4546031aec left: 1 right: 2",
            ),
            (JAVASCRIPT, "no such page (src/formatter.js:72:37)"),
            (BINDINGS, "expected a string, received [object]"),
            (PYTHON, "KeyError: 'x' (formatter.py, line 52)"),
        ] {
            assert_eq!(told(written).as_deref(), Some(expected));
            // Whatever it wrote before that.
            assert_eq!(told(&format!("debugging\n{written}")).as_deref(), Some(expected));
        }
    }

    #[test]
    fn words_of_no_known_runtime_are_told_by_their_last_line() {
        for (written, expected) in [
            ("", None),
            ("one\ntwo\n", Some("two")),
            ("Stack:\n", Some("Stack:")),
            ("Traceback (most recent call last):\n", Some("Traceback (most recent call last):")),
            ("thread 'x' panicked at src/lib.rs:1:2:\n", Some("panicked at src/lib.rs:1:2:")),
            ("it panicked at noon\nlast\n", Some("last")),
        ] {
            assert_eq!(told(written).as_deref(), expected);
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let long = format!("thread 'x' panicked at a.rs:1:1:\n{}", "word\n".repeat(1_000));
        assert!(told(&long).is_some_and(|told| told.len() <= crate::limits::MAX_TEXT_BYTES));
    }
}
