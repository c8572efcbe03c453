//! A registry over a folder of its own, and words for what it lists.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use siemaphore_registry::signature::TrustedKeys;
use siemaphore_registry::{Active, PluginStatus, Policy, Registry, RegistryConfig};
use siemaphore_sandbox::{Sandbox, SandboxConfig};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::support::Guest;

/// How long a change may take before a test gives up. On an idle machine it takes a fifth of a second.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Bench {
    pub(crate) registry: Registry,
    pub(crate) config: RegistryConfig,
    changes: watch::Receiver<u64>,
    pub(crate) path: PathBuf,
    _folder: TempDir,
    runtime: Runtime,
}

impl Bench {
    pub(crate) fn start() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        Bench::over(folder, &path)
    }

    pub(crate) fn over(folder: TempDir, path: &Path) -> Bench {
        Bench::with(folder, RegistryConfig { folder: Some(path.to_owned()), ..RegistryConfig::default() })
    }

    /// A registry that keeps what has to outlive it, beside the plugin folder.
    pub(crate) fn keeping(policy: Policy) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let (plugins, state) = (folder.path().join("plugins"), folder.path().join("state"));
        fs::create_dir(&plugins).unwrap();
        let config =
            RegistryConfig { folder: Some(plugins), state: Some(state), policy, ..RegistryConfig::default() };
        Bench::with(folder, config)
    }

    pub(crate) fn with(folder: TempDir, config: RegistryConfig) -> Bench {
        let path = config.folder.clone().unwrap();
        let registry = start(&config, |_| ());
        let changes = registry.changes();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Bench { registry, config, changes, path, _folder: folder, runtime }
    }

    /// Believes other keys after the next restart.
    pub(crate) fn trusting(mut self, keys: TrustedKeys) -> Bench {
        self.config.trusted_keys = keys;
        self
    }

    /// As if the host had been stopped and started.
    pub(crate) fn restart(self, meanwhile: impl FnOnce(&Path)) -> Bench {
        self.restart_and_ask(meanwhile, |_| ())
    }

    pub(crate) fn restart_and_ask(
        self,
        meanwhile: impl FnOnce(&Path),
        before: impl FnOnce(&Registry),
    ) -> Bench {
        self.registry.shutdown();
        meanwhile(&self.path);
        let registry = start(&self.config, before);
        let changes = registry.changes();
        Bench { registry, changes, ..self }
    }

    pub(crate) fn write(&self, file: &str, bytes: &[u8]) {
        fs::write(self.path.join(file), bytes).unwrap();
    }

    /// Waits until the listing of a name fulfils the condition.
    pub(crate) fn wait(
        &mut self,
        name: &str,
        condition: impl Fn(Option<&PluginStatus>) -> bool,
    ) -> Option<PluginStatus> {
        let Bench { registry, changes, runtime, .. } = self;
        runtime.block_on(async {
            let fulfilled = async {
                loop {
                    changes.borrow_and_update();
                    let status = registry.list().into_iter().find(|status| status.name == name);
                    if condition(status.as_ref()) {
                        return status;
                    }
                    changes.changed().await.unwrap();
                }
            };
            tokio::time::timeout(PATIENCE, fulfilled)
                .await
                .unwrap_or_else(|_| panic!("the listing stays {:#?}", registry.list()))
        })
    }

    pub(crate) fn wait_for_error(&mut self, name: &str, part: &str) -> PluginStatus {
        let has_error =
            |status: &PluginStatus| status.error.as_ref().is_some_and(|error| error.contains(part));
        self.wait(name, |status| status.is_some_and(has_error)).unwrap()
    }

    pub(crate) fn wait_for_title(&mut self, name: &str, title: &str) -> PluginStatus {
        self.wait(name, |status| status.is_some_and(|status| status.title.as_deref() == Some(title))).unwrap()
    }

    pub(crate) fn active(&self, name: &str) -> Arc<Active> {
        self.registry.get(name).and_then(|plugin| plugin.active()).expect("a version is active")
    }
}

/// `before` is what is asked of the registry before it looks at the folder.
fn start(config: &RegistryConfig, before: impl FnOnce(&Registry)) -> Registry {
    let sandbox = Sandbox::new(SandboxConfig { formatting_threads: 1, queue: 1 }).unwrap();
    let bundled: &'static [u8] = Vec::leak(guest("builtin"));
    let registry = Registry::open(sandbox, &[("splunk", bundled)], config.clone()).unwrap();
    before(&registry);
    registry.watch().unwrap();
    registry.reload();
    registry
}

/// An honest formatter with a title.
pub(crate) fn guest(title: &str) -> Vec<u8> {
    let length = title.len();
    Guest::honest()
        .extra(&format!("(data (i32.const 700) \"{title}\") (data (i32.const 1048) \"\\bc\\02\\00\\00\\{length:02x}\\00\\00\\00\")"))
        .component()
}
