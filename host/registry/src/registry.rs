//! All formatters, kept in step with the folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use siemaphore_sandbox::{GuestLimits, LoadError, Sandbox};
use tokio::sync::watch;

use crate::error::{PluginError, RegistryError};
use crate::folder::{self, Found, Stamp};
use crate::life::{Active, Artifact};
use crate::name;
use crate::plugin::Plugin;
use crate::status::{Origin, PluginStatus};
use crate::watcher::Watcher;

/// Where customers' formatters are, and what they may use.
#[derive(Debug, Clone, Default)]
pub struct RegistryConfig {
    /// Watched. None: built-in formatters only.
    pub folder: Option<PathBuf>,
    pub limits: GuestLimits,
}

/// All formatters. Dropping it ends the watch; formatters in use go on.
pub struct Registry {
    shared: Arc<Shared>,
    watcher: Mutex<Option<Watcher>>,
}

struct Shared {
    sandbox: Sandbox,
    config: RegistryConfig,
    bundled: BTreeMap<&'static str, &'static [u8]>,
    /// Held while a bundled one is compiled, so that two who want the same wait for one compilation.
    loading: Mutex<()>,
    plugins: Mutex<BTreeMap<String, Plugin>>,
    /// The files as they were looked at last. Held during a look, so that two never mix.
    seen: Mutex<BTreeMap<String, Stamp>>,
    /// Counts the looks that found something.
    changes: watch::Sender<u64>,
}

impl Registry {
    /// Lists the bundled formatters, compiles what is in the folder, and watches the folder from then on. A customer's
    /// file is never a reason to fail.
    pub fn start(
        sandbox: Sandbox,
        bundled: &[(&'static str, &'static [u8])],
        config: RegistryConfig,
    ) -> Result<Registry, RegistryError> {
        let shared = Arc::new(Shared {
            sandbox,
            config,
            bundled: bundled.iter().copied().collect(),
            loading: Mutex::default(),
            plugins: Mutex::default(),
            seen: Mutex::default(),
            changes: watch::Sender::new(0),
        });
        shared.list_bundled();
        // The watch begins before the first look, so that nothing falls between them.
        if let Some(folder) = &shared.config.folder {
            folder::scan(folder).map_err(|source| RegistryError::Folder { path: folder.clone(), source })?;
        }
        let watcher = shared.config.folder.as_deref().map(|folder| {
            let shared = Arc::clone(&shared);
            Watcher::start(folder, move || shared.look())
        });
        let watcher = watcher.transpose()?;
        shared.look();
        Ok(Registry { shared, watcher: Mutex::new(watcher) })
    }

    /// The formatter of that name, usable or not. A bundled one is compiled when it is first asked for, for up to
    /// several seconds: not for async threads. Compiling all of them would cost every start the time for formatters
    /// that no destination uses.
    pub fn get(&self, name: &str) -> Option<Plugin> {
        let plugin = self.shared.plugins().get(name).cloned()?;
        self.shared.load_if_bundled(&plugin);
        Some(plugin)
    }

    /// All formatters, by name.
    pub fn list(&self) -> Vec<PluginStatus> {
        self.shared.plugins().values().map(Plugin::status).collect()
    }

    /// Looks at the folder now, for where the operating system does not report changes.
    pub fn reload(&self) -> Vec<PluginStatus> {
        if let Some(watcher) = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            watcher.renew();
        }
        self.shared.look();
        self.list()
    }

    /// Wakes when a formatter appears, changes, fails or goes: for whoever waits for a name that is not there yet.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Ends the watch. What is active stays so.
    pub fn shutdown(&self) {
        // Taken out first: the drop waits for the watcher's thread.
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(watcher);
    }
}

impl Shared {
    fn plugins(&self) -> MutexGuard<'_, BTreeMap<String, Plugin>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list_bundled(&self) {
        let mut plugins = self.plugins();
        for (name, component) in &self.bundled {
            let plugin = Plugin::new(name, Origin::Builtin);
            plugin.weigh(component.len() as u64);
            plugins.insert((*name).to_owned(), plugin);
        }
    }

    fn load_if_bundled(&self, plugin: &Plugin) {
        let Some(component) = self.bundled.get(plugin.name()) else { return };
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if plugin.active().is_some() {
            return;
        }
        let artifact = Artifact::new(plugin.name(), component.to_vec());
        match self.activate(artifact, &GuestLimits::default()) {
            Ok(active) => plugin.run(active),
            Err(error) => plugin.refuse(&error.into()),
        }
    }

    fn activate(&self, artifact: Artifact, limits: &GuestLimits) -> Result<Arc<Active>, LoadError> {
        Ok(artifact.verify()?.compile(&self.sandbox, limits)?.activate(SystemTime::now()))
    }

    /// Brings the formatters in step with the folder.
    fn look(&self) {
        let Some(folder) = &self.config.folder else { return };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match folder::scan(folder) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(folder = ?folder, error = %error, "the plugin folder cannot be read");
                return;
            }
        };
        let mut changed = false;
        for (name, file) in &found {
            if seen.get(name) != Some(&file.stamp) {
                seen.insert(name.clone(), file.stamp.clone());
                self.take(name, file);
                changed = true;
            }
        }
        let lost: Vec<String> = seen.keys().filter(|name| !found.contains_key(*name)).cloned().collect();
        for name in lost {
            seen.remove(&name);
            self.lose(&name);
            changed = true;
        }
        if changed {
            self.changes.send_modify(|changes| *changes += 1);
        }
    }

    /// Makes a new or changed file the active version, or keeps the one before and says why.
    fn take(&self, name: &str, file: &Found) {
        let plugin = self.plugin(name, file);
        match self.replace(&plugin, file) {
            Ok(Some(active)) => {
                let (version, digest) = (&active.version, &active.digest);
                tracing::info!(formatter = name, version, digest, "formatter is active");
                plugin.swap(active);
            }
            Ok(None) => plugin.accept(),
            Err(error) => {
                tracing::error!(
                    formatter = name,
                    file = ?file.path,
                    error = %error,
                    hint = error.hint(),
                    "the plugin file cannot be used; what ran before goes on"
                );
                plugin.refuse(&error);
            }
        }
    }

    /// The version in the file, unless it is the active one already.
    fn replace(&self, plugin: &Plugin, file: &Found) -> Result<Option<Arc<Active>>, PluginError> {
        if matches!(plugin.status().origin, Origin::Builtin) {
            return Err(PluginError::ReservedName { name: plugin.name().to_owned() });
        }
        if !name::is_valid(plugin.name()) {
            return Err(PluginError::BadName { name: plugin.name().to_owned() });
        }
        let component = folder::read(file)?;
        plugin.weigh(component.len() as u64);
        let artifact = Artifact::new(plugin.name(), component);
        if plugin.active().is_some_and(|active| active.digest == artifact.digest()) {
            return Ok(None);
        }
        Ok(Some(self.activate(artifact, &self.config.limits)?))
    }

    fn plugin(&self, name: &str, file: &Found) -> Plugin {
        let mut plugins = self.plugins();
        let discovered = || Plugin::new(name, Origin::File(file.path.clone()));
        plugins.entry(name.to_owned()).or_insert_with(discovered).clone()
    }

    /// The file is gone. What never worked or nobody uses goes with it; what is used stays for those who use it.
    fn lose(&self, name: &str) {
        let mut plugins = self.plugins();
        let Some(plugin) = plugins.get(name) else { return };
        if matches!(plugin.status().origin, Origin::Builtin) {
            plugin.accept();
        } else if plugin.active().is_some() && plugin.is_used() {
            tracing::warn!(formatter = name, "the plugin file is gone; its last version goes on");
            plugin.drain();
        } else {
            plugins.remove(name);
        }
    }
}
