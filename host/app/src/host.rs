//! A running host: every stage built in the order of the flow, and stopped in the same order.

mod accept;
mod intake_log;
mod listeners;
mod open_files;
pub(crate) mod signals;
pub(crate) mod state;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use siemaphore_admin::Handles;
use siemaphore_delivery::shown_url;
use siemaphore_intake::{Intake, IntakeMetrics, Source};
use siemaphore_pipeline::{Pipeline, PipelineConfig, Stages};
use siemaphore_registry::Registry;
use siemaphore_sources::{Kind, SourceConfig, Sources};
use siemaphore_store::Store;
use tokio_util::sync::CancellationToken;

use crate::config::DestinationConfig;
use crate::config::prepare::{Prepared, PreparedDestination, PreparedSource};
use crate::control;
use crate::host::intake_log::StoreLog;
use crate::host::listeners::Listeners;

/// A host that takes and delivers events.
pub(crate) struct Host {
    handles: Handles,
    pipelines: Vec<Pipeline>,
    registry: Arc<Registry>,
    store: Store,
    fetching: Sources,
    listeners: Listeners,
    stop_intake: CancellationToken,
    intake_address: SocketAddr,
}

/// How a drain ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drained {
    /// Destinations whose requests in flight had to be cut off. Their events are sent again after the next start.
    pub(crate) cut_off: usize,
    pub(crate) left: Vec<Left>,
}

/// What a destination leaves in the store for the next start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) destination: String,
    pub(crate) events: u64,
}

impl Host {
    /// Opens the store, starts a pipeline for each destination, and then lets producers in.
    pub(crate) async fn start(prepared: Prepared) -> Result<Host> {
        let Prepared { config, sandbox, registry, sources, destinations, secrets } = prepared;
        state::prepare(&config.state)?;
        let open_files = open_files::raise_limit();
        let store_config = config.store;
        let store = tokio::task::spawn_blocking(move || Store::open(store_config)).await??;
        // The store's lock says that no other host has this folder.
        let watched = Arc::clone(&registry);
        tokio::task::spawn_blocking(move || watched.watch()).await??;
        let ids: Vec<String> = destinations.iter().map(|destination| destination.config.id()).collect();
        store.retain_destinations(&ids).await?;

        let mut pipelines = BTreeMap::new();
        for destination in destinations.iter().filter(|destination| destination.config.enabled) {
            let stages = Stages {
                store: store.clone(),
                sandbox: sandbox.clone(),
                plugin: destination.plugin.clone(),
                target: Arc::clone(&destination.target),
            };
            let id = destination.config.id();
            let pipeline = Pipeline::start(pipeline_config(&destination.config), stages);
            pipelines.insert(id.clone(), pipeline.await.with_context(|| format!("destination {id}"))?);
        }

        let metrics = Arc::new(IntakeMetrics::default());
        let log = Arc::new(StoreLog::new(store.clone()));
        let fetched = fetched_kinds(&sources);
        let described = sources.iter().map(describe_source).collect();
        let intake = Intake::new(config.intake, intake_sources(sources), log, Arc::clone(&metrics));
        let fetching = Sources::start(fetching(fetched, &intake, &config.state), &secrets);
        let stop_intake = CancellationToken::new();
        let handles = Handles {
            store: store.clone(),
            registry: Arc::clone(&registry),
            destinations: destinations.iter().map(|destination| describe(destination, &pipelines)).collect(),
            sources: described,
            intake: metrics,
            fetching: fetching.statuses(),
            stopping: stop_intake.clone(),
        };
        let mut listeners = Listeners::new(open_files);
        let router = intake.router();
        let intake_address = listeners.intake(config.intake_listen, router, stop_intake.clone()).await?;
        let admin = siemaphore_admin::health_router(handles.clone());
        listeners.admin(config.admin_listen, admin).await?;
        let socket = control::bind(&config.state).context("cannot make the control socket")?;
        listeners.control(socket, siemaphore_admin::control_router(handles.clone()));

        let pipelines = pipelines.into_values().collect();
        Ok(Host { handles, pipelines, registry, store, fetching, listeners, stop_intake, intake_address })
    }

    pub(crate) fn handles(&self) -> &Handles {
        &self.handles
    }

    pub(crate) fn intake_address(&self) -> SocketAddr {
        self.intake_address
    }

    /// Takes no more events, finishes what is in flight within `grace`, and closes the store.
    pub(crate) async fn drain(self, grace: Duration) -> Result<Drained> {
        let deadline = tokio::time::Instant::now() + grace;
        self.stop_intake.cancel();
        let draining = self.pipelines.into_iter().map(|pipeline| pipeline.drain(deadline));
        let draining = futures_util::future::join_all(draining);
        // What a source has in hand and did not store is read again at the next start.
        let (ended, _fetched) = tokio::join!(draining, self.fetching.drain(deadline));
        let mut left = Vec::new();
        for destination in self.handles.destinations.iter().filter(|one| one.pipeline.is_some()) {
            let events = self.store.ledger(&destination.id).await?.waiting;
            left.push(Left { destination: destination.id.clone(), events });
        }
        self.listeners.drain(deadline).await;
        self.store.close().await;
        drop(self.registry);
        Ok(Drained { cut_off: ended.into_iter().filter(|finished| !finished).count(), left })
    }
}

pub(crate) fn pipeline_config(config: &DestinationConfig) -> PipelineConfig {
    PipelineConfig {
        destination: config.id(),
        organization: config.organization.clone(),
        subscription: config.subscription.clone(),
        settings: config.settings.clone(),
        concurrency: config.concurrency,
        batch_events: config.batch_events,
        events_per_second: config.events_per_second,
        retry: config.retry.clone(),
        dead_letter_limit: config.dead_letter_limit,
        age_limit: config.age_limit,
        start: config.start,
    }
}

fn describe(
    destination: &PreparedDestination,
    pipelines: &BTreeMap<String, Pipeline>,
) -> siemaphore_admin::Destination {
    let config = &destination.config;
    siemaphore_admin::Destination {
        id: config.id(),
        organization: config.organization.clone(),
        name: config.name.clone(),
        formatter: config.formatter.clone(),
        endpoint: shown_url(&config.endpoint),
        pipeline: pipelines.get(&config.id()).map(Pipeline::handle),
    }
}

fn describe_source(source: &PreparedSource) -> siemaphore_admin::Source {
    let config = &source.config;
    siemaphore_admin::Source {
        organization: config.organization.clone(),
        name: config.name.clone(),
        kind: config.kind().to_owned(),
        profile: config.profile.clone(),
        has_schema: source.schema.is_some(),
    }
}

/// Where checkpoints are kept, in the state folder.
const CHECKPOINTS: &str = "sources";

/// The sources that fetch, by name.
fn fetched_kinds(sources: &[PreparedSource]) -> Vec<(String, Kind)> {
    let fetched = sources.iter().filter_map(|source| {
        let kind = source.config.fetched()?;
        Some((source.config.name.clone(), kind.clone()))
    });
    fetched.collect()
}

fn fetching(fetched: Vec<(String, Kind)>, intake: &Intake, state: &Path) -> Vec<SourceConfig> {
    let each = fetched.into_iter().filter_map(|(name, kind)| {
        let feed = intake.feed(&name)?;
        Some(SourceConfig { name, kind, feed, checkpoints: state.join(CHECKPOINTS) })
    });
    each.collect()
}

fn intake_sources(sources: Vec<PreparedSource>) -> Vec<Source> {
    let sources = sources.into_iter().map(|source| Source {
        name: source.config.name,
        organization: source.config.organization,
        token_digests: source.token_digest.into_iter().collect(),
        signature: source.signature,
        normaliser: source.config.normaliser,
        schema: source.schema,
        events_per_second: source.config.events_per_second,
    });
    sources.collect()
}
