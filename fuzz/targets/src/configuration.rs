//! The text of a configuration file.
//!
//! Promises: nothing panics; what cannot be read is an error at a place that exists; no word of a reference to a
//! secret is repeated when it is no reference.

use siemaphore_secrets::SecretReference;

use crate::config::file::File;
use crate::config::problem::{Document, Step, line_and_column};
use crate::config::quantity;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let lines = text.matches('\n').count() + 1;
    match toml::from_str::<File>(text) {
        Ok(file) => valid(text, &file, lines),
        Err(error) => {
            assert!(!error.message().is_empty());
            if let Some(span) = error.span() {
                let (line, column) = line_and_column(text, span.start);
                assert!((1..=lines).contains(&line) && column >= 1, "line {line} of {lines}");
            }
        }
    }
    values(text.trim());
}

fn valid(text: &str, file: &File, lines: usize) {
    let document = Document::new(text);
    for (index, destination) in file.destination.iter().enumerate() {
        for key in ["name", "endpoint", "secret", "absent"] {
            let path: Vec<Step> = vec!["destination".into(), index.into(), key.into()];
            let problem = document.problem(&path, "reason", "hint");
            let line = problem.line.expect("the destination is in the file");
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
            assert!(!problem.to_string().is_empty());
        }
        values(&destination.name);
    }
}

/// Single values are read in ways of their own.
fn values(text: &str) {
    drop(quantity::bytes(text));
    drop(quantity::duration(text));
    if let Err(error) = text.parse::<SecretReference>() {
        let shown = format!("{error} {error:?} {}", error.hint());
        assert!(text.len() < 12 || !shown.contains(text), "{shown}");
    }
}
