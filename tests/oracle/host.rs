//! The real binary: started on the same state again and again, and killed.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::PATIENCE;

/// How far a start has come.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    intake: Option<SocketAddr>,
    ready: bool,
    ended: bool,
}

/// One life of the host. Dropping it kills it.
pub(crate) struct Host {
    child: Child,
    progress: watch::Receiver<Progress>,
}

impl Host {
    /// Starts `siemaphore run`. All lives write into one log file.
    pub(crate) fn spawn(configuration: &Path, log: &Path, session: u32) -> Host {
        let mut command = Command::new(env!("CARGO_BIN_EXE_siemaphore"));
        command.arg("run").arg("--config").arg(configuration).env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the binary starts");
        let mut file = OpenOptions::new().create(true).append(true).open(log).expect("a log file");
        writeln!(file, "--- session {session} ---").expect("a written line");
        let (sender, progress) = watch::channel(Progress::default());
        tokio::spawn(follow(child.stderr.take().expect("a pipe"), file, sender));
        Host { child, progress }
    }

    pub(crate) fn pid(&self) -> Pid {
        let pid = self.child.id().expect("it was not waited for");
        Pid::from_raw(pid.try_into().expect("a pid")).expect("a pid")
    }

    /// Waits until it takes events, and says where. `Err` when it ended by itself or does not come up.
    pub(crate) async fn ready(&mut self) -> Result<SocketAddr, String> {
        let up = self.progress.wait_for(|progress| progress.ready || progress.ended);
        match timeout(PATIENCE, up).await {
            Ok(Ok(progress)) if progress.ready => {
                progress.intake.ok_or("no address of the intake".to_owned())
            }
            Ok(_) => Err("the host ended by itself while it started".to_owned()),
            Err(_) => Err(format!("the host was not ready within {PATIENCE:?}")),
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a child takes signals until it was waited for");
    }

    /// Ends it as a power cut of the process would, and takes its status: `Err` when it had ended before.
    pub(crate) async fn kill(mut self) -> Result<(), ExitStatus> {
        self.signal(Signal::KILL);
        let status = self.ended().await;
        if status.signal() == Some(Signal::KILL.as_raw()) { Ok(()) } else { Err(status) }
    }

    /// Waits for its end, and for the last line of its log.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("a status");
        let last_line = timeout(PATIENCE, self.progress.wait_for(|progress| progress.ended)).await;
        last_line.expect("the log ends").expect("its reader lives until then");
        status
    }
}

async fn follow(log: ChildStderr, mut file: File, progress: watch::Sender<Progress>) {
    let mut lines = BufReader::new(log).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        writeln!(file, "{line}").expect("a written line");
        note(&line, &progress);
    }
    progress.send_modify(|progress| progress.ended = true);
    progress.closed().await;
}

fn note(line: &str, progress: &watch::Sender<Progress>) {
    if progress.borrow().ready {
        return;
    }
    let fields = serde_json::from_str::<Value>(line).unwrap_or_default()["fields"].take();
    match (fields["message"].as_str(), fields["listener"].as_str()) {
        (Some("listening"), Some("intake")) => {
            let address = fields["address"].as_str().and_then(|address| address.parse().ok());
            progress.send_modify(|progress| progress.intake = address);
        }
        (Some("ready"), _) => progress.send_modify(|progress| progress.ready = true),
        _ => {}
    }
}
