//! A story's stage: stand-ins for SIEMs, a configuration with real files, and a host that delivers to them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use siemaphore_receiver::Certificate;
use tempfile::TempDir;

use super::cli::{self, Output};
use super::siem::{Kind, StandIn};
use super::{Answer, Destination, Host, PATIENCE, SmallDisk, events, http};

/// The bearer token of the scene's only source, `gateway` of the organisation `acme`.
pub(crate) const TOKEN: &str = "canary-source-token-4711";

/// The bearer token of the source of a further organisation.
pub(crate) fn token_of(organization: &str) -> String {
    format!("canary-{organization}-token-4711")
}

/// What a host has settled shows in its answers only, so it is asked again. Each question is a process: without a pause
/// they would take the machine from the host.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(100);

/// What a scene is made of, before it begins.
#[derive(Default)]
pub(crate) struct SceneBuilder {
    destinations: Vec<Destination>,
    intake: String,
    plugins: Vec<(String, Vec<u8>)>,
    organizations: Vec<String>,
    store: String,
    limits: String,
}

/// A scene with its host running.
pub(crate) struct Scene {
    pub(crate) host: Host,
    siems: BTreeMap<String, StandIn>,
    secrets: Vec<String>,
    /// Before the folder, within which it is mounted.
    disk: Option<SmallDisk>,
    folder: TempDir,
}

impl SceneBuilder {
    pub(crate) fn splunk(self) -> SceneBuilder {
        self.to(Destination::to(Kind::Splunk))
    }

    pub(crate) fn datadog(self) -> SceneBuilder {
        self.to(Destination::to(Kind::Datadog))
    }

    pub(crate) fn sentinel(self) -> SceneBuilder {
        self.to(Destination::to(Kind::Sentinel))
    }

    pub(crate) fn to(mut self, destination: Destination) -> SceneBuilder {
        self.destinations.push(destination);
        self
    }

    /// A line for `[intake]`.
    pub(crate) fn intake(mut self, line: &str) -> SceneBuilder {
        self.intake.push_str(line);
        self.intake.push('\n');
        self
    }

    /// A line for `[store]`.
    pub(crate) fn store(mut self, line: &str) -> SceneBuilder {
        self.store.push_str(line);
        self.store.push('\n');
        self
    }

    /// A line for `[plugins]`.
    pub(crate) fn plugins(mut self, line: &str) -> SceneBuilder {
        self.limits.push_str(line);
        self.limits.push('\n');
        self
    }

    /// A further organisation, with a source that is named after it and has [`token_of`] it.
    pub(crate) fn organization(mut self, name: &str) -> SceneBuilder {
        self.organizations.push(name.to_owned());
        self
    }

    /// A file in the plugin folder.
    pub(crate) fn plugin(mut self, file: &str, bytes: &[u8]) -> SceneBuilder {
        self.plugins.push((file.to_owned(), bytes.to_vec()));
        self
    }

    pub(crate) async fn start(self) -> Scene {
        self.set().await.start(None).await
    }

    /// The state is on a file system of so many MiB. `Err` with the reason where none can be mounted.
    pub(crate) async fn start_on_a_small_disk(self, mib: u32) -> Result<Scene, String> {
        let stage = self.set().await;
        let state = stage.path("state");
        fs::create_dir(&state).expect("a folder");
        let disk = SmallDisk::mount(&state, mib)?;
        Ok(stage.start(Some(disk)).await)
    }

    /// Everything but the host.
    pub(crate) async fn set(self) -> Stage {
        let folder = tempfile::Builder::new().prefix("siemaphore-end-to-end-").tempdir().expect("a folder");
        let certificate = Certificate::generate().expect("a certificate");
        let other = Certificate::generate().expect("a certificate");
        fs::write(folder.path().join("ca.pem"), certificate.ca_pem()).expect("a file");
        fs::write(folder.path().join("other-ca.pem"), other.ca_pem()).expect("a file");
        write_secret(&folder.path().join("source.secret"), TOKEN);
        fs::create_dir(folder.path().join("plugins")).expect("a folder");
        for (file, bytes) in &self.plugins {
            fs::write(folder.path().join("plugins").join(file), bytes).expect("a file");
        }
        let place = folder.path().display().to_string();
        let mut text = self.head(&place);
        let mut siems = BTreeMap::new();
        let mut secrets = vec![TOKEN.to_owned()];
        for organization in &self.organizations {
            let token = token_of(organization);
            write_secret(&folder.path().join(format!("{organization}.secret")), &token);
            text.push_str(&format!(
                "[[source]]\nname = \"{organization}\"\norganization = \"{organization}\"\n\
                 token = \"file:{place}/{organization}.secret\"\n"
            ));
            secrets.push(token);
        }
        for destination in &self.destinations {
            let siem = StandIn::start(destination.kind, &certificate, destination.receiver.clone()).await;
            write_secret(&folder.path().join(destination.secret_file()), destination.secret());
            secrets.extend([destination.secret().to_owned(), destination.kind.secret().to_owned()]);
            text.push_str(&destination.text(&place, &siem));
            siems.insert(destination.name.clone(), siem);
        }
        let stage = Stage { folder, siems, secrets };
        fs::write(stage.configuration(), text).expect("a file");
        stage
    }

    fn head(&self, place: &str) -> String {
        let SceneBuilder { intake, store, limits, .. } = self;
        format!(
            "state = \"state\"\n\
             [intake]\nlisten = \"127.0.0.1:0\"\n{intake}\
             [admin]\nlisten = \"127.0.0.1:0\"\n\
             [store]\ndisk_reserve = \"64 MiB\"\n{store}\
             [plugins]\nfolder = \"plugins\"\n{limits}\
             [egress]\nallow = [\"127.0.0.0/8\", \"::1/128\"]\n\
             [log]\nformat = \"json\"\n\
             [[source]]\nname = \"gateway\"\norganization = \"acme\"\ntoken = \"file:{place}/source.secret\"\n"
        )
    }
}

/// A scene before its host runs, or without one.
pub(crate) struct Stage {
    folder: TempDir,
    siems: BTreeMap<String, StandIn>,
    secrets: Vec<String>,
}

impl Stage {
    /// Starts the host on what is there now.
    pub(crate) async fn start(self, disk: Option<SmallDisk>) -> Scene {
        let host = Host::start(&self.configuration()).await;
        let Stage { folder, siems, secrets } = self;
        Scene { host, siems, secrets, disk, folder }
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.path().join("siemaphore.toml")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a secret for a destination that the story adds itself; the path of its file.
    pub(crate) fn secret_file(&self, destination: &str, secret: &str) -> String {
        let file = self.path(&format!("{destination}.secret"));
        write_secret(&file, secret);
        file.display().to_string()
    }

    /// Rewrites the configuration, as an operator's slip would.
    pub(crate) fn edit(&self, edit: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(self.configuration()).expect("the configuration");
        fs::write(self.configuration(), edit(text)).expect("a file");
    }
}

impl Scene {
    pub(crate) fn new() -> SceneBuilder {
        SceneBuilder::default()
    }

    pub(crate) fn siem(&self, destination: &str) -> &StandIn {
        &self.siems[destination]
    }

    pub(crate) fn splunk(&self) -> &StandIn {
        self.siem("splunk")
    }

    pub(crate) fn datadog(&self) -> &StandIn {
        self.siem("datadog")
    }

    pub(crate) fn sentinel(&self) -> &StandIn {
        self.siem("sentinel")
    }

    /// The file system that the state is on, in a scene that was started on one.
    pub(crate) fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("a scene on a small disk")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.path("siemaphore.toml")
    }

    /// Sends events as NDJSON, and asserts that the host took every one.
    pub(crate) async fn send(&self, events: &[Value]) {
        let answer = self.post(&[("content-type", "application/x-ndjson")], events::lines(events)).await;
        let accepted = answer.expect(200).json();
        assert_eq!(accepted["accepted"], events.len(), "{accepted}");
    }

    /// Posts a body with the source's token.
    pub(crate) async fn post(&self, headers: &[(&str, &str)], body: impl Into<bytes::Bytes>) -> Answer {
        self.post_as(TOKEN, headers, body).await
    }

    /// Posts a body with this token.
    pub(crate) async fn post_as(
        &self,
        token: &str,
        headers: &[(&str, &str)],
        body: impl Into<bytes::Bytes>,
    ) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [headers, &[("authorization", bearer.as_str())]].concat();
        http::request(self.host.intake, "POST", "/v1/events", &headers, body).await
    }

    /// Runs a command that asks this host.
    pub(crate) async fn ask(&self, command: &[&str]) -> Output {
        let configuration = self.configuration();
        let configuration = configuration.to_str().expect("a path in UTF-8");
        cli::run(&[command, &["--config", configuration]].concat()).await
    }

    /// Expects these lines among the host's metrics.
    pub(crate) async fn measures(&self, samples: &[&str]) {
        let metrics = http::get(self.host.admin, "/metrics").await.expect(200).text;
        for sample in samples {
            assert!(metrics.lines().any(|line| line == *sample), "no {sample} in {metrics}");
        }
    }

    /// A destination, as `destination list --json` shows it.
    pub(crate) async fn destination(&self, name: &str) -> Value {
        let listed = self.ask(&["destination", "list", "--json"]).await.expect(0).json();
        let mut all = listed.as_array().expect("a list").iter();
        all.find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {listed}")).clone()
    }

    /// Asks until a destination is as it should be.
    pub(crate) async fn until(&self, name: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let view = self.destination(name).await;
            if wanted(&view) {
                return view;
            }
            assert!(start.elapsed() < PATIENCE, "{name} is not {what}: {view:#}");
            tokio::time::sleep(BETWEEN_QUESTIONS).await;
        }
    }

    /// Tests a destination until its SIEM takes the event. A corrected secret is read within ten seconds.
    pub(crate) async fn until_test_succeeds(&self, name: &str) {
        let start = Instant::now();
        while self.ask(&["destination", "test", name]).await.code != 0 {
            assert!(start.elapsed() < PATIENCE, "the test of {name} does not succeed");
            tokio::time::sleep(BETWEEN_QUESTIONS).await;
        }
    }

    /// A plugin, as `plugin list --json` shows it; null when there is none.
    pub(crate) async fn plugin(&self, name: &str) -> Value {
        let listed = self.ask(&["plugin", "list", "--json"]).await.expect(0).json();
        let mut all = listed.as_array().expect("a list").iter();
        all.find(|one| one["name"] == name).cloned().unwrap_or_default()
    }

    pub(crate) async fn until_plugin(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let start = Instant::now();
        loop {
            let plugin = self.plugin(name).await;
            if wanted(&plugin) {
                return plugin;
            }
            assert!(start.elapsed() < PATIENCE, "plugin {name} is not {what}: {plugin:#}");
            tokio::time::sleep(BETWEEN_QUESTIONS).await;
        }
    }

    /// Puts a file into the plugin folder as people should: whole, by renaming.
    pub(crate) fn install(&self, file: &str, bytes: &[u8]) {
        let beside = self.path("incoming");
        fs::write(&beside, bytes).expect("a file");
        fs::rename(&beside, self.path("plugins").join(file)).expect("a renamed file");
    }

    /// Changes the secret that a destination reads.
    pub(crate) fn correct_secret(&self, destination: &str, secret: &str) {
        write_secret(&self.path(&format!("{destination}.secret")), secret);
    }

    /// Starts again on the same state, after the host has ended.
    pub(crate) async fn restart(&mut self) {
        self.host = Host::start(&self.configuration()).await;
    }

    /// Stops the host and takes stock: it drained, no SIEM would have spoiled a record, and no secret leaked.
    pub(crate) async fn stop(mut self) {
        let status = self.host.terminate().await;
        assert!(status.success(), "the host ended with {status}");
        for (name, siem) in &self.siems {
            assert_eq!(siem.violations(), [], "{name}");
        }
        self.assert_no_secret_leaked();
    }

    fn assert_no_secret_leaked(&self) {
        let mut secrets = self.secrets.clone();
        secrets.extend(self.siems.values().flat_map(StandIn::credentials));
        let log = self.host.log.all().join("\n");
        let mut places = vec![("the log".to_owned(), log.into_bytes())];
        for file in files_below(&self.path("state")) {
            let bytes = fs::read(&file).expect("a file");
            places.push((file.display().to_string(), bytes));
        }
        for (place, bytes) in places {
            for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{place} holds a secret");
            }
        }
    }
}

/// Regular files only: the control socket is gone or dead by now.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files
}

/// Readable by its owner only, as the host wants secrets to be.
fn write_secret(path: &Path, secret: &str) {
    let mut file =
        fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(path).expect("a file");
    file.write_all(secret.as_bytes()).expect("a written file");
}
