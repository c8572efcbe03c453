//! The schema that the events of a source have to fit: read and compiled once, before anything is started.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use siemaphore_intake::{SCHEMA_BYTES, Schema};
use tokio::task::spawn_blocking;

use crate::config::Problems;
use crate::config::problem::at;

pub(super) async fn prepare(problems: &mut Problems<'_>, index: usize, file: PathBuf) -> Option<Arc<Schema>> {
    let compiled = spawn_blocking(move || compile(&file)).await;
    let gave_up = |_| Err(("the schema could not be compiled".to_owned(), String::new()));
    problems.check(at!["source", index, "schema"], compiled.unwrap_or_else(gave_up)).map(Arc::new)
}

/// The cause, and what to do.
fn compile(file: &Path) -> Result<Schema, (String, String)> {
    let text = read(file).map_err(|error| {
        let hint =
            "name a readable file with a JSON Schema; a relative path starts at the configuration's folder";
        (format!("cannot read the schema {}: {error}", file.display()), hint.to_owned())
    })?;
    Schema::compile(&text).map_err(|error| (format!("{}: {error}", file.display()), error.hint().to_owned()))
}

/// No more than a schema may have, and one byte: what is longer is refused for it.
fn read(file: &Path) -> std::io::Result<String> {
    // Before opening: to open a named pipe would wait for a writer, for ever.
    if !std::fs::metadata(file)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    File::open(file)?.take(SCHEMA_BYTES as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}
