//! The state folder: everything that must survive a restart, and the control socket.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Others may write: whoever can rename what is in it can take the socket's place.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Makes the folder for this user alone, or refuses one that others can change.
pub(crate) fn prepare(state: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state)
        .with_context(|| format!("cannot make the state folder {}", state.display()))?;
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
}
