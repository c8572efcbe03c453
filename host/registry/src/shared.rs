//! What the registry and its watcher share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;

use crate::config::{Policy, RegistryConfig};
use crate::folder::Found;
use crate::life::Artifact;
use crate::loader::Loader;
use crate::plugin::Plugin;
use crate::shelf::{Kept, Shelf};
use crate::status::Origin;

pub(crate) struct Shared {
    pub(crate) loader: Loader,
    pub(crate) config: RegistryConfig,
    pub(crate) bundled: BTreeMap<&'static str, &'static [u8]>,
    /// Held while a bundled one is compiled, so that two who want the same wait for one compilation.
    pub(crate) loading: Mutex<()>,
    pub(crate) plugins: Mutex<BTreeMap<String, Plugin>>,
    /// The files as they were looked at last. Held during a look, so that two never mix.
    pub(crate) seen: Mutex<BTreeMap<String, Found>>,
    /// Everything in the folder was looked at, at least once.
    pub(crate) has_looked: AtomicBool,
    pub(crate) shelf: Option<Shelf>,
    /// What is to be kept once the state folder is ours.
    pub(crate) early: Mutex<Option<Vec<Artifact>>>,
    /// Held from looking at the versions to writing them down: of two who do both, the later one must not write first.
    pub(crate) keeping: Mutex<()>,
    /// Nobody else writes to the state folder.
    pub(crate) is_owner: AtomicBool,
    pub(crate) wake: Weak<SyncSender<()>>,
    /// Counts the looks, and the operator's words.
    pub(crate) changes: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn plugins(&self) -> MutexGuard<'_, BTreeMap<String, Plugin>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, BTreeMap<String, Found>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shelf, for whoever may write to it.
    pub(crate) fn own_shelf(&self) -> Option<&Shelf> {
        let is_owner = self.is_owner.load(Ordering::Relaxed) && !self.config.is_state_of_another;
        self.shelf.as_ref().filter(|_| is_owner)
    }

    pub(crate) fn kept(&self, name: &str) -> Kept {
        self.shelf.as_ref().map(|shelf| shelf.kept(name)).unwrap_or_default()
    }

    pub(crate) fn has_lost_its_list(&self) -> bool {
        self.shelf.as_ref().is_some_and(|shelf| shelf.has_lost_its_list)
    }

    pub(crate) fn list_bundled(&self) {
        let mut plugins = self.plugins();
        for (name, component) in &self.bundled {
            let plugin = Plugin::new(name, Origin::Builtin, Policy::Immediate, Weak::new());
            plugin.weigh(component.len() as u64);
            plugins.insert((*name).to_owned(), plugin);
        }
    }

    pub(crate) fn load_if_bundled(&self, plugin: &Plugin) {
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

    pub(crate) fn known(&self, name: &str) -> Option<Plugin> {
        self.plugins().get(name).cloned()
    }

    /// The plugin of that name. One that nobody has met yet is listed from now on, with what was in use before a restart.
    pub(crate) fn meet(&self, name: &str, file: &Path) -> Plugin {
        if let Some(plugin) = self.known(name) {
            return plugin;
        }
        let policy = self.config.of(name).policy;
        let plugin = Plugin::new(name, Origin::File(file.to_owned()), policy, Weak::clone(&self.wake));
        self.plugins().insert(name.to_owned(), plugin.clone());
        self.restore(&plugin);
        plugin
    }

    /// Keeps a component that is about to be used.
    pub(crate) fn keep_component(&self, artifact: Artifact) {
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        match (self.own_shelf(), &mut *early) {
            (Some(shelf), _) => shelf.keep_component(&artifact),
            (None, Some(early)) => early.push(artifact),
            (None, None) => {}
        }
    }

    /// From now on the state folder is ours.
    pub(crate) fn own_the_shelf(&self) {
        let early = self.early.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.is_owner.store(true, Ordering::Relaxed);
        if let Some(shelf) = self.own_shelf() {
            early.into_iter().flatten().for_each(|artifact| shelf.keep_component(&artifact));
        }
    }

    pub(crate) fn keep_now(&self) {
        self.keep();
        self.announce();
    }

    pub(crate) fn announce(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Writes down which versions are in use.
    pub(crate) fn keep(&self) {
        let Some(shelf) = self.own_shelf() else { return };
        let _keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shelf.all();
        let mut kept = BTreeMap::new();
        let plugins = self.plugins();
        for plugin in plugins.values().filter(|plugin| !plugin.is_built_in()) {
            // What could not be restored may be after another start, with the right keys for example.
            let is_restored = plugin.active().is_some();
            let versions = if is_restored { Some(plugin.kept()) } else { before.get(plugin.name()).cloned() };
            if let Some(versions) = versions.filter(|versions| versions.active.is_some()) {
                kept.insert(plugin.name().to_owned(), versions);
            }
        }
        let is_unknown =
            |name: &String| !self.has_looked.load(Ordering::Relaxed) && !plugins.contains_key(name);
        kept.extend(before.into_iter().filter(|(name, _)| is_unknown(name)));
        drop(plugins);
        shelf.keep(kept);
    }
}
