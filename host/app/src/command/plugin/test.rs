//! `siemaphore plugin test`: a project's samples formatted, and the requests compared with its snapshots.
//!
//! Samples come in at one constant time and with the shipped profiles, and the settings are the project's: nothing of the
//! machine gets into a snapshot.

mod project;

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use siemaphore_model::normalise::Normaliser;
use siemaphore_model::redaction::Redaction;
use siemaphore_sandbox::Formatter;

use crate::cli::Test;
use crate::command::plugin::diff::changes::Changes;
use crate::command::plugin::diff::record;
use crate::command::plugin::file::{PluginFile, write_whole};
use crate::command::plugin::format;
use crate::command::plugin::offline::Named;
use crate::command::plugin::test::project::{Project, Sample};
use crate::command::{Failure, reading};
use crate::print;

/// When samples come in: 2000-01-01T00:00:00Z.
const RECEIVED: Duration = Duration::from_secs(946_684_800);
/// A snapshot is read by people; a longer one would be of no use, and a diff of it neither.
const LONGEST_SNAPSHOT_BYTES: u64 = 16 << 20;

pub(crate) async fn run(command: Test) -> Result<(), Failure> {
    let Test { folder, update, json } = command;
    let tested = tokio::task::spawn_blocking(move || Tested::of(&folder, update)).await??;
    if json {
        print::json(&tested)?;
    } else {
        tested.show(update);
    }
    if tested.is_right() { Ok(()) } else { Err(Failure::Said) }
}

#[derive(Debug, Serialize)]
struct Tested {
    component: String,
    /// A source file that was changed after the component was built.
    changed_since_built: Option<String>,
    samples: Vec<Outcome>,
    /// Snapshots that no sample is for.
    superfluous: Vec<String>,
    #[serde(skip)]
    updated: bool,
}

#[derive(Debug, Serialize)]
struct Outcome {
    sample: String,
    snapshot: String,
    #[serde(flatten)]
    state: State,
}

/// What became of a sample's snapshot.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State {
    Same,
    Different(Changes),
    Missing,
    Written,
}

impl Tested {
    fn of(folder: &Path, update: bool) -> Result<Tested> {
        let project = Project::open(folder)?;
        let settings = project.settings()?;
        let formatter = Named::from(PluginFile::read(&project.component)?).load()?;
        let normaliser = Normaliser::with_profiles(&[], "auto", &Redaction::default())?;
        let mut samples = Vec::new();
        for sample in &project.samples {
            let text = requests(&formatter, settings.as_deref(), sample, &normaliser)?;
            let state = State::of(sample, &text, update)?;
            let shown = |path: &Path| path.display().to_string();
            samples.push(Outcome { sample: shown(&sample.events), snapshot: shown(&sample.snapshot), state });
        }
        let superfluous = project.superfluous();
        if update {
            for snapshot in &superfluous {
                fs::remove_file(snapshot).with_context(|| format!("cannot remove {}", snapshot.display()))?;
            }
        }
        Ok(Tested {
            component: project.component.display().to_string(),
            changed_since_built: project.changed_since_built().map(|path| path.display().to_string()),
            samples,
            superfluous: superfluous.iter().map(|path| path.display().to_string()).collect(),
            updated: update,
        })
    }

    /// Once the snapshots have been written, they are what the samples give.
    fn is_right(&self) -> bool {
        let same = |outcome: &Outcome| matches!(outcome.state, State::Same);
        self.updated || (self.superfluous.is_empty() && self.samples.iter().all(same))
    }

    fn show(&self, update: bool) {
        if let Some(changed) = &self.changed_since_built {
            print::aside(format_args!(
                "warning: {changed} is newer than {}; `siemaphore plugin build` builds it again\n",
                self.component
            ));
        }
        for Outcome { sample, snapshot, state } in &self.samples {
            match state {
                State::Same => print::line(format_args!("same       {sample}")),
                State::Written => print::line(format_args!("written    {sample}   {snapshot}")),
                State::Missing => print::line(format_args!("missing    {sample}   there is no {snapshot}")),
                State::Different(changes) => {
                    print::line(format_args!("different  {sample}"));
                    changes.show();
                }
            }
        }
        for snapshot in &self.superfluous {
            let what = if update { "removed" } else { "there is no sample for it" };
            print::line(format_args!("extra      {snapshot}   {what}"));
        }
        let count = |is_it: fn(&State) -> bool| self.samples.iter().filter(|one| is_it(&one.state)).count();
        let same = count(|state| matches!(state, State::Same));
        let written = count(|state| matches!(state, State::Written));
        let samples = print::count(self.samples.len() as u64, "sample");
        print::line(match update {
            true => {
                format!("\n{samples}: {same} the same, {} written", print::count(written as u64, "snapshot"))
            }
            false => format!("\n{samples}: {same} the same"),
        });
        if !self.is_right() {
            print::line("if that is what the formatter shall do: siemaphore plugin test --update");
        }
    }
}

impl State {
    fn of(sample: &Sample, text: &[u8], update: bool) -> Result<State> {
        let before = read_snapshot(&sample.snapshot)?;
        let state = match &before {
            None => State::Missing,
            Some(before) => match record::changes(before, text) {
                None => return Ok(State::Same),
                Some(changes) => State::Different(changes),
            },
        };
        if !update {
            return Ok(state);
        }
        if let Some(folder) = sample.snapshot.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        write_whole(&sample.snapshot, text)?;
        Ok(State::Written)
    }
}

fn requests(
    formatter: &Formatter,
    settings: Option<&str>,
    sample: &Sample,
    normaliser: &Normaliser,
) -> Result<Vec<u8>> {
    let received = SystemTime::UNIX_EPOCH + RECEIVED;
    let taken = reading::read_at(&sample.events, normaliser, received)?;
    let requests = format::requests(formatter, settings, None, taken);
    Ok(requests.with_context(|| sample.events.display().to_string())?.text())
}

fn read_snapshot(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if metadata.len() > LONGEST_SNAPSHOT_BYTES => {
            bail!("{} is longer than a snapshot can be\n  hint: remove it, then `--update`", path.display())
        }
        _ => {}
    }
    fs::read(path).map(Some).with_context(|| format!("cannot read {}", path.display()))
}
