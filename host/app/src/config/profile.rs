//! Operators' own profiles: how producers that no shipped profile knows write their events.

use siemaphore_model::Profile;

use crate::config::problem::{at, steps};
use crate::config::{Problems, destination};

/// The profiles of a file.
#[derive(Debug)]
pub(crate) struct Profiles {
    /// Those that can be used, in the order of the file, in which `auto` tries them.
    pub(crate) own: Vec<Profile>,
    /// The names of those that have been reported.
    pub(crate) broken: Vec<String>,
}

pub(crate) fn all(problems: &mut Problems<'_>, written: &[Profile]) -> Profiles {
    let mut profiles = Profiles { own: Vec::new(), broken: Vec::new() };
    for (index, profile) in written.iter().enumerate() {
        let before = problems.found.len();
        destination::check_name(problems, at!["profile", index, "name"], &profile.name);
        if profiles.own.iter().any(|other| other.name == profile.name) {
            let reason = format!("there are two profiles named `{}`", profile.name);
            problems.add(at!["profile", index, "name"], reason, "give each profile its own name");
        }
        for problem in profile.problems() {
            let mut path = at!["profile", index];
            path.extend(steps(&problem.place));
            problems.add(path, problem.reason, problem.hint);
        }
        if problems.found.len() == before {
            profiles.own.push(profile.clone());
        } else {
            profiles.broken.push(profile.name.clone());
        }
    }
    profiles
}
