//! Looking at the plugin folder: what came, what changed, what is gone.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{available_parallelism, scope};

use crate::config::Policy;
use crate::error::PluginError;
use crate::folder::{self, Found};
use crate::life::{Active, Artifact};
use crate::plugin::Plugin;
use crate::shared::Shared;
use crate::{name, signature};

/// What became of a file that was looked at.
enum Taken {
    /// It holds the active version.
    Same,
    Version(Arc<Active>),
    /// It has to wait for an operator.
    Candidate(Arc<Active>),
}

impl Shared {
    /// Brings the formatters in step with the folder.
    pub(crate) fn look(&self) {
        let Some(folder) = &self.config.folder else { return };
        let mut seen = self.seen();
        let found = match folder::scan(folder, |name| self.plugins().contains_key(name)) {
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
        self.has_looked.store(true, Ordering::Relaxed);
        self.keep_now();
    }

    /// A file that was looked at counts as new at the next look.
    pub(crate) fn forget_file(&self, name: &str) {
        self.seen().remove(name);
    }

    /// The formatter of that name. Before the first look it is what was in use before the restart, or else what is in its
    /// file now: somebody cannot start without it.
    pub(crate) fn find(&self, name: &str) -> Option<Plugin> {
        if let Some(plugin) = self.known(name) {
            self.load_if_bundled(&plugin);
            return Some(plugin);
        }
        let folder = self.config.folder.as_deref()?;
        if !name::is_valid(name) || self.has_looked.load(Ordering::Relaxed) {
            return None;
        }
        // One who asks for a name that a look is at waits for the look.
        let _seen = self.seen();
        if let Some(plugin) = self.known(name) {
            return Some(plugin);
        }
        let file = folder::find(folder, name);
        if file.is_none() && self.kept(name).active.is_none() {
            return None;
        }
        let plugin = self.meet(name, &folder::path_of(folder, name));
        match file {
            // A newer file is taken as on any other day, once there is a way back from it.
            Some(file) if plugin.active().is_none() => self.take(name, &file),
            None if plugin.active().is_some() => plugin.drain(),
            _ => {}
        }
        Some(plugin)
    }

    /// As many files at once as there are processors: a hundred plugins, or one whose compilation takes long, must not
    /// stand in a line.
    fn take_all(&self, changed: &[(&String, &Found)]) {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((name, file)) = changed.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.take(name, file);
                self.announce();
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
        let plugin = self.meet(name, &file.path);
        match self.replace(&plugin, file) {
            Ok(Taken::Same) => {}
            Ok(Taken::Version(active)) => {
                let (version, digest) = (&active.version, &active.digest);
                tracing::info!(formatter = name, version, digest, "formatter is active");
                plugin.swap(active);
            }
            Ok(Taken::Candidate(candidate)) => {
                let (version, digest) = (&candidate.version, &candidate.digest);
                let hint = format!(
                    "compare it with `siemaphore plugin diff`, then run `siemaphore plugin promote {name}`"
                );
                tracing::info!(formatter = name, version, digest, hint, "a version of the formatter waits");
                plugin.wait_for_word(candidate);
            }
            Err(error) => {
                tracing::error!(
                    formatter = name,
                    file = ?file.path,
                    error = %error,
                    hint = %error.hint(),
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
        let component = folder::read(file)?;
        plugin.weigh(component.len() as u64);
        let artifact = Artifact::new(plugin.name(), component)
            .with_signature(signature::read_beside(&file.path).map_err(PluginError::Unreadable)?);
        self.loader.check_signature(&artifact)?;
        if plugin.accept_if_active(artifact.digest()) {
            self.keep_component(artifact);
            return Ok(Taken::Same);
        }
        if let Some(sent_back) = plugin.sent_back().filter(|sent_back| sent_back.digest == artifact.digest())
        {
            return Err(PluginError::SentBack { name: plugin.name().to_owned(), reason: sent_back.reason });
        }
        if let Some(candidate) = plugin.candidate().filter(|waits| waits.digest == artifact.digest()) {
            return Ok(Taken::Candidate(candidate));
        }
        let version = self.loader.load(&artifact, &self.config.of(plugin.name()))?;
        self.keep_component(artifact);
        self.ask_for_a_word(plugin, version)
    }

    /// With the policy `manual`, all but the first version and the one that an operator has allowed before wait. Without
    /// the list of those nobody knows which is the first.
    fn ask_for_a_word(&self, plugin: &Plugin, version: Arc<Active>) -> Result<Taken, PluginError> {
        let allowed = self.kept(plugin.name()).active;
        if plugin.policy() == Policy::Immediate || allowed.as_ref() == Some(&version.digest) {
            return Ok(Taken::Version(version));
        }
        match (plugin.active(), allowed) {
            (None, None) if !self.has_lost_its_list() => Ok(Taken::Version(version)),
            (Some(_), _) | (None, None) => Ok(Taken::Candidate(version)),
            (None, Some(allowed)) => Err(PluginError::NotAllowed { digest: version.digest.clone(), allowed }),
        }
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
}
