//! A store in a temporary folder with a clock that only moves when a test moves it.

use siemaphore_model::{EventBuffer, EventKey, Severity};
use siemaphore_store::{
    Append, Appended, BlockHeader, Clock, DeadLetterLimit, Keep, Ledger, NewDeadLetter, Registration,
    Settlement, Start, Store, StoreConfig,
};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
pub(crate) const START_MS: u64 = 1_780_000_000_000;

pub(crate) struct Rig {
    pub(crate) store: Store,
    pub(crate) config: StoreConfig,
    now_ms: Arc<AtomicU64>,
    folder: TempDir,
}

impl Rig {
    pub(crate) fn new() -> Rig {
        Rig::with(|_| {})
    }

    pub(crate) fn with(adjust: impl FnOnce(&mut StoreConfig)) -> Rig {
        Rig::within(tempfile::tempdir().unwrap(), adjust)
    }

    pub(crate) fn within(folder: TempDir, adjust: impl FnOnce(&mut StoreConfig)) -> Rig {
        let now_ms = Arc::new(AtomicU64::new(START_MS));
        let clock = Arc::clone(&now_ms);
        let mut config = StoreConfig::new(folder.path().join("store"));
        config.clock = Clock::new(move || clock.load(Ordering::Relaxed));
        config.disk_reserve_bytes = 0;
        config.ballast_bytes = 0;
        adjust(&mut config);
        Rig { store: Store::open(config.clone()).unwrap(), config, now_ms, folder }
    }

    /// Opens the same folder again after an ordinary end.
    pub(crate) async fn reopened(self) -> Rig {
        self.store.close().await;
        let Rig { store, config, now_ms, folder } = self;
        drop(store);
        Rig { store: Store::open(config.clone()).unwrap(), config, now_ms, folder }
    }

    /// What a kill leaves: the files as they are at this moment, opened by a new process.
    pub(crate) fn crashed(self) -> Rig {
        let files = ["store.db", "store.db-wal", "destinations.json"].map(|file| {
            let path = self.config.folder.join(file);
            (path.clone(), std::fs::read(path))
        });
        self.with_files(files.into_iter().filter_map(|(path, content)| Some((path, content.ok()?))))
    }

    /// Another folder with these files, opened.
    pub(crate) fn with_files(self, files: impl IntoIterator<Item = (PathBuf, Vec<u8>)>) -> Rig {
        let folder = small_folder();
        let copy = folder.path().join("store");
        std::fs::create_dir(&copy).unwrap();
        for (path, content) in files {
            std::fs::write(copy.join(path.file_name().unwrap()), content).unwrap();
        }
        let config = StoreConfig { folder: copy, ..self.config.clone() };
        Rig { store: Store::open(config.clone()).unwrap(), config, now_ms: Arc::clone(&self.now_ms), folder }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.now_ms.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }

    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.config.folder.join("store.db")).unwrap()
    }

    /// A destination that starts now.
    pub(crate) async fn open(&self, destination: &str, organization: &str) {
        self.store.open_destination(registration(destination, organization)).await.unwrap();
    }

    pub(crate) async fn append(&self, organization: &str, count: u64) -> Range<u64> {
        self.append_events(organization, events(organization, count)).await
    }

    pub(crate) async fn append_events(&self, organization: &str, events: EventBuffer) -> Range<u64> {
        let appended = self.store.append(plain(organization, events)).await.unwrap();
        let Appended::Stored { first, count } = appended else { panic!("not stored: {appended:?}") };
        first..first + count
    }

    pub(crate) async fn deliver(&self, destination: &str, range: Range<u64>) {
        let settlement = Settlement { delivered: vec![range], ..settlement(destination) };
        self.store.settle(settlement).await.unwrap();
    }

    pub(crate) async fn ledger(&self, destination: &str) -> Ledger {
        let ledger = self.store.ledger(destination).await.unwrap();
        assert_eq!(ledger.difference(), 0, "the ledger of {destination} does not add up: {ledger:?}");
        ledger
    }

    pub(crate) async fn next(&self, destination: &str) -> Option<BlockHeader> {
        self.store.next_block(destination, 0).await.unwrap()
    }

    /// Runs expiry as often as it takes.
    pub(crate) async fn expire_all(&self) {
        let mut before = u64::MAX;
        loop {
            self.store.expire().await.unwrap();
            let status = self.store.status().await.unwrap();
            let left = status.blocks + status.file_bytes;
            if left == before {
                return;
            }
            before = left;
        }
    }

    pub(crate) async fn blocks(&self) -> u64 {
        self.store.status().await.unwrap().blocks
    }
}

/// A folder in memory where the machine has one: for tests that open hundreds of small stores, and whose power cuts are
/// played and not real.
pub(crate) fn small_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let in_memory = memory.is_dir().then(|| tempfile::tempdir_in(memory)).and_then(Result::ok);
    in_memory.unwrap_or_else(|| tempfile::tempdir().unwrap())
}

pub(crate) fn registration(destination: &str, organization: &str) -> Registration {
    Registration {
        destination: destination.to_owned(),
        organization: organization.to_owned(),
        age_limit: WEEK,
        start: Start::Now,
        dead_letter_limit: DeadLetterLimit::default(),
    }
}

pub(crate) fn plain(organization: &str, events: EventBuffer) -> Append {
    Append { organization: organization.to_owned(), events, idempotency: None }
}

pub(crate) fn settlement(destination: &str) -> Settlement {
    Settlement { destination: destination.to_owned(), ..Settlement::default() }
}

pub(crate) fn keep(age: Duration, bytes: u64) -> Keep {
    Keep { age, bytes }
}

pub(crate) fn dead_letter(position: u64) -> NewDeadLetter {
    NewDeadLetter {
        position,
        event: events("acme", 1),
        cause: "rejected".to_owned(),
        hint: "look at the mapping".to_owned(),
        attempts: Vec::new(),
        plugin: "splunk".to_owned(),
        plugin_version: "1.0.0".to_owned(),
        plugin_digest: "abc".to_owned(),
    }
}

pub(crate) fn events(organization: &str, count: u64) -> EventBuffer {
    buffer(
        (0..count).map(|number| {
            encode("dlp.blocked", Severity::High, organization, &format!(r#"{{"n":{number}}}"#))
        }),
    )
}

/// Events whose documents do not compress.
pub(crate) fn noise(organization: &str, count: u64, bytes: usize, seed: u64) -> EventBuffer {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut digit = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + (state % 64) as u8)
    };
    buffer((0..count).map(|_| {
        let document: String = (0..bytes).map(|_| digit()).collect();
        encode("noise", Severity::Low, organization, &document)
    }))
}

pub(crate) fn buffer(encoded: impl IntoIterator<Item = Vec<u8>>) -> EventBuffer {
    EventBuffer::from_bytes(encoded.into_iter().flatten().collect()).unwrap()
}

/// One event in the stored form that `EventBuffer` documents: only normalisation may make an `Event`.
pub(crate) fn encode(event_type: &str, severity: Severity, organization: &str, document: &str) -> Vec<u8> {
    let texts = ["id", event_type, "2026-06-08T20:15:30Z", "gateway", "generic", organization, "", document];
    let mut body = EventKey::compute(organization, "gateway", "id", document).as_bytes().to_vec();
    // Its own time and that of its arrival.
    body.extend([(START_MS * 1_000_000).to_le_bytes(); 2].concat());
    body.extend([severity.rank(), 0]);
    texts.iter().for_each(|text| body.extend((text.len() as u32).to_le_bytes()));
    texts.iter().for_each(|text| body.extend(text.as_bytes()));
    let mut encoded = (body.len() as u32).to_le_bytes().to_vec();
    encoded.extend(body);
    encoded
}

pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
