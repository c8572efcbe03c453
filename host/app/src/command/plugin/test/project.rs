//! A formatter's project, as docs/writing-a-formatter.md lays it out.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Map, Value};

/// Files that say the language, the name and the version.
const MANIFESTS: [&str; 3] = ["Cargo.toml", "package.json", "pyproject.toml"];
/// What a file of events may be called: one event or an array of them, or one a line. Both are read in any form.
const SAMPLES: [&str; 3] = ["json", "jsonl", "ndjson"];
/// More samples than people look at.
const MOST_SAMPLES: usize = 1_000;
/// Sources that are looked at for the time of their last change.
const MOST_SOURCES: usize = 10_000;

pub(super) struct Project {
    folder: PathBuf,
    pub(super) component: PathBuf,
    /// In the order of their names.
    pub(super) samples: Vec<Sample>,
}

pub(super) struct Sample {
    pub(super) events: PathBuf,
    pub(super) snapshot: PathBuf,
}

impl Project {
    pub(super) fn open(folder: &Path) -> Result<Project> {
        // As a person would write it: `events/a.json`, not `./events/a.json`.
        let folder = if folder == Path::new(".") { Path::new("") } else { folder };
        let events = with_extension(&folder.join("events"), &SAMPLES)?;
        if events.is_empty() {
            bail!(
                "there are no samples in {}\n  hint: put an event as a producer sends it there, in a `.json` file, or \
                 several in a `.jsonl` file, one a line; `siemaphore plugin new` makes a whole project",
                folder.join("events").display()
            );
        }
        let snapshot = |events: &PathBuf| {
            let stem = events.file_stem().unwrap_or_default();
            folder.join("snapshots").join(stem).with_extension("txt")
        };
        let samples: Vec<Sample> =
            events.into_iter().map(|events| Sample { snapshot: snapshot(&events), events }).collect();
        refuse_shared_snapshots(&samples)?;
        Ok(Project { folder: folder.to_owned(), component: component(folder)?, samples })
    }

    /// As they are written; the formatter's own example where the project has none.
    pub(super) fn settings(&self) -> Result<Option<String>> {
        let path = self.folder.join("settings.json");
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
            Ok(text) => match serde_json::from_str::<Map<String, Value>>(&text) {
                Ok(_) => Ok(Some(text)),
                Err(error) => Err(anyhow!("{} is not one JSON object: {error}", path.display())),
            },
        }
    }

    pub(super) fn superfluous(&self) -> Vec<PathBuf> {
        let wanted: BTreeSet<&PathBuf> = self.samples.iter().map(|sample| &sample.snapshot).collect();
        let found = with_extension(&self.folder.join("snapshots"), &["txt"]).unwrap_or_default();
        found.into_iter().filter(|snapshot| !wanted.contains(snapshot)).collect()
    }

    /// A source that was changed after the component was built. What cannot be told is not told.
    pub(super) fn changed_since_built(&self) -> Option<PathBuf> {
        let built = modified(&self.component)?;
        let mut waiting: Vec<PathBuf> = MANIFESTS.iter().map(|name| self.folder.join(name)).collect();
        waiting.push(self.folder.join("src"));
        let mut looked_at = 0;
        while let Some(path) = waiting.pop() {
            looked_at += 1;
            if looked_at > MOST_SOURCES {
                return None;
            }
            // A link is its own time, and leads nowhere: there are no circles.
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            if metadata.is_dir() && is_built_in(&path) {
                let entries = fs::read_dir(&path).into_iter().flatten().flatten();
                waiting.extend(entries.take(MOST_SOURCES).map(|entry| entry.path()));
            } else if is_built_in(&path) && metadata.modified().is_ok_and(|modified| modified > built) {
                return Some(path);
            }
        }
        None
    }
}

/// `a.json` and `a.jsonl` would overwrite each other's snapshot.
fn refuse_shared_snapshots(samples: &[Sample]) -> Result<()> {
    let shared = samples.iter().zip(samples.iter().skip(1)).find(|(one, next)| one.snapshot == next.snapshot);
    if let Some((one, next)) = shared {
        bail!(
            "{} and {} would share {}\n  hint: give one of them another name",
            one.events.display(),
            next.events.display(),
            one.snapshot.display()
        );
    }
    Ok(())
}

/// Whether what a file says gets into the component: native tests do not, nor what editors and interpreters leave behind.
fn is_built_in(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_test = name.ends_with(".test.js") || (name.starts_with("test_") && name.ends_with(".py"));
    !is_test && !name.starts_with('.') && !name.ends_with('~') && name != "__pycache__"
}

/// `dist/NAME.wasm`, whatever its name is.
fn component(folder: &Path) -> Result<PathBuf> {
    let dist = folder.join("dist");
    let mut built = with_extension(&dist, &["wasm"])?;
    match (built.pop(), built.is_empty()) {
        (Some(component), true) => Ok(component),
        (None, _) => Err(anyhow!(
            "{} holds no `.wasm` file\n  hint: `siemaphore plugin build` builds it",
            dist.display()
        )),
        (Some(_), false) => Err(anyhow!(
            "{} holds several `.wasm` files\n  hint: remove those that are left from another name",
            dist.display()
        )),
    }
}

/// The files of a folder with one of these extensions, in the order of their names. No folder is an empty one.
fn with_extension(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
    };
    let is_one = |entry: &DirEntry| {
        let name = entry.path();
        name.extension().is_some_and(|found| extensions.iter().any(|extension| found == *extension))
            && !entry.file_name().as_encoded_bytes().starts_with(b".")
            && name.is_file()
    };
    let mut files: Vec<PathBuf> = entries.flatten().filter(is_one).map(|entry| entry.path()).collect();
    if files.len() > MOST_SAMPLES {
        let extension = extensions.join("` or `.");
        bail!("{} holds more than {MOST_SAMPLES} `.{extension}` files", folder.display());
    }
    files.sort();
    Ok(files)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}
