//! Commands as an operator types them.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::PATIENCE;

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Output {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that the output has all of these, on standard output or standard error.
    #[track_caller]
    pub(crate) fn shows(&self, expected: &[&str]) -> &Output {
        for text in expected {
            assert!(self.stdout.contains(text) || self.stderr.contains(text), "no `{text}` in {self:#?}");
        }
        self
    }
}

/// Runs `siemaphore` with these arguments to its end.
pub(crate) async fn run(arguments: &[impl AsRef<OsStr>]) -> Output {
    run_with_input(arguments, "").await
}

/// Starts `siemaphore` with these arguments, to be spoken to while it runs.
pub(crate) fn spawn(arguments: &[impl AsRef<OsStr>]) -> Child {
    command(arguments).spawn().expect("the binary starts")
}

fn command(arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_siemaphore"));
    command.args(arguments).env_remove("RUST_LOG").env_remove("SIEMAPHORE_CONFIG").env("NO_COLOR", "1");
    // What the commands keep is the tests' own, and none of the person's who runs them.
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// As a person does who has gone to this folder.
pub(crate) async fn run_in(folder: &Path, arguments: &[impl AsRef<OsStr>]) -> Output {
    output(command(arguments).current_dir(folder).spawn().expect("the binary starts")).await
}

/// With these variables and nothing that is inherited.
pub(crate) async fn run_in_environment(
    arguments: &[impl AsRef<OsStr>],
    environment: &[(&str, OsString)],
) -> Output {
    let mut command = command(arguments);
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    output(command.spawn().expect("the binary starts")).await
}

pub(crate) async fn run_with_input(arguments: &[impl AsRef<OsStr>], input: &str) -> Output {
    let mut child = spawn(arguments);
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writing = tokio::spawn(async move { stdin.write_all(input.as_bytes()).await });
    let output = output(child).await;
    // A command that does not read its input may end first.
    writing.abort();
    output
}

/// Waits for the end of what [`spawn`] has started.
pub(crate) async fn output(child: Child) -> Output {
    let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").expect("an output");
    Output {
        code: output.status.code().expect("an exit code"),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}
