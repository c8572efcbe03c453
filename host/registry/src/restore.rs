//! Taking up the versions that were in use before a restart.

use std::sync::Arc;

use crate::error::PluginError;
use crate::life::Active;
use crate::plugin::Plugin;
use crate::shared::Shared;

impl Shared {
    /// What formatted before the restart formats again. When that cannot be, the version before it stands in, and what was
    /// in use is not forgotten: after another start it may be usable again, with the right keys for example.
    pub(crate) fn restore(&self, plugin: &Plugin) {
        let kept = self.kept(plugin.name());
        if let Some(sent_back) = kept.sent_back.clone() {
            plugin.remember(sent_back);
        }
        let Some(digest) = &kept.active else { return };
        let previous = kept.previous.as_deref().and_then(|digest| self.load_kept(plugin, digest).ok());
        match self.load_kept(plugin, digest) {
            Ok(active) => plugin.restore(active, &kept, previous),
            Err(error) => {
                plugin.refuse(&error);
                if let Some(previous) = previous {
                    plugin.stand_in(previous, &kept);
                }
            }
        }
    }

    fn load_kept(&self, plugin: &Plugin, digest: &str) -> Result<Arc<Active>, PluginError> {
        let name = plugin.name();
        let artifact = self.shelf.as_ref().and_then(|shelf| shelf.component(name, digest));
        let loaded = match artifact {
            Some(artifact) => {
                // Until its file is looked at.
                plugin.weigh(artifact.component().len() as u64);
                self.loader.load(&artifact, &self.config.of(name))
            }
            None => Err(PluginError::Lost),
        };
        loaded.map_err(|error| {
            let error = PluginError::NotRestored { digest: digest.to_owned(), error: Box::new(error) };
            tracing::error!(
                formatter = name,
                error = %error,
                hint = %error.hint(),
                "a version of before the restart does not come back"
            );
            error
        })
    }
}
