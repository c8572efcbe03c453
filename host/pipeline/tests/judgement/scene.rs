//! One destination, everything real but the SIEM, which is the stand-in for Splunk.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use siemaphore_delivery::{Authentication, ClientConfig, EgressPolicy, Target, TargetConfig};
use siemaphore_model::normalise::{Context, Normaliser, Scratch};
use siemaphore_model::redaction::Redaction;
use siemaphore_model::{EventBuffer, Subscription};
use siemaphore_pipeline::{Pipeline, PipelineConfig, PipelineHandle, RetryPolicy, Stages, State};
use siemaphore_receiver::{Certificate, Receiver, Siem};
use siemaphore_registry::{Artifact, PluginStatus, Registry, RegistryConfig};
use siemaphore_sandbox::{Sandbox, SandboxConfig};
use siemaphore_secrets::Secrets;
use siemaphore_store::{Append, DeadLetterLimit, Ledger, Start, Store, StoreConfig};
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "3f1b8a52-7c1e-4b8f-9a55-0f6d2f1c7e10";
const ORGANIZATION: &str = "acme";
pub(crate) const DESTINATION: &str = "acme/splunk";
/// The name of a customer's formatter.
const CUSTOMERS: &str = "my-siem";
/// For a loaded machine; what is waited for wakes the wait.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Scene {
    pub(crate) receiver: Receiver,
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pipeline: Pipeline,
    folder: TempDir,
}

/// Who plays in a scene.
pub(crate) struct Cast {
    pub(crate) siem: Siem,
    /// What the destination authenticates with, which may be wrong.
    pub(crate) token: String,
    pub(crate) formatter: &'static [u8],
    /// The formatter is a file in the plugin folder, under the name [`CUSTOMERS`], and not a bundled one.
    pub(crate) is_customers: bool,
}

impl Default for Cast {
    fn default() -> Cast {
        let splunk = siemaphore_bundle::formatters().iter().find(|one| one.name == "splunk").unwrap();
        Cast {
            siem: Siem::splunk_hec(TOKEN),
            token: TOKEN.to_owned(),
            formatter: splunk.component,
            is_customers: false,
        }
    }
}

impl Scene {
    pub(crate) async fn start() -> Scene {
        Scene::build(Cast::default(), |_, _| {}).await
    }

    /// A destination that authenticates with `token`, which may be the wrong one.
    pub(crate) async fn start_with_token(token: &str) -> Scene {
        Scene::build(Cast { token: token.to_owned(), ..Cast::default() }, |_, _| {}).await
    }

    /// A store and a destination that differ from the usual ones.
    pub(crate) async fn start_with(change: impl FnOnce(&mut StoreConfig, &mut PipelineConfig)) -> Scene {
        Scene::build(Cast::default(), change).await
    }

    /// A formatter other than the bundled one.
    pub(crate) async fn start_formatting(component: Vec<u8>) -> Scene {
        Scene::build(Cast { formatter: component.leak(), ..Cast::default() }, |_, _| {}).await
    }

    /// A customer's formatter, which can be replaced, and a destination that differs from the usual ones.
    pub(crate) async fn start_with_file(
        component: Vec<u8>,
        change: impl FnOnce(&mut PipelineConfig),
    ) -> Scene {
        let cast = Cast { formatter: component.leak(), is_customers: true, ..Cast::default() };
        Scene::build(cast, |_, pipeline| change(pipeline)).await
    }

    pub(crate) async fn build(
        cast: Cast,
        change: impl FnOnce(&mut StoreConfig, &mut PipelineConfig),
    ) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::generate().unwrap();
        let receiver = Receiver::start(cast.siem, &certificate).await.unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.ca_pem()).unwrap();
        std::fs::write(folder.path().join("token"), cast.token).unwrap();

        let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
        let plugins = folder.path().join("plugins");
        std::fs::create_dir(&plugins).unwrap();
        let (name, bundled) = if cast.is_customers {
            std::fs::write(plugins.join(format!("{CUSTOMERS}.wasm")), cast.formatter).unwrap();
            (CUSTOMERS, Vec::new())
        } else {
            ("splunk", vec![("splunk", cast.formatter)])
        };
        let config = RegistryConfig { folder: Some(plugins), ..RegistryConfig::default() };
        let registry = Registry::open(sandbox.clone(), &bundled, config).unwrap();
        registry.watch().unwrap();

        let mut config = StoreConfig::new(folder.path().join("store"));
        config.disk_reserve_bytes = 0;
        let mut pipeline = pipeline_config();
        change(&mut config, &mut pipeline);
        let store = Store::open(config).unwrap();
        let stages = Stages {
            store: store.clone(),
            sandbox,
            plugin: registry.get(name).unwrap(),
            target: Arc::new(target(&folder, &receiver)),
        };
        let pipeline = Pipeline::start(pipeline, stages).await.unwrap();
        Scene { receiver, store, registry, pipeline, folder }
    }

    pub(crate) fn pipeline(&self) -> PipelineHandle {
        self.pipeline.handle()
    }

    /// Replaces the customer's formatter, and waits until the destination formats with it.
    pub(crate) async fn replace(&self, component: &[u8]) {
        let file = self.folder.path().join("plugins").join(format!("{CUSTOMERS}.wasm"));
        let beside = file.with_extension("new");
        std::fs::write(&beside, component).unwrap();
        std::fs::rename(beside, file).unwrap();
        let digest = Artifact::new(CUSTOMERS, component.to_vec()).digest().to_owned();
        let listed = tokio::task::block_in_place(|| self.registry.reload());
        let listed = listed.into_iter().find(|plugin| plugin.name == CUSTOMERS).unwrap();
        assert_eq!(listed.digest.as_ref(), Some(&digest), "{listed:#?}");
        self.until_version(&digest).await;
    }

    /// Waits until more events have been formatted: their request is made then, whatever comes.
    pub(crate) async fn while_it_formats(&self, appending: impl Future<Output = ()>) {
        let used = || self.pipeline().status().formatting_cpu_us;
        let before = used();
        appending.await;
        self.wait(|| async { used() > before }).await;
    }

    /// Waits until the destination formats with this component.
    pub(crate) async fn until_version(&self, digest: &str) {
        self.wait(|| async { self.pipeline().status().plugin_digest.as_deref() == Some(digest) }).await;
    }

    /// What is said of the customer's formatter.
    pub(crate) fn plugin(&self) -> PluginStatus {
        self.registry.list().into_iter().find(|plugin| plugin.name == CUSTOMERS).unwrap()
    }

    /// Stores events as intake would.
    pub(crate) async fn append(&self, count: u64) {
        self.append_numbered(0..count).await;
    }

    /// Stores events that carry these numbers, each of about 600 bytes that do not compress.
    pub(crate) async fn append_numbered(&self, numbers: Range<u64>) {
        self.append_typed(numbers.map(|number| (number, "test.event"))).await;
    }

    /// Stores events with these numbers and types.
    pub(crate) async fn append_typed(&self, events: impl IntoIterator<Item = (u64, &str)>) {
        let normaliser = Normaliser::new("generic", &Redaction::default()).unwrap();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let received_ns = u64::try_from(since_1970.as_nanos()).unwrap();
        let context = Context { organization: ORGANIZATION, source: "test", received_ns };
        let (mut buffer, mut scratch) = (EventBuffer::new(), Scratch::default());
        for (number, event_type) in events {
            let filling = filling(number);
            let raw = format!(
                r#"{{"event_type":"{event_type}","severity":"high","number":{number},"filling":"{filling}"}}"#
            );
            normaliser.normalise(&raw, &context, &mut scratch, &mut buffer).unwrap();
        }
        let append = Append { organization: ORGANIZATION.to_owned(), events: buffer, idempotency: None };
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

    /// Waits until so many batches were taken by the SIEM and not confirmed.
    pub(crate) async fn until_unconfirmed(&self, batches: usize) {
        self.wait(|| async { self.pipeline().status().waiting_for_confirmation == batches }).await;
    }

    /// Waits until so many requests have failed since one succeeded.
    pub(crate) async fn until_failures(&self, count: u32) {
        self.wait(|| async { self.pipeline().status().failures >= count }).await;
    }

    pub(crate) async fn until_suspects(&self, count: usize) {
        self.wait(|| async { self.pipeline().status().suspects == count }).await;
    }

    /// Waits until every letter that was marked has been tried.
    pub(crate) async fn until_replayed(&self) {
        self.wait(|| async { self.store.replays_waiting(DESTINATION).await.unwrap() == 0 }).await;
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

/// Hexadecimal digits that look random and follow from the number.
fn filling(number: u64) -> String {
    let mut state = number.wrapping_add(1);
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{state:016x}")
    });
    words.take(32).collect()
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
        client_certificate: None,
        further_secrets: Vec::new(),
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
        events_per_second: None,
        retry: RetryPolicy::default(),
        age_limit: Duration::from_secs(7 * 24 * 60 * 60),
        dead_letter_limit: DeadLetterLimit::default(),
        start: Start::Now,
    }
}
