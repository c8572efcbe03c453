//! The release binary under measurement, seen from outside: `/proc` for what it uses, `/metrics` for what it has done.

use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::sink::SinkProcess;

pub(crate) const TOKEN: &str = "bench-source-token";
pub(crate) const SOURCE: &str = "bench-gateway";
/// How often progress is asked for: often enough for the end to be exact within a percent, seldom enough to cost
/// the host nothing.
const PAUSE: Duration = Duration::from_millis(100);
/// Without any progress for so long, something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Host {
    child: Child,
    pid: u32,
    pub(crate) intake: SocketAddr,
    admin: SocketAddr,
    _folder: TempDir,
}

impl Host {
    /// With a second destination when there is a plugin for it.
    pub(crate) async fn start(sink: &SinkProcess, neighbour: Option<&[u8]>) -> Result<Host> {
        let folder = tempfile::Builder::new().prefix("siemaphore-bench-").tempdir()?;
        fs::write(folder.path().join("ca.pem"), &sink.certificate_pem)?;
        let configuration = folder.path().join("siemaphore.toml");
        fs::create_dir(folder.path().join("plugins"))?;
        let mut text = text(sink.port);
        if let Some(plugin) = neighbour {
            fs::write(folder.path().join("plugins/neighbour.wasm"), plugin)?;
            text.push_str(&destination("neighbour", "neighbour", sink.port));
        }
        fs::write(&configuration, text)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_siemaphore"));
        command.arg("run").arg("--config").arg(&configuration).kill_on_drop(true);
        command
            .env("BENCH_SOURCE_TOKEN", TOKEN)
            .env("BENCH_HEC_TOKEN", "bench-hec-token")
            .env_remove("RUST_LOG");
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let pid = child.id().context("the host runs")?;
        let mut log = BufReader::new(child.stderr.take().context("a pipe")?).lines();
        let (mut intake, mut admin) = (None, None);
        while let Some(line) = log.next_line().await? {
            let fields = serde_json::from_str::<Value>(&line).unwrap_or_default()["fields"].take();
            let address = fields["address"].as_str().and_then(|address| address.parse().ok());
            match (fields["message"].as_str(), fields["listener"].as_str()) {
                (Some("listening"), Some("intake")) => intake = address,
                (Some("listening"), Some("admin")) => admin = address,
                (Some("ready"), _) => break,
                (Some(_), _) => {}
                (None, _) => eprintln!("{line}"),
            }
        }
        tokio::spawn(async move {
            // What the host warns of belongs beside the figures.
            while let Ok(Some(line)) = log.next_line().await {
                if line.contains("WARN") || line.contains("ERROR") {
                    eprintln!("{line}");
                }
            }
        });
        let (Some(intake), Some(admin)) = (intake, admin) else { bail!("the host did not start") };
        Ok(Host { child, pid, intake, admin, _folder: folder })
    }

    /// Waits until the ledger says that so many events are delivered and none waits.
    pub(crate) async fn delivered(&self, events: u64) -> Result<()> {
        let (mut seen, mut quiet) = (0, Duration::ZERO);
        loop {
            let delivered = self.delivered_so_far().await?;
            if delivered >= events {
                ensure!(delivered == events, "{delivered} events delivered of {events}");
                return Ok(());
            }
            quiet = if delivered > seen { Duration::ZERO } else { quiet + PAUSE };
            ensure!(quiet < PATIENCE, "no progress for {PATIENCE:?} at {delivered} of {events} events");
            seen = delivered;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn delivered_so_far(&self) -> Result<u64> {
        const SAMPLE: &str =
            "siemaphore_destination_events{destination=\"default/splunk\",end=\"delivered\"} ";
        let stream = TcpStream::connect(self.admin).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let request =
            Request::get("/metrics").header("host", "siemaphore").body(Empty::<bytes::Bytes>::new())?;
        let page = sender.send_request(request).await?.into_body().collect().await?.to_bytes();
        connection.abort();
        let page = String::from_utf8_lossy(&page).into_owned();
        let sample = page.lines().find_map(|line| line.strip_prefix(SAMPLE));
        Ok(sample.context("the ledger is in the metrics")?.parse()?)
    }

    /// CPU time of the process so far: user and system, all threads, those that have ended too.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The second field is the name in parentheses, which may hold anything.
        let (_, fields) = stat.rsplit_once(") ").context("the process's name")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks = |field: usize| -> Result<u64> { Ok(fields.get(field).context("a field")?.parse()?) };
        let ticks = ticks(11)? + ticks(12)?;
        Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
    }

    pub(crate) fn peak_memory_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    pub(crate) async fn stop(&mut self) -> Result<()> {
        let pid = rustix::process::Pid::from_raw(self.pid.try_into()?).context("a pid")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = self.child.wait().await?;
        ensure!(status.success(), "the host ended with {status}");
        Ok(())
    }
}

fn text(port: u16) -> String {
    format!(
        "[intake]\nlisten = \"127.0.0.1:0\"\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n\
         [egress]\nallow = [\"127.0.0.0/8\", \"::1/128\"]\n\
         [plugins]\nfolder = \"plugins\"\n\
         [log]\nformat = \"json\"\n\
         [[source]]\nname = \"{SOURCE}\"\ntoken = \"env:BENCH_SOURCE_TOKEN\"\n{}",
        destination("splunk", "splunk", port)
    )
}

/// The handmade formatter describes how its SIEM authenticates, as the built-in one does.
fn destination(name: &str, formatter: &str, port: u16) -> String {
    format!(
        "[[destination]]\nname = \"{name}\"\nformatter = \"{formatter}\"\nendpoint = \"https://localhost:{port}\"\n\
         secret = \"env:BENCH_HEC_TOKEN\"\nca_file = \"ca.pem\"\n"
    )
}
