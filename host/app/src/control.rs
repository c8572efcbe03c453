//! The control socket: the operator's API over a Unix socket that only this user can open.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::{UnixListener, UnixStream};

/// An answer of our own host; a bound all the same.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// A destination's test takes as long as a request may take.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn socket_path(state: &Path) -> PathBuf {
    state.join("control.sock")
}

/// Binds the socket. The store's lock has been taken by now, so a socket that is there is left over from a crash.
pub(crate) fn bind(state: &Path) -> io::Result<UnixListener> {
    let path = socket_path(state);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    // The folder is 0700 already; the socket says so itself as well.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Asks the running host.
pub(crate) struct Client {
    socket: PathBuf,
}

impl Client {
    pub(crate) fn new(state: &Path) -> Client {
        Client { socket: socket_path(state) }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(Method::GET, path).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(Method::POST, path).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T> {
        let answered = tokio::time::timeout(PATIENCE, self.exchange(method, path)).await;
        let (status, body) =
            answered.map_err(|_| anyhow!("the host did not answer within {PATIENCE:?}"))??;
        if !status.is_success() {
            return Err(refusal(status, &body));
        }
        serde_json::from_slice(&body).context("the host's answer cannot be read: is it another version?")
    }

    async fn exchange(&self, method: Method, path: &str) -> Result<(StatusCode, Bytes)> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| {
            anyhow!(
                "no host answers at {}: {error}\n  hint: start it with `siemaphore run`, or name its configuration with --config",
                self.socket.display()
            )
        })?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "siemaphore")
            .body(Empty::<Bytes>::new())?;
        let exchange = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
            Ok((status, body.map_err(|error| anyhow!(error))?.to_bytes()))
        };
        // The connection has to be driven while the exchange goes on; it ends with it.
        tokio::pin!(connection);
        tokio::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            closed = &mut connection => match closed {
                Ok(()) => exchange.await,
                Err(error) => bail!("the host closed the connection: {error}"),
            },
        }
    }
}

fn refusal(status: StatusCode, body: &[u8]) -> anyhow::Error {
    #[derive(Deserialize)]
    struct Body {
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        reason: String,
        hint: String,
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body { error }) if error.hint.is_empty() => anyhow!(error.reason),
        Ok(Body { error }) => anyhow!("{}\n  hint: {}", error.reason, error.hint),
        Err(_) => anyhow!("the host answered {status}"),
    }
}
