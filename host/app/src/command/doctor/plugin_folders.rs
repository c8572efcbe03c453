//! The folder that formatters are put into, and those in which the host keeps what it has made of them.
//!
//! The host passes over what is no file and goes on without what it cannot keep: neither stops it, so neither is seen
//! until a formatter or the way back to one is missing.

use std::fs::{self, FileType};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use crate::command::doctor::finding::Finding;
use crate::config::{self, PluginPlace};
use crate::host::state::{Obstacle, obstacle};
use crate::print;

const CHECK: &str = "plugin folder";
/// More are counted only.
const MOST_NAMED: usize = 5;

/// In the state folder, with what is missing after a restart when they cannot be written to.
const KEPT: [(&str, &str, &str); 2] = [
    ("plugins", "kept versions", "after a restart there is no way back to the version of a plugin before"),
    ("code", "compiled plugins", "every start compiles each plugin anew"),
];

/// What is wrong with the configuration is found elsewhere.
pub(crate) fn check(file: &Path) -> Vec<Finding> {
    let folder = config::plugin_place(file).ok().and_then(|PluginPlace { folder, .. }| folder);
    let state = config::state_folder(file).ok();
    let kept = KEPT.iter().filter_map(|(name, check, loss)| kept(state.as_ref()?.join(name), check, loss));
    folder.as_deref().map(plugin_folder).into_iter().chain(kept).collect()
}

/// A folder that is not there yet is made when it is needed.
fn kept(folder: PathBuf, check: &str, loss: &str) -> Option<Finding> {
    fs::symlink_metadata(&folder).ok()?;
    let Obstacle { reason, .. } = obstacle(&folder)?;
    let fix = format!("stop the host, and make {} a folder that its user can write to", folder.display());
    Some(Finding::warning(check, format!("{reason}: {loss}"), fix))
}

fn plugin_folder(folder: &Path) -> Finding {
    let strange = match strange(folder) {
        Ok(strange) => strange,
        Err(error) => {
            let text = format!("{} cannot be read: {error}", folder.display());
            return Finding::failed(CHECK, text, "let the user of the host read it, or make it");
        }
    };
    if strange.is_empty() {
        return Finding::ok(CHECK, folder.display().to_string());
    }
    let named: Vec<&str> = strange.iter().take(MOST_NAMED).map(String::as_str).collect();
    let more = match strange.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let count = print::count(strange.len() as u64, "name");
    Finding::warning(
        CHECK,
        format!("{}: the host passes over {count}: {}{more}", folder.display(), named.join(", ")),
        "a formatter is a file: put one there, or remove what is there",
    )
}

/// What is named like a formatter and is none, each with what it is.
fn strange(folder: &Path) -> io::Result<Vec<String>> {
    let mut strange = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Hidden files are other programs' temporary ones.
        if name.starts_with('.') || path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(metadata) => strange.push(format!("{name} ({})", kind(metadata.file_type()))),
            Err(error) => strange.push(format!("{name} ({error})")),
        }
    }
    strange.sort();
    Ok(strange)
}

fn kind(file_type: FileType) -> &'static str {
    if file_type.is_dir() {
        "a folder"
    } else if file_type.is_fifo() {
        "a pipe"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}
