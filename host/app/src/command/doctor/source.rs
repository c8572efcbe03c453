//! A source that fetches: whether there is something to fetch, and how a running host gets on with it.

use serde::Deserialize;
use siemaphore_sources::Kind;
use siemaphore_sources::file::{FileConfig, examine};
use tokio::task::spawn_blocking;

use crate::command::doctor::finding::Finding;
use crate::control::Client;
use crate::print;

/// What the running host says of a source.
#[derive(Deserialize)]
struct Source {
    name: String,
    accepted: u64,
    problem: Option<String>,
    hint: Option<String>,
}

pub(crate) async fn check(name: String, kind: Kind, host: Option<&Client>) -> Vec<Finding> {
    let check = format!("source {name}");
    match kind {
        Kind::File(files) => {
            let found = spawn_blocking(move || of_files(check, &files)).await;
            found.into_iter().collect()
        }
        // Asking it from here could change what the server takes to be read, so only the host is asked.
        Kind::Sse(_) | Kind::Pull(_) => match host {
            Some(host) => of_host(check, &name, host).await,
            None => Vec::new(),
        },
    }
}

async fn of_host(check: String, name: &str, host: &Client) -> Vec<Finding> {
    let sources: Vec<Source> = match host.get("/v1/sources").await {
        Ok(sources) => sources,
        Err(error) => return vec![Finding::error(check, &error, "see the log of the host")],
    };
    let Some(source) = sources.into_iter().find(|source| source.name == name) else {
        let fix = "restart the host: it runs with another configuration";
        return vec![Finding::warning(check, "the running host does not know it", fix)];
    };
    vec![match source.problem {
        Some(problem) => Finding::failed(
            check,
            format!("the host waits: {problem}"),
            source.hint.unwrap_or_else(|| "see the log of the host".to_owned()),
        ),
        None => {
            Finding::ok(check, format!("{} since the host started", print::count(source.accepted, "event")))
        }
    }]
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
