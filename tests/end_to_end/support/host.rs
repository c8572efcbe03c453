//! The real binary, running.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::PATIENCE;
use super::log::{Entry, Lines};

/// A running host. Dropping it kills it; when the test fails, its log is printed.
pub(crate) struct Host {
    child: Child,
    pub(crate) log: Lines,
    pub(crate) intake: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Host {
    /// Starts `siemaphore run` and waits until it is ready.
    pub(crate) async fn start(configuration: &Path) -> Host {
        let (child, log) = Host::spawn(configuration);
        let mut host = Host { child, log, intake: ([0; 4], 0).into(), admin: ([0; 4], 0).into() };
        host.intake = host.bound("intake").await;
        host.admin = host.bound("admin").await;
        host.log.wait(0, "ready", |line| line.message == "ready").await;
        host
    }

    /// Starts `siemaphore run` where the log is text for people, and so does not say which ports it got.
    pub(crate) async fn start_logging_text(
        configuration: &Path,
        intake: SocketAddr,
        admin: SocketAddr,
    ) -> Host {
        let (child, log) = Host::spawn(configuration);
        let host = Host { child, log, intake, admin };
        host.log.wait(0, "ready", |line| line.message.contains(" ready")).await;
        host
    }

    /// Starts `siemaphore run` where it is expected to end by itself.
    pub(crate) async fn start_in_vain(configuration: &Path) -> (ExitStatus, Vec<String>) {
        let (mut child, log) = Host::spawn(configuration);
        let status = timeout(PATIENCE, child.wait()).await.expect("it ends").expect("a status");
        log.end().await;
        (status, log.all())
    }

    /// Starts `siemaphore run`, and asks it to stop once it has logged a message, ready or not.
    pub(crate) async fn end_at_line(configuration: &Path, message: &str) -> (ExitStatus, Vec<String>) {
        let (child, log) = Host::spawn(configuration);
        let mut host = Host { child, log, intake: ([0; 4], 0).into(), admin: ([0; 4], 0).into() };
        host.log.wait(0, message, |line| line.message == message).await;
        let status = host.terminate().await;
        (status, host.log.all())
    }

    fn spawn(configuration: &Path) -> (Child, Lines) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_siemaphore"));
        command.arg("run").arg("--config").arg(configuration).env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the binary starts");
        let log = Lines::default();
        log.follow(child.stderr.take().expect("a pipe"));
        (child, log)
    }

    /// The address that a listener got for port 0.
    async fn bound(&self, listener: &str) -> SocketAddr {
        let is_it = |line: &Entry| line.message == "listening" && line.field("listener") == listener;
        let line = self.log.wait(0, &format!("{listener} listening"), is_it).await;
        line.field("address").parse().expect("an address")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// The most memory that it has held so far, in MiB.
    pub(crate) fn peak_memory_mib(&self) -> u64 {
        self.memory_kib("VmHWM:") / 1024
    }

    /// The memory that it holds now, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.memory_kib("VmRSS:")
    }

    fn memory_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("/proc");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().try_into().expect("a pid")).expect("a pid");
        kill_process(pid, signal).expect("the process takes signals");
    }

    /// Asks it to stop, and waits until it has: everything it logged is there then.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    /// Waits for its end: everything it logged is there then.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("a status");
        self.log.end().await;
        status
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the host's log ---");
            self.log.all().iter().for_each(|line| eprintln!("{line}"));
        }
    }
}
