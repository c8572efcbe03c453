//! The control socket: the operator's API over a Unix socket that only this user can open.

mod client;
mod lines;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

pub(crate) use crate::control::client::Client;
pub(crate) use crate::control::lines::Answer;

pub(crate) fn socket_path(state: &Path) -> PathBuf {
    state.join("control.sock")
}

/// Binds the socket. The store's lock has been taken by now, so a socket that is there is left over from a crash.
pub(crate) fn bind(state: &Path) -> io::Result<UnixListener> {
    let path = socket_path(state);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    // The folder is 0700 already; the socket says so itself as well.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}
