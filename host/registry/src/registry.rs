//! All formatters, kept in step with the folder.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use siemaphore_sandbox::Sandbox;
use tokio::sync::watch;

use crate::config::RegistryConfig;
use crate::error::{RegistryError, RollBackError};
use crate::folder;
use crate::life::Active;
use crate::loader::Loader;
use crate::plugin::Plugin;
use crate::shared::Shared;
use crate::shelf::Shelf;
use crate::status::PluginStatus;
use crate::watcher::{Signals, Watcher};

/// In the state folder.
const SHELF: &str = "plugins";

/// All formatters. Dropping it ends the watch; formatters in use go on.
pub struct Registry {
    shared: Arc<Shared>,
    /// For the watcher, until it begins.
    signals: Mutex<Option<Signals>>,
    watcher: Mutex<Option<Watcher>>,
}

impl Registry {
    /// Lists the bundled formatters. Nothing is compiled and nothing is written: that is for whoever asks for a formatter
    /// ([`Registry::get`]), and for the watch ([`Registry::watch`]).
    pub fn open(
        sandbox: Sandbox,
        bundled: &[(&'static str, &'static [u8])],
        config: RegistryConfig,
    ) -> Result<Registry, RegistryError> {
        if let Some(folder) = &config.folder {
            folder::names(folder).map_err(|source| RegistryError::Folder { path: folder.clone(), source })?;
        }
        let signals = Signals::new();
        let shared = Shared {
            loader: Loader::new(sandbox, &config),
            bundled: bundled.iter().copied().collect(),
            loading: Mutex::default(),
            plugins: Mutex::default(),
            seen: Mutex::default(),
            has_looked: AtomicBool::new(false),
            shelf: config.state.as_ref().map(|state| Shelf::open(state.join(SHELF))),
            early: Mutex::new((!config.is_state_of_another).then(Vec::new)),
            keeping: Mutex::default(),
            is_owner: AtomicBool::new(false),
            wake: signals.wake(),
            changes: watch::Sender::new(0),
            config,
        };
        shared.list_bundled();
        Ok(Registry {
            shared: Arc::new(shared),
            signals: Mutex::new(Some(signals)),
            watcher: Mutex::default(),
        })
    }

    /// Follows the folder from now on, beginning with what is in it: on a thread of its own, so that a file that takes
    /// minutes to compile keeps nobody waiting.
    ///
    /// The state folder is this registry's from now on, and what is in use is kept there. Before, a host that does not start
    /// would change what another one needs.
    pub fn watch(&self) -> Result<(), RegistryError> {
        self.shared.own_the_shelf();
        let signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(folder), Some(signals)) = (&self.shared.config.folder, signals) else { return Ok(()) };
        let shared = Arc::clone(&self.shared);
        let watcher = Watcher::start(folder, signals, move || shared.look())?;
        *self.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(watcher);
        Ok(())
    }

    /// The formatter of that name, usable or not. What was not loaded yet is loaded now, for up to minutes: not for async
    /// threads. A bundled one is compiled when it is first asked for, because compiling all of them would cost every start
    /// the time for formatters that no destination uses.
    pub fn get(&self, name: &str) -> Option<Plugin> {
        self.shared.find(name)
    }

    /// What formats under a name, without compiling anything.
    pub fn active(&self, name: &str) -> Option<Arc<Active>> {
        self.shared.plugins().get(name)?.active()
    }

    /// All formatters that were looked at, by name.
    pub fn list(&self) -> Vec<PluginStatus> {
        self.shared.plugins().values().map(Plugin::status).collect()
    }

    /// Where customers' files are looked for.
    pub fn folder(&self) -> Option<&Path> {
        self.shared.config.folder.as_deref()
    }

    /// Every name that a destination can use, looked at or not.
    pub fn names(&self) -> Vec<String> {
        let files = self.shared.config.folder.as_deref().map(folder::names);
        let mut names = files.and_then(Result::ok).unwrap_or_default();
        names.extend(self.shared.plugins().keys().cloned());
        names.into_iter().collect()
    }

    /// Looks at the folder now, for where the operating system does not report changes.
    pub fn reload(&self) -> Vec<PluginStatus> {
        if let Some(watcher) = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            watcher.renew();
        }
        self.shared.look();
        self.list()
    }

    /// Makes the version that waits for an operator the active one, or tries one again that was sent back. Gives what is
    /// active then; none when nothing waits, or when the file of what was sent back is not there any more.
    pub fn promote(&self, name: &str) -> Option<Arc<Active>> {
        let plugin = self.shared.plugins().get(name).cloned()?;
        let promoted = plugin.promote().or_else(|| self.try_again(&plugin));
        self.shared.keep_now();
        promoted
    }

    fn try_again(&self, plugin: &Plugin) -> Option<Arc<Active>> {
        let before = plugin.active();
        let sent_back = plugin.forgive()?;
        self.shared.forget_file(plugin.name());
        self.shared.look();
        let is_it = |version: &Arc<Active>| version.digest == sent_back.digest;
        // With the policy `manual` it waits now, and this is the word. Another file that came meanwhile still waits.
        if plugin.candidate().as_ref().is_some_and(is_it) {
            return plugin.promote();
        }
        let active = plugin.active();
        if active.as_ref().is_some_and(is_it) {
            return active;
        }
        let is_same =
            before.map(|before| before.digest.clone()) == active.map(|active| active.digest.clone());
        if is_same && plugin.candidate().is_none() {
            plugin.remember(sent_back);
        }
        None
    }

    /// Makes the version before the active one active again.
    pub fn roll_back(&self, name: &str) -> Result<Arc<Active>, RollBackError> {
        let name = name.to_owned();
        let Some(plugin) = self.shared.plugins().get(&name).cloned() else {
            return Err(RollBackError::Unknown { name });
        };
        if plugin.is_built_in() {
            return Err(RollBackError::BuiltIn { name });
        }
        let previous = plugin.roll_back("an operator sent it back");
        let previous = previous.ok_or(RollBackError::NoPrevious { name })?;
        self.shared.keep_now();
        Ok(previous)
    }

    /// Wakes when a formatter appears, changes, fails or goes: for whoever waits for a name that is not there yet.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Ends the watch, and what is being loaded. What is active stays so.
    pub fn shutdown(&self) {
        self.shared.loader.stop();
        // Taken out first: the drop waits for the watcher's thread.
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(watcher);
        // What changed while it ended.
        self.shared.keep();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shutdown();
    }
}
