//! The state folder: everything that must survive a restart, and the control socket.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use rustix::fs::Access;

/// Others may write: whoever can rename what is in it can take the socket's place.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Makes the folder for this user alone, or refuses one that others can change.
pub(crate) fn prepare(state: &Path) -> Result<()> {
    if let Some(Obstacle { reason, hint }) = obstacle(state) {
        bail!("the state folder {reason}\n  hint: {hint}");
    }
    DirBuilder::new().recursive(true).mode(0o700).create(state).map_err(|error| {
        anyhow!("the state folder {} cannot be created: {error}\n  hint: {}", state.display(), CHOOSE_ANOTHER)
    })?;
    let mode = fs::metadata(state)?.permissions().mode();
    if mode & WRITABLE_BY_OTHERS != 0 {
        bail!(
            "the state folder {} can be changed by other users (mode {:o})\n  hint: chmod 700 {}",
            state.display(),
            mode & 0o777,
            state.display()
        );
    }
    Ok(())
}

/// What is in the way of a state folder, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Obstacle {
    pub(crate) reason: String,
    pub(crate) hint: String,
}

const CHOOSE_ANOTHER: &str = "set `state` to a folder that the user of the host can create and change";

/// Looks at the folder, or at the nearest one above that is there, and changes nothing.
pub(crate) fn obstacle(state: &Path) -> Option<Obstacle> {
    let nearest = nearest(state);
    let (folder, found) = (state.display(), nearest.display());
    let is_there = nearest == state;
    let reason = match fs::metadata(nearest) {
        Err(error) if is_there => format!("{folder} cannot be looked at: {error}"),
        Err(error) => format!("{folder} cannot be created: parent {found}: {error}"),
        Ok(metadata) if !metadata.is_dir() && is_there => format!("{folder} is not a folder"),
        Ok(metadata) if !metadata.is_dir() => {
            format!("{folder} cannot be created: parent {found} is not a folder")
        }
        Ok(_) => match (rustix::fs::access(nearest, Access::WRITE_OK | Access::EXEC_OK), is_there) {
            (Err(error), true) => format!("{folder} cannot be written to: {error}"),
            (Err(error), false) => {
                format!("{folder} cannot be created: parent {found} cannot be written to: {error}")
            }
            (Ok(()), _) if is_of_the_kernel(nearest) => {
                format!("{folder} cannot be created: parent {found} belongs to the kernel and holds no files")
            }
            (Ok(()), _) => return None,
        },
    };
    Some(Obstacle { reason, hint: CHOOSE_ANOTHER.to_owned() })
}

/// The folder itself, or the nearest above it that is there.
pub(crate) fn nearest(state: &Path) -> &Path {
    let there = state.ancestors().find(|folder| fs::symlink_metadata(folder).is_ok());
    there.unwrap_or(Path::new("."))
}

/// Procfs, sysfs and the control groups let an administrator write, but nobody make a folder of their own.
fn is_of_the_kernel(folder: &Path) -> bool {
    const KINDS: [u32; 4] = [0x9fa0, 0x6265_6572, 0x0027_e0eb, 0x6367_7270];
    // The kernel's numbers fit 32 bits, whatever the type here is.
    rustix::fs::statfs(folder).is_ok_and(|known| KINDS.contains(&(known.f_type as u32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_can_change_is_refused_and_a_new_one_is_ours_alone() {
        let parent = tempfile::tempdir().unwrap();
        let state = parent.path().join("a/state");
        prepare(&state).unwrap();
        assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(prepare(&state).unwrap_err().to_string().contains("chmod 700"));
    }
    #[test]
    fn what_is_in_the_way_of_a_state_folder_is_named_with_its_parent() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(obstacle(&parent.path().join("a/b")), None);
        assert_eq!(obstacle(parent.path()), None);
        for (state, told) in [
            (file.clone(), "file is not a folder"),
            (file.join("a/b"), "file is not a folder"),
            ("/proc/xx".into(), "cannot be created: parent /proc belongs to the kernel"),
        ] {
            let reason = obstacle(&state).unwrap().reason;
            assert!(reason.contains(told), "{reason}");
            let error = prepare(&state).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("hint: "), "{error}");
        }
    }
}
