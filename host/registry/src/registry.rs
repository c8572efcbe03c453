//! All formatters, kept in step with the folder.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{available_parallelism, scope};

use siemaphore_sandbox::Sandbox;
use tokio::sync::watch;

use crate::config::{Policy, RegistryConfig};
use crate::error::{PluginError, RegistryError, RollBackError};
use crate::folder::{self, Found};
use crate::life::{Active, Artifact};
use crate::loader::Loader;
use crate::plugin::Plugin;
use crate::shelf::{Kept, Shelf};
use crate::status::{Origin, PluginStatus};
use crate::watcher::{Signals, Watcher};
use crate::{name, signature};

/// In the state folder.
const SHELF: &str = "plugins";

/// All formatters. Dropping it ends the watch; formatters in use go on.
pub struct Registry {
    shared: Arc<Shared>,
    watcher: Mutex<Option<Watcher>>,
}

struct Shared {
    loader: Loader,
    config: RegistryConfig,
    bundled: BTreeMap<&'static str, &'static [u8]>,
    /// Held while a bundled one is compiled, so that two who want the same wait for one compilation.
    loading: Mutex<()>,
    plugins: Mutex<BTreeMap<String, Plugin>>,
    /// The files as they were looked at last. Held during a look, so that two never mix.
    seen: Mutex<BTreeMap<String, Found>>,
    shelf: Option<Shelf>,
    claimed: AtomicBool,
    wake: Weak<SyncSender<()>>,
    /// Counts the looks, and the operator's words.
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
        let signals = Signals::new();
        let shared = Arc::new(Shared {
            loader: Loader::new(sandbox, &config),
            bundled: bundled.iter().copied().collect(),
            loading: Mutex::default(),
            plugins: Mutex::default(),
            seen: Mutex::default(),
            shelf: config.state.as_ref().map(|state| Shelf::open(state.join(SHELF))),
            claimed: AtomicBool::new(false),
            wake: signals.wake(),
            changes: watch::Sender::new(0),
            config,
        });
        shared.list_bundled();
        // The watch begins before the first look, so that nothing falls between them.
        if let Some(folder) = &shared.config.folder {
            folder::scan(folder).map_err(|source| RegistryError::Folder { path: folder.clone(), source })?;
        }
        let watcher = shared.config.folder.as_deref().map(|folder| {
            let shared = Arc::clone(&shared);
            Watcher::start(folder, signals, move || shared.look())
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

    /// What formats under a name, without compiling anything.
    pub fn active(&self, name: &str) -> Option<Arc<Active>> {
        self.shared.plugins().get(name)?.active()
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

    /// Makes the version that waits for an operator the active one, or tries one again that was sent back. Gives what is
    /// active then; none when nothing waits.
    pub fn promote(&self, name: &str) -> Option<Arc<Active>> {
        let plugin = self.shared.plugins().get(name).cloned()?;
        let mut promoted = plugin.promote();
        if promoted.is_none() && plugin.forgive().is_some() {
            self.shared.forget_file(name);
            self.shared.look();
            // With the policy `manual` it waits now, and this is the word.
            promoted = plugin.promote().or_else(|| plugin.active());
        }
        self.shared.keep_now();
        promoted
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

    /// The state folder is this host's: from now on it is kept there which versions are in use. Before, a host that does not
    /// start would change what another one needs.
    pub fn claim_state(&self) {
        self.shared.claimed.store(true, Ordering::Relaxed);
        self.shared.keep_now();
    }

    /// Ends the watch, and what is being loaded. What is active stays so.
    pub fn shutdown(&self) {
        self.shared.loader.stop();
        // Taken out first: the drop waits for the watcher's thread.
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(watcher);
        // What changed while it ended. A look that is still under way keeps it itself.
        if let Ok(_seen) = self.shared.seen.try_lock() {
            self.shared.keep();
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl Shared {
    fn plugins(&self) -> MutexGuard<'_, BTreeMap<String, Plugin>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, Found>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list_bundled(&self) {
        let mut plugins = self.plugins();
        for (name, component) in &self.bundled {
            let plugin = Plugin::new(name, Origin::Builtin, Policy::Immediate, Weak::new());
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
        match self.loader.built_in(&Artifact::new(plugin.name(), component.to_vec())) {
            Ok(active) => plugin.restore(active, &Kept { proven: true, ..Kept::default() }, None),
            Err(error) => plugin.refuse(&error),
        }
    }

    /// Brings the formatters in step with the folder.
    fn look(&self) {
        let Some(folder) = &self.config.folder else { return };
        let mut seen = self.seen();
        let found = match folder::scan(folder) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(folder = ?folder, error = %error, "the plugin folder cannot be read");
                return;
            }
        };
        let changed: Vec<(&String, &Found)> =
            found.iter().filter(|(name, file)| seen.get(*name) != Some(*file)).collect();
        self.take_all(&changed);
        for (name, file) in &changed {
            seen.insert((*name).clone(), (*file).clone());
        }
        let lost: Vec<String> = seen.keys().filter(|name| !found.contains_key(*name)).cloned().collect();
        for name in &lost {
            seen.remove(name);
            self.lose(name);
        }
        self.keep();
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// A file that was looked at counts as new at the next look.
    fn forget_file(&self, name: &str) {
        self.seen().remove(name);
    }

    /// As many files at once as there are processors: a hundred plugins, or one whose compilation takes long, must not
    /// stand in a line.
    fn take_all(&self, changed: &[(&String, &Found)]) {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((name, file)) = changed.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.take(name, file);
            }
        };
        let threads = available_parallelism().map_or(1, NonZero::get).min(changed.len());
        scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
    }

    /// Makes a new or changed file the active version, or keeps the one before and says why.
    fn take(&self, name: &str, file: &Found) {
        let plugin = self.plugin(name, file);
        match self.replace(&plugin, file) {
            Ok(Taken::Same) => plugin.accept(),
            Ok(Taken::Version(active)) => {
                let (version, digest) = (&active.version, &active.digest);
                tracing::info!(formatter = name, version, digest, "formatter is active");
                plugin.swap(active);
            }
            Ok(Taken::Candidate(candidate)) => {
                let (version, digest) = (&candidate.version, &candidate.digest);
                let hint =
                    "compare it with `siemaphore plugin diff`, then run `siemaphore plugin promote NAME`";
                tracing::info!(formatter = name, version, digest, hint, "a version of the formatter waits");
                plugin.wait_for_word(candidate);
            }
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

    /// What a file is for its plugin.
    fn replace(&self, plugin: &Plugin, file: &Found) -> Result<Taken, PluginError> {
        if plugin.is_built_in() {
            return Err(PluginError::ReservedName { name: plugin.name().to_owned() });
        }
        if !name::is_valid(plugin.name()) {
            return Err(PluginError::BadName { name: plugin.name().to_owned() });
        }
        if plugin.active().is_none() {
            self.restore(plugin);
        }
        let component = folder::read(file)?;
        plugin.weigh(component.len() as u64);
        let artifact = Artifact::new(plugin.name(), component)
            .with_signature(signature::read_beside(&file.path).map_err(PluginError::Unreadable)?);
        if plugin.active().is_some_and(|active| active.digest == artifact.digest()) {
            return Ok(Taken::Same);
        }
        if let Some(sent_back) = plugin.sent_back().filter(|sent_back| sent_back.digest == artifact.digest())
        {
            return Err(PluginError::SentBack(sent_back.reason));
        }
        if let Some(candidate) = plugin.candidate().filter(|waits| waits.digest == artifact.digest()) {
            return Ok(Taken::Candidate(candidate));
        }
        let version = self.loader.load(&artifact, &self.config.of(plugin.name()))?;
        if let Some(shelf) = &self.shelf {
            shelf.keep_component(&artifact);
        }
        let waits = plugin.policy() == Policy::Manual && plugin.active().is_some();
        Ok(if waits { Taken::Candidate(version) } else { Taken::Version(version) })
    }

    /// Takes up the versions that were in use before the restart.
    fn restore(&self, plugin: &Plugin) {
        let Some(shelf) = &self.shelf else { return };
        let kept = shelf.kept(plugin.name());
        let config = self.config.of(plugin.name());
        let load = |digest: &Option<String>| {
            let digest = digest.as_deref()?;
            let Some(artifact) = shelf.component(plugin.name(), digest) else {
                tracing::warn!(
                    formatter = plugin.name(),
                    digest,
                    "a version of before the restart is damaged or gone"
                );
                return None;
            };
            self.loader
                .load(&artifact, &config)
                .inspect_err(|error| {
                    tracing::warn!(formatter = plugin.name(), error = %error, "a version of before the restart cannot be used");
                })
                .ok()
        };
        if let Some(active) = load(&kept.active) {
            plugin.restore(active, &kept, load(&kept.previous));
        }
    }

    fn plugin(&self, name: &str, file: &Found) -> Plugin {
        let mut plugins = self.plugins();
        let policy = self.config.of(name).policy;
        let discovered =
            || Plugin::new(name, Origin::File(file.path.clone()), policy, Weak::clone(&self.wake));
        plugins.entry(name.to_owned()).or_insert_with(discovered).clone()
    }

    /// The file is gone. What never worked or nobody uses goes with it; what is used stays for those who use it.
    fn lose(&self, name: &str) {
        let mut plugins = self.plugins();
        let Some(plugin) = plugins.get(name) else { return };
        if plugin.is_built_in() {
            plugin.accept();
        } else if plugin.active().is_some() && plugin.is_used() {
            tracing::warn!(formatter = name, "the plugin file is gone; its last version goes on");
            plugin.drain();
        } else {
            plugins.remove(name);
        }
    }

    /// Not during a look, which keeps components before it lists them.
    fn keep_now(&self) {
        let _seen = self.seen();
        self.keep();
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Writes down which versions are in use.
    fn keep(&self) {
        let Some(shelf) = self.shelf.as_ref().filter(|_| self.claimed.load(Ordering::Relaxed)) else {
            return;
        };
        let plugins = self.plugins();
        let customers = plugins.values().filter(|plugin| !plugin.is_built_in() && plugin.active().is_some());
        let kept = customers.map(|plugin| (plugin.name().to_owned(), plugin.kept())).collect();
        drop(plugins);
        shelf.keep(kept);
    }
}

/// What became of a file that was looked at.
enum Taken {
    /// It holds the active version.
    Same,
    Version(Arc<Active>),
    /// It has to wait for an operator.
    Candidate(Arc<Active>),
}
