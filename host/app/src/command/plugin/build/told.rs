//! What the tools of a language say of an author's mistake, without the stack of the tools themselves.

/// Of an error that is not understood: its last lines, which as a rule say what it is about.
const LAST_LINES: usize = 5;
/// Where componentize-py has the first folder of `--python-path`.
const PYTHON_SOURCES: &str = "/0/";

/// Place and message of an error of componentize-py: `src/formatter.py:50: SyntaxError: …`.
pub(super) fn by_python(said: &str) -> String {
    // Its own stack is before that, and what follows says the same once more.
    let Some((_, error)) = said.split_once("AssertionError: ") else { return last_lines(said) };
    let error = error.split("\n\nCaused by:").next().unwrap_or(error);
    let Some(message) = error.lines().rfind(|line| !line.trim().is_empty()) else { return last_lines(said) };
    match error.lines().filter_map(own_frame).next_back() {
        Some((file, line)) => format!("src/{file}:{line}: {message}"),
        None => message.to_owned(),
    }
}

/// `  File "/0/formatter.py", line 50, in <module>`
fn own_frame(line: &str) -> Option<(&str, &str)> {
    let (file, rest) = line.trim().strip_prefix("File \"")?.split_once("\", line ")?;
    Some((file.strip_prefix(PYTHON_SOURCES)?, rest.split(',').next()?.trim()))
}

/// `build.js` says it in one line already.
pub(super) fn by_javascript(said: &str) -> String {
    last_lines(said)
}

fn last_lines(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As componentize-py prints it.
    fn printed(error: &str, cause: &str) -> String {
        format!(
            "Traceback (most recent call last):\n  File \"/p/.venv/bin/componentize-py\", line 8, in <module>\n    \
             sys.exit(script())\n             ^^^^^^^^\nAssertionError: {error}\n\n\nCaused by:\n    {cause}\n"
        )
    }

    #[test]
    fn a_mistake_in_python_is_told_by_file_line_and_message() {
        for (error, expected) in [
            (
                "  File \"/0/formatter.py\", line 50\n    def format self, event: Event) -> str:\n          ^\n\
                 SyntaxError: unmatched ')'",
                "src/formatter.py:50: SyntaxError: unmatched ')'",
            ),
            (
                "Traceback (most recent call last):\n  File \"/0/formatter.py\", line 6, in <module>\n    from x import y\n  \
                 File \"/1/siemaphore_sdk/json_text.py\", line 3, in <module>\n    nothing\nNameError: name 'nothing'",
                "src/formatter.py:6: NameError: name 'nothing'",
            ),
            (
                "AttributeError: module 'formatter' has no attribute 'Formatter'",
                "AttributeError: module 'formatter' has no attribute 'Formatter'",
            ),
        ] {
            assert_eq!(by_python(&printed(error, "the same once more")), expected);
        }
    }

    #[test]
    fn what_is_not_understood_is_told_by_its_last_lines() {
        let said = (1..=9).map(|number| format!("line {number}\n\n")).collect::<String>();
        assert_eq!(by_python(&said), "line 5\nline 6\nline 7\nline 8\nline 9");
        assert_eq!(by_javascript(""), "");
    }
}
