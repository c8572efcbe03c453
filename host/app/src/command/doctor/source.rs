//! A source that fetches: whether there is something to fetch.

use siemaphore_sources::Kind;
use siemaphore_sources::file::{FileConfig, examine};
use tokio::task::spawn_blocking;

use crate::command::doctor::finding::Finding;
use crate::print;

pub(crate) async fn check(name: String, kind: Kind) -> Vec<Finding> {
    let check = format!("source {name}");
    match kind {
        Kind::File(files) => {
            let found = spawn_blocking(move || of_files(check, &files)).await;
            found.into_iter().collect()
        }
        // What is asked is told by `check`; asking could change what the server takes to be read.
        Kind::Sse(_) | Kind::Pull(_) => Vec::new(),
    }
}

fn of_files(check: String, files: &FileConfig) -> Finding {
    let folder = files.pattern.folder.display();
    match examine(files) {
        Err(problem) => Finding::failed(check, problem.to_string(), problem.hint()),
        Ok(found) if found.is_empty() => Finding::warning(
            check,
            format!("no file in {folder} matches yet: it is read when it comes"),
            "if there should be one, compare `path` with the name of the file; links are not followed",
        ),
        Ok(found) => {
            let count = print::count(found.len() as u64, "file");
            Finding::ok(check, format!("{count} in {folder} can be read"))
        }
    }
}
