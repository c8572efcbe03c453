//! The state folder: whose it is, on what it lies, and how much room there is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::command::doctor::finding::Finding;
use crate::config;
use crate::host::state::{Obstacle, nearest, obstacle};
use crate::print;

const CHECK: &str = "state folder";

pub(crate) fn check(file: &Path) -> Vec<Finding> {
    let folder = match config::state_folder(file) {
        Ok(folder) => folder,
        Err(error) => return vec![Finding::error(CHECK, &error, "mend the configuration")],
    };
    if let Some(Obstacle { reason, hint }) = obstacle(&folder) {
        return vec![Finding::failed(CHECK, reason, hint)];
    }
    let Ok(metadata) = fs::metadata(&folder) else {
        let text = format!("{} is not there yet: the first start makes it", folder.display());
        return vec![Finding::ok(CHECK, text), file_system(nearest(&folder))];
    };
    vec![access(&folder, metadata.permissions().mode() & 0o777), file_system(&folder)]
}

fn access(folder: &Path, mode: u32) -> Finding {
    let text = format!("{} has mode {mode:o}", folder.display());
    let fix = format!("chmod 700 {}", folder.display());
    match (mode & 0o022, mode & 0o077) {
        (0, 0) => Finding::ok(CHECK, text),
        (0, _) => Finding::warning(CHECK, format!("{text}: others may look into it"), fix),
        _ => Finding::failed(CHECK, format!("{text}: others can change it, and the host refuses it"), fix),
    }
}

/// What a store should not lie on, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Gone with the next reboot.
    Memory,
    /// Locks and syncs that do not do what SQLite needs.
    Network,
    /// Gone with the container.
    Container,
}

/// The numbers of Linux's `statfs`.
fn trouble(file_system: u32) -> Option<(&'static str, Trouble)> {
    match file_system {
        0x0102_1994 => Some(("tmpfs", Trouble::Memory)),
        0x8584_58f6 => Some(("ramfs", Trouble::Memory)),
        0x6969 => Some(("NFS", Trouble::Network)),
        0xff53_4d42 | 0xfe53_4d42 | 0x517b => Some(("SMB", Trouble::Network)),
        0x0102_1997 => Some(("9p", Trouble::Network)),
        0x6573_5546 => Some(("FUSE", Trouble::Network)),
        0x794c_7630 => Some(("overlayfs", Trouble::Container)),
        _ => None,
    }
}

fn file_system(folder: &Path) -> Finding {
    let check = "file system";
    let known = match rustix::fs::statfs(folder) {
        Ok(known) => known,
        Err(error) => {
            let text = format!("the file system of {} cannot be asked: {error}", folder.display());
            return Finding::warning(check, text, "look at the mount and at the rights of the folder");
        }
    };
    let free = known.f_bavail.saturating_mul(u64::try_from(known.f_bsize).unwrap_or(0));
    let free = print::size(free);
    // The kernel's numbers fit 32 bits, whatever the type here is.
    match trouble(known.f_type as u32) {
        None => Finding::ok(check, format!("{free} free")),
        Some((name, Trouble::Memory)) => Finding::warning(
            check,
            format!("{name}, {free} free: what is stored is gone after a reboot"),
            "set `state` to a folder on a disk",
        ),
        Some((name, Trouble::Network)) => Finding::warning(
            check,
            format!("{name}, {free} free: its locks and syncs may not keep what they promise"),
            "set `state` to a folder on a local disk",
        ),
        Some((name, Trouble::Container)) => Finding::warning(
            check,
            format!("{name}, {free} free: what is stored is gone with the container"),
            "set `state` to a folder on a volume",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::State;

    #[test]
    fn a_folder_that_others_can_change_fails_and_one_that_others_can_read_is_a_warning() {
        let state = |mode| access(Path::new("/state"), mode).state;
        assert_eq!([state(0o700), state(0o755), state(0o775)], [State::Ok, State::Warning, State::Failed]);
    }

    #[test]
    fn file_systems_that_forget_are_known() {
        assert_eq!(trouble(0x0102_1994), Some(("tmpfs", Trouble::Memory)));
        assert_eq!(trouble(0xef53), None, "ext4");
    }
}
