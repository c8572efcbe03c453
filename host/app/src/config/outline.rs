//! As much of a configuration as is needed to find the host and its store.
//!
//! A mistake elsewhere in the file must not keep an operator from asking the running host, or from reading the store
//! when there is none. The store's own section has to be right, though: whoever opens the store with other limits than
//! the host's could expire events.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use siemaphore_registry::signature::TrustedKeys;
use siemaphore_store::StoreConfig;

use crate::config::problem::Document;
use crate::config::{DEFAULT_STATE, Problems, file, plugin, section};

/// The folder of the store and of the control socket.
pub(crate) fn state_folder(path: &Path) -> Result<PathBuf> {
    let (_, table) = read(path)?;
    Ok(state_of(&table, path))
}

/// How the host would open its store.
pub(crate) fn store_config(path: &Path) -> Result<StoreConfig> {
    let (text, table) = read(path)?;
    let written = match table.get("store").cloned() {
        None => file::Store::default(),
        Some(section) => section.try_into().with_context(|| format!("{}: [store]", path.display()))?,
    };
    let document = Document::new(&text);
    let mut problems = Problems { document: &document, found: Vec::new() };
    let store = section::store(&mut problems, &written, &state_of(&table, path));
    match problems.found.first() {
        Some(problem) => bail!("{}: {problem}", path.display()),
        None => Ok(store),
    }
}

/// Where customers' formatters are, and whose signatures are believed.
pub(crate) struct PluginPlace {
    pub(crate) folder: Option<PathBuf>,
    pub(crate) trusted_keys: TrustedKeys,
}

/// Its keys have to be right, too: nothing is put before a host that it does not trust.
pub(crate) fn plugin_place(path: &Path) -> Result<PluginPlace> {
    let (text, table) = read(path)?;
    let written = match table.get("plugins").cloned() {
        None => file::Plugins::default(),
        Some(section) => section.try_into().with_context(|| format!("{}: [plugins]", path.display()))?,
    };
    let beside = path.parent().unwrap_or(Path::new(""));
    let document = Document::new(&text);
    let mut problems = Problems { document: &document, found: Vec::new() };
    let keys = plugin::trusted_keys(&mut problems, &written.trusted_keys, beside);
    match problems.found.first() {
        Some(problem) => bail!("{}: {problem}", path.display()),
        None => {
            let folder = written.folder.map(|folder| beside.join(folder));
            Ok(PluginPlace { folder, trusted_keys: TrustedKeys::new(keys) })
        }
    }
}

fn read(path: &Path) -> Result<(String, toml::Table)> {
    let text = fs::read_to_string(path).map_err(|error| {
        anyhow!(
            "cannot read the configuration {}: {error}\n  hint: name it with --config or SIEMAPHORE_CONFIG",
            path.display()
        )
    })?;
    // Not the error itself: it quotes the line, and what is misplaced could be a secret.
    let table = toml::from_str(&text).map_err(|error: toml::de::Error| {
        anyhow!(
            "{} is not TOML: {}\n  hint: `siemaphore check` names the line",
            path.display(),
            error.message()
        )
    })?;
    Ok((text, table))
}

fn state_of(table: &toml::Table, path: &Path) -> PathBuf {
    let state = table.get("state").and_then(toml::Value::as_str).unwrap_or(DEFAULT_STATE);
    path.parent().unwrap_or(Path::new("")).join(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store_of(text: &str) -> Result<StoreConfig> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("siemaphore.toml");
        fs::write(&path, text).unwrap();
        assert!(state_folder(&path).unwrap().starts_with(folder.path()));
        store_config(&path)
    }

    #[test]
    fn a_mistake_elsewhere_does_not_hide_the_store() {
        let store = store_of("state = 's'\n[intake]\nlisten = 5\n[store]\nsize_limit = '1 GiB'\n").unwrap();
        assert!(store.folder.ends_with("s/store"));
        assert_eq!(store.size_limit_bytes, 1 << 30);
    }

    #[test]
    fn the_plugin_folder_lies_beside_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("siemaphore.toml");
        for (text, expected) in [
            ("[plugins]\nfolder = 'p/q'\n[intake]\nlisten = 5", Some(folder.path().join("p/q"))),
            ("[plugins]\nfolder = '/p'", Some(PathBuf::from("/p"))),
            ("[plugins]\nmemory = '1 MiB'", None),
            ("", None),
        ] {
            fs::write(&path, text).unwrap();
            let place = plugin_place(&path).unwrap();
            assert_eq!((place.folder, place.trusted_keys.is_empty()), (expected, true));
        }
        fs::write(&path, "[plugins]\ntrusted_keys = ['no key']").unwrap();
        assert!(plugin_place(&path).is_err());
    }

    #[test]
    fn a_store_is_not_opened_with_limits_that_are_a_guess() {
        for text in ["[store]\nsize_limit = 'much'", "[store]\nsize = '1 GiB'"] {
            assert!(store_of(text).is_err(), "{text}");
        }
    }
}
