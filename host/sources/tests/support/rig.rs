//! A source that fetches into a log in memory, which can refuse, and survives the source.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use siemaphore_intake::{
    Append, AppendError, Appended, EventLog, Intake, IntakeConfig, IntakeMetrics, LogFuture, Source,
    SourceSnapshot,
};
use siemaphore_model::{Normaliser, Redaction};
use siemaphore_sources::{Kind, SourceConfig, SourceStatus, Sources};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// Far more than anything takes: only a test that fails waits so long.
pub const PATIENCE: Duration = Duration::from_secs(60);
const SOURCE: &str = "tail";
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(10);

pub struct Rig {
    pub folder: TempDir,
    pub log: Arc<MemoryLog>,
    metrics: Arc<IntakeMetrics>,
    kind: Kind,
    sources: Option<Sources>,
}

impl Rig {
    /// The kind gets to know a folder for its files.
    pub fn new(kind: impl FnOnce(&Path) -> Kind) -> Rig {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        let kind = kind(&folder.path().join("logs"));
        Rig { folder, log: Arc::default(), metrics: Arc::default(), kind, sources: None }
    }

    pub fn start(&mut self) {
        let source = Source {
            name: SOURCE.to_owned(),
            organization: "acme".to_owned(),
            token_digests: Vec::new(),
            signature: None,
            normaliser: Arc::new(Normaliser::new("auto", &Redaction::default()).unwrap()),
            schema: None,
            events_per_second: None,
        };
        let log = Arc::clone(&self.log) as Arc<dyn EventLog>;
        let intake = Intake::new(IntakeConfig::default(), vec![source], log, Arc::clone(&self.metrics));
        let config = SourceConfig {
            name: SOURCE.to_owned(),
            kind: self.kind.clone(),
            feed: intake.feed(SOURCE).unwrap(),
            checkpoints: self.folder.path().join("checkpoints"),
        };
        self.sources = Some(Sources::start(vec![config], &Arc::default()));
    }

    pub async fn stop(&mut self) {
        assert!(self.sources.take().unwrap().drain(Instant::now() + PATIENCE).await, "it drains");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("logs").join(name)
    }

    pub fn checkpoint(&self) -> PathBuf {
        self.folder.path().join("checkpoints").join(format!("{SOURCE}.json"))
    }

    pub fn status(&self) -> SourceStatus {
        self.sources.as_ref().unwrap().statuses().snapshot().remove(0)
    }

    /// Asks until the source says what is wanted of it.
    pub async fn until(&self, what: &str, wanted: impl Fn(&SourceStatus) -> bool) -> SourceStatus {
        let start = Instant::now();
        loop {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not come to be {what}: {status:?}");
            tokio::time::sleep(BETWEEN_QUESTIONS).await;
        }
    }

    pub fn counters(&self) -> SourceSnapshot {
        self.metrics.snapshot().remove(0)
    }

    /// Waits until so many events are stored; asserts their ids, sorted, and that there are no others.
    pub async fn has(&self, ids: &[&str]) {
        self.log.wait_for(ids.len()).await;
        assert_eq!(self.log.ids(), ids);
    }
}

#[derive(Default)]
pub struct MemoryLog {
    state: Mutex<State>,
    grown: watch::Sender<usize>,
    asked: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    ids: Vec<String>,
    answers: HashMap<String, String>,
    refuses: bool,
}

impl MemoryLog {
    pub fn refuse(&self, refuses: bool) {
        self.state.lock().unwrap().refuses = refuses;
    }

    pub fn ids(&self) -> Vec<String> {
        let mut ids = self.state.lock().unwrap().ids.clone();
        ids.sort();
        ids
    }

    pub async fn wait_for(&self, events: usize) {
        let mut grown = self.grown.subscribe();
        let waited = timeout(PATIENCE, grown.wait_for(|stored| *stored >= events)).await;
        assert!(waited.is_ok(), "{events} events do not come: {:?}", self.ids());
    }

    /// Waits until the log was asked so often to store something.
    pub async fn wait_for_appends(&self, appends: usize) {
        let mut asked = self.asked.subscribe();
        timeout(PATIENCE, asked.wait_for(|count| *count >= appends)).await.unwrap().unwrap();
    }
}

impl EventLog for MemoryLog {
    fn append(&self, append: Append) -> LogFuture<'_, Appended> {
        Box::pin(async move {
            let mut state = self.state.lock().unwrap();
            self.asked.send_modify(|count| *count += 1);
            if state.refuses {
                return Err(AppendError::DiskReserve { free_bytes: 1, reserve_bytes: 2 });
            }
            let mark = append.idempotency.unwrap();
            if let Some(answer) = state.answers.get(&mark.key) {
                return Ok(Appended::Repeated { answer: answer.clone() });
            }
            state.answers.insert(mark.key, mark.answer);
            state.ids.extend(append.events.iter().map(|event| event.id().to_owned()));
            self.grown.send_replace(state.ids.len());
            Ok(Appended::Stored)
        })
    }

    fn repeated<'a>(&'a self, _: &'a str, key: &'a str, _: &'a [u8; 32]) -> LogFuture<'a, Option<String>> {
        Box::pin(async move { Ok(self.state.lock().unwrap().answers.get(key).cloned()) })
    }
}
