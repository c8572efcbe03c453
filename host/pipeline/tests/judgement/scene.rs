//! One destination, everything real but the SIEM, which is the stand-in for Splunk.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use siemaphore_delivery::{Authentication, ClientConfig, EgressPolicy, Target, TargetConfig};
use siemaphore_model::normalise::{Context, Normaliser, Scratch};
use siemaphore_model::redaction::Redaction;
use siemaphore_model::{EventBuffer, Subscription};
use siemaphore_pipeline::{Pipeline, PipelineConfig, PipelineHandle, Stages, State};
use siemaphore_receiver::{Certificate, Receiver, Siem};
use siemaphore_registry::{Registry, RegistryConfig};
use siemaphore_sandbox::{Sandbox, SandboxConfig};
use siemaphore_secrets::Secrets;
use siemaphore_store::{Append, Ledger, Start, Store, StoreConfig};
use tempfile::TempDir;

const TOKEN: &str = "3f1b8a52-7c1e-4b8f-9a55-0f6d2f1c7e10";
const ORGANIZATION: &str = "acme";
const DESTINATION: &str = "acme/splunk";
/// For a loaded machine; what is waited for wakes the wait.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Scene {
    pub(crate) receiver: Receiver,
    pub(crate) store: Store,
    pipeline: Pipeline,
    _registry: Registry,
    _folder: TempDir,
}

impl Scene {
    pub(crate) async fn start() -> Scene {
        Scene::start_with_token(TOKEN).await
    }

    /// A destination that authenticates with `token`, which may be the wrong one.
    pub(crate) async fn start_with_token(token: &str) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::generate().unwrap();
        let siem = Siem::splunk_hec(TOKEN);
        let receiver = Receiver::start(siem, &certificate).await.unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.ca_pem()).unwrap();
        std::fs::write(folder.path().join("token"), token).unwrap();

        let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
        let splunk = siemaphore_bundle::formatters().iter().find(|one| one.name == "splunk").unwrap();
        let bundled = [(splunk.name, splunk.component)];
        let registry = Registry::start(sandbox.clone(), &bundled, RegistryConfig::default()).unwrap();

        let mut config = StoreConfig::new(folder.path().join("store"));
        config.disk_reserve_bytes = 0;
        let store = Store::open(config).unwrap();
        let stages = Stages {
            store: store.clone(),
            sandbox,
            plugin: registry.get("splunk").unwrap(),
            target: Arc::new(target(&folder, &receiver)),
        };
        let pipeline = Pipeline::start(pipeline_config(), stages).await.unwrap();
        Scene { receiver, store, pipeline, _registry: registry, _folder: folder }
    }

    pub(crate) fn pipeline(&self) -> PipelineHandle {
        self.pipeline.handle()
    }

    /// Stores events as intake would.
    pub(crate) async fn append(&self, count: u64) {
        let normaliser = Normaliser::new("generic", &Redaction::default()).unwrap();
        let context =
            Context { organization: ORGANIZATION, source: "test", received_ns: 1_780_949_730_000_000_000 };
        let (mut events, mut scratch) = (EventBuffer::new(), Scratch::default());
        for number in 0..count {
            let raw = format!(r#"{{"event_type":"test.event","severity":"high","number":{number}}}"#);
            normaliser.normalise(&raw, &context, &mut scratch, &mut events).unwrap();
        }
        let append = Append { organization: ORGANIZATION.to_owned(), events, idempotency: None };
        self.store.append(append).await.unwrap();
    }

    pub(crate) async fn ledger(&self) -> Ledger {
        self.store.ledger(DESTINATION).await.unwrap()
    }

    /// Waits until the ledger is as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Ledger) -> bool) {
        self.wait(|| async { wanted(&self.ledger().await) }).await;
    }

    pub(crate) async fn until_state(&self, state: State) {
        self.wait(|| async { self.pipeline().status().state == state }).await;
    }

    pub(crate) async fn until_suspects(&self, count: usize) {
        self.wait(|| async { self.pipeline().status().suspects == count }).await;
    }

    /// Looks again whenever the pipeline's status changes.
    async fn wait<F: Future<Output = bool>>(&self, wanted: impl Fn() -> F) {
        let mut changes = self.pipeline().changes();
        let waiting = async {
            while !wanted().await {
                changes.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("it did not come: {:?} {:?}", self.ledger().await, self.pipeline().status());
        }
    }

    /// Drains at once; how many events the SIEM has got, and what the ledger says.
    pub(crate) async fn drain(self) -> (usize, Ledger) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        assert!(self.pipeline.drain(deadline).await);
        (self.receiver.received().len(), self.store.ledger(DESTINATION).await.unwrap())
    }
}

fn target(folder: &TempDir, receiver: &Receiver) -> Target {
    let config = TargetConfig {
        destination: DESTINATION.to_owned(),
        endpoint: receiver.endpoint().parse().unwrap(),
        authentication: Authentication::Header {
            header: "authorization".parse().unwrap(),
            prefix: "Splunk ".to_owned(),
            secret: format!("file:{}", folder.path().join("token").display()).parse().unwrap(),
        },
        client: ClientConfig {
            ca_file: Some(folder.path().join("ca.pem")),
            egress: Arc::new(EgressPolicy::loopback()),
            ..ClientConfig::default()
        },
    };
    Target::new(config, Arc::new(Secrets::new())).unwrap()
}

fn pipeline_config() -> PipelineConfig {
    PipelineConfig {
        destination: DESTINATION.to_owned(),
        organization: ORGANIZATION.to_owned(),
        subscription: Subscription::default(),
        settings: "{}".to_owned(),
        concurrency: 4,
        batch_events: None,
        age_limit: Duration::from_secs(7 * 24 * 60 * 60),
        start: Start::Now,
    }
}
