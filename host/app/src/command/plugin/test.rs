//! `siemaphore plugin test`: a project's samples formatted, and the requests compared with its snapshots.
//!
//! Samples come in at one constant time and with the shipped profiles, and the settings are the project's: nothing of the
//! machine gets into a snapshot.

mod project;

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, anyhow, bail};
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
use crate::command::plugin::project::Project as BuildProject;
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
    /// The component and the project's manifest do not say the same version.
    version_problem: Option<String>,
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
    /// It cannot be formatted: nothing is compared or written.
    Failed {
        problem: String,
    },
}

impl Tested {
    fn of(folder: &Path, update: bool) -> Result<Tested> {
        let project = Project::open(folder)?;
        let changed_since_built = project.changed_since_built().map(|path| path.display().to_string());
        if let Some(changed) = changed_since_built.as_ref().filter(|_| update) {
            bail!("{}", outdated(&project.component.display(), changed));
        }
        let settings = project.settings()?;
        let formatter = Named::from(PluginFile::read(&project.component)?).load()?;
        // A folder without a manifest has samples all the same.
        let version = &formatter.description().version;
        let version_problem =
            BuildProject::find(folder).ok().and_then(|built| built.version_problem(version));
        let normaliser = Normaliser::with_profiles(&[], "auto", &Redaction::default())?;
        let mut samples = Vec::new();
        for sample in &project.samples {
            let state = match requests(&formatter, settings.as_deref(), sample, &normaliser) {
                Ok(text) => State::of(sample, &text, update)?,
                Err(error) => State::Failed { problem: format!("{error:#}") },
            };
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
            changed_since_built,
            version_problem,
            samples,
            superfluous: superfluous.iter().map(|path| path.display().to_string()).collect(),
            updated: update,
        })
    }

    /// Once the snapshots have been written, they are what the samples give.
    fn is_right(&self) -> bool {
        let right = |outcome: &Outcome| matches!(outcome.state, State::Same | State::Written);
        self.changed_since_built.is_none()
            && self.version_problem.is_none()
            && (self.updated || self.superfluous.is_empty())
            && self.samples.iter().all(right)
    }

    fn show(&self, update: bool) {
        for Outcome { sample, snapshot, state } in &self.samples {
            match state {
                State::Same => print::line(format_args!("same       {sample}")),
                State::Written => print::line(format_args!("written    {sample}   {snapshot}")),
                State::Missing => print::line(format_args!("missing    {sample}   there is no {snapshot}")),
                State::Different(changes) => {
                    print::line(format_args!("different  {sample}"));
                    changes.show();
                }
                State::Failed { problem } => {
                    print::line(format_args!("failed     {sample}"));
                    problem.lines().for_each(|line| print::line(format_args!("  {line}")));
                }
            }
        }
        for snapshot in &self.superfluous {
            let what = if update { "removed" } else { "there is no sample for it" };
            print::line(format_args!("extra      {snapshot}   {what}"));
        }
        self.sum_up(update);
    }

    fn sum_up(&self, update: bool) {
        let count = |is_it: fn(&State) -> bool| self.samples.iter().filter(|one| is_it(&one.state)).count();
        let same = count(|state| matches!(state, State::Same));
        let written = count(|state| matches!(state, State::Written));
        let failed = count(|state| matches!(state, State::Failed { .. }));
        let mut summary = format!("\n{}: {same} the same", print::count(self.samples.len() as u64, "sample"));
        if update {
            summary.push_str(&format!(", {} written", print::count(written as u64, "snapshot")));
        }
        if failed > 0 {
            summary.push_str(&format!(", {failed} failed"));
        }
        print::line(summary);
        let outdated = self.changed_since_built.as_ref().map(|changed| outdated(&self.component, changed));
        let problem = outdated.or_else(|| self.version_problem.clone());
        if let Some(problem) = problem {
            print::aside(format_args!("error: {problem}"));
        } else if failed == 0 && !self.is_right() {
            print::line("if that is what the formatter shall do: siemaphore plugin test --update");
        }
    }
}

/// What an outdated component does is not what its sources say: neither good nor bad news counts.
fn outdated(component: &impl std::fmt::Display, changed: &str) -> String {
    format!("{component} is older than {changed}\n  hint: run `siemaphore plugin build`, then test again")
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
    let requests = format::requests(formatter, settings, None, taken)?;
    match requests.defects() {
        // A defect must not become what the project is held to.
        Some(defects) => Err(anyhow!(defects)),
        None => Ok(requests.text()),
    }
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
