//! A plugin file as a command is given it, read whole or not at all; and writing files whole.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};
use siemaphore_sandbox::limits::MAX_COMPONENT_BYTES;

/// A component and where it was found.
pub(crate) struct PluginFile {
    pub(crate) path: PathBuf,
    /// The file's stem: what a formatter would be called in a plugin folder.
    pub(crate) name: String,
    pub(crate) component: Vec<u8>,
}

impl PluginFile {
    pub(crate) fn read(path: &Path) -> Result<PluginFile> {
        let failed = || format!("cannot read {}", path.display());
        let opened = File::open(path).with_context(failed)?;
        if !opened.metadata().with_context(failed)?.is_file() {
            bail!("{} is not a file", path.display());
        }
        let mut component = Vec::new();
        opened.take(MAX_COMPONENT_BYTES as u64 + 1).read_to_end(&mut component).with_context(failed)?;
        if component.len() > MAX_COMPONENT_BYTES {
            bail!(
                "{} is longer than the {MAX_COMPONENT_BYTES} bytes that are taken\n  \
                 hint: build it in release mode and without debug information",
                path.display()
            );
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(PluginFile { path: path.to_owned(), name, component })
    }

    /// SHA-256 of the component, in hex.
    pub(crate) fn digest(&self) -> String {
        digest(&self.component)
    }

    /// What can be checked without compiling: form, imports, version of the contract.
    pub(crate) fn verify(&self) -> Result<()> {
        let verified = siemaphore_sandbox::verify(&self.name, &self.component);
        verified.map_err(|error| anyhow!("{error}\n  hint: {}", error.hint()))
    }
}

/// SHA-256 in hex.
pub(crate) fn digest(component: &[u8]) -> String {
    Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file that everybody may read, by renaming: whoever looks sees the old one or the new one, never half of it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Its name begins with a dot: the registry does not take it for a plugin.
    let mut file =
        tempfile::Builder::new().prefix(".siemaphore-").tempfile_in(folder).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644)).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist(path).map_err(|error| error.error).with_context(failed)?;
    Ok(())
}
