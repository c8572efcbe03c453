//! `siemaphore check`: everything that `run` would check, and nothing started.

use std::path::Path;

use serde_json::json;

use crate::command::Failure;
use crate::config::prepare::prepare;
use crate::config::{self, Problem, unconnected};
use crate::print;

pub(crate) async fn run(path: &Path, as_json: bool) -> Result<(), Failure> {
    let checked = match config::load(path) {
        Ok(config) => {
            let warnings = unconnected(&config);
            prepare(config).await.map(|prepared| (prepared, warnings))
        }
        Err(problems) => Err(problems),
    };
    let problems = match checked {
        Ok((prepared, warnings)) if as_json => {
            let (sources, destinations) = (prepared.asked(), prepared.summary());
            return Ok(print::json(
                &json!({ "ok": true, "sources": sources, "destinations": destinations, "warnings": warnings }),
            )?);
        }
        Ok((prepared, warnings)) => {
            prepared.asked().iter().for_each(|source| {
                print::line(format_args!("source {}  {}  GET {}", source.source, source.kind, source.url));
            });
            prepared.summary().iter().for_each(|destination| {
                print::line(format_args!("{}  {}", destination.destination, destination.request));
            });
            report(path, &warnings);
            return Ok(());
        }
        Err(problems) => problems,
    };
    if as_json {
        let body: &[Problem] = &problems;
        print::json(&json!({ "ok": false, "problems": body }))?;
        return Err(Failure::Configuration { file: path.display().to_string(), problems: Vec::new() });
    }
    Err(Failure::Configuration { file: path.display().to_string(), problems })
}

/// A host starts with such a configuration, so it is no failure; but it is not all well either.
fn report(path: &Path, warnings: &[Problem]) {
    for warning in warnings {
        print::line(format_args!("warning: {warning}"));
    }
    match warnings.len() {
        0 => print::line(format_args!("{} is fine", path.display())),
        count => print::line(format_args!("{} can be started; warnings: {count}", path.display())),
    }
}
