//! `siemaphore plugin corpus`: the events that the laws are checked on, to look at and to format one by one.

use anyhow::anyhow;
use serde_json::{Value, json};

use crate::cli::Corpus;
use crate::command::Failure;
use crate::print;

pub(crate) fn run(command: &Corpus) -> Result<(), Failure> {
    let corpus = siemaphore_laws::corpus();
    if let Some(name) = &command.event {
        let case = corpus.case(name).ok_or_else(|| {
            anyhow!("there is no event `{name}`\n  hint: `siemaphore plugin corpus` lists them")
        })?;
        // As it is stored: what `plugin format` takes again.
        print::bytes(case.event.document().as_bytes());
        print::bytes(b"\n");
        return Ok(());
    }
    let cases = corpus.cases();
    if command.json {
        let listed = cases.map(|case| {
            json!({
                "name": case.name,
                "producer": case.event.producer(),
                "event_type": case.event.event_type(),
                "bytes": case.event.document().len(),
            })
        });
        return Ok(print::json(&listed.collect::<Vec<Value>>())?);
    }
    let mut table = print::table(&["event", "producer", "size"]);
    for case in cases {
        let size = print::size(case.event.document().len() as u64);
        table.add_row([case.name, case.event.producer(), &size].map(print::cell));
    }
    print::show(&table);
    Ok(())
}
