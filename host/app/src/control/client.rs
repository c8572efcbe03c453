//! Whom a command asks: the running host, or, when none runs, the store itself.
//!
//! [`Client::host_or_store`] is the one place that decides. Both give the same answers to the same requests, because a
//! command that finds no host takes the store's lock and asks the same router within this process.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use siemaphore_store::{Store, StoreConfig, StoreError};
use tokio::net::UnixStream;
use tokio_util::task::AbortOnDropHandle;
use tower::ServiceExt;

use crate::cli::Configured;
use crate::config;
use crate::control::{Answer, socket_path};

/// An answer of our own host; a bound all the same.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// A destination's test takes as long as a request may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Asks the operator's API.
#[derive(Clone)]
pub(crate) struct Client(Answerer);

#[derive(Clone)]
enum Answerer {
    Host(PathBuf),
    Store(Router),
}

impl Client {
    /// Asks the running host only: what is wanted needs its parts.
    pub(crate) fn host(state: &Path) -> Client {
        Client(Answerer::Host(socket_path(state)))
    }

    /// Asks the running host; `None` when none runs.
    pub(crate) async fn running_host(state: &Path) -> Result<Option<Client>> {
        let socket = socket_path(state);
        match UnixStream::connect(&socket).await {
            Ok(_) => Ok(Some(Client(Answerer::Host(socket)))),
            Err(error) if nobody_listens(&error) => Ok(None),
            Err(error) => Err(unreachable(&socket, &error)),
        }
    }

    /// Asks the running host, or the store when none runs. The store stays locked as long as the client lives.
    pub(crate) async fn host_or_store(configured: &Configured) -> Result<Client> {
        let socket = socket_path(&config::state_folder(&configured.config)?);
        match UnixStream::connect(&socket).await {
            Ok(_) => Ok(Client(Answerer::Host(socket))),
            Err(error) if nobody_listens(&error) => {
                let store = open_store(config::store_config(&configured.config)?).await?;
                Ok(Client(Answerer::Store(siemaphore_admin::store_router(store))))
            }
            Err(error) => Err(unreachable(&socket, &error)),
        }
    }

    /// Whether a host answers, and not the store alone.
    pub(crate) fn is_host(&self) -> bool {
        matches!(self.0, Answerer::Host(_))
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(Method::POST, path, Bytes::new()).await
    }

    pub(crate) async fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        self.ask(Method::POST, path, serde_json::to_vec(body)?.into()).await
    }

    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(Method::DELETE, path, Bytes::new()).await
    }

    /// An answer that is read as it comes, however long it is.
    pub(crate) async fn read(&self, method: Method, path: &str, body: &impl Serialize) -> Result<Answer> {
        let body = if method == Method::GET { Bytes::new() } else { serde_json::to_vec(body)?.into() };
        let (response, connection) = self.exchange(method, path, body).await?;
        if response.status().is_success() {
            return Ok(Answer::new(response, connection));
        }
        let status = response.status();
        Err(refusal(status, &whole(response).await?))
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<T> {
        let exchange = async {
            // The connection ends when it is dropped, so it is kept until the answer is there.
            let (response, _connection) = self.exchange(method, path, body).await?;
            anyhow::Ok((response.status(), whole(response).await?))
        };
        let answered = tokio::time::timeout(PATIENCE, exchange).await;
        let (status, body) =
            answered.map_err(|_| anyhow!("the host did not answer within {PATIENCE:?}"))??;
        if !status.is_success() {
            return Err(refusal(status, &body));
        }
        serde_json::from_slice(&body).context("the host's answer cannot be read: is it another version?")
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(Response<Body>, Option<Connection>)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "siemaphore")
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body))?;
        match &self.0 {
            Answerer::Store(router) => Ok((router.clone().oneshot(request).await?, None)),
            Answerer::Host(socket) => {
                let stream = UnixStream::connect(socket).await;
                let stream = stream.map_err(|error| unreachable(socket, &error))?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                let connection = AbortOnDropHandle::new(tokio::spawn(connection));
                let response = sender.send_request(request).await;
                let response = response.context("the host closed the connection")?;
                Ok((response.map(Body::new), Some(connection)))
            }
        }
    }
}

/// What carries an answer of a host. Dropping it hangs up.
pub(crate) type Connection = AbortOnDropHandle<hyper::Result<()>>;

async fn whole(response: Response<Body>) -> Result<Bytes> {
    let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
    Ok(body.map_err(|error| anyhow!(error))?.to_bytes())
}

fn nobody_listens(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn unreachable(socket: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!(
        "no host answers at {}: {error}\n  hint: start it with `siemaphore run`, or name its configuration with --config",
        socket.display()
    )
}

async fn open_store(store: StoreConfig) -> Result<Store> {
    if !store.folder.is_dir() {
        bail!(
            "no host runs, and there is no store at {}\n  hint: no host has run with this configuration yet; name another one with --config",
            store.folder.display()
        );
    }
    let opened = tokio::task::spawn_blocking(move || Store::open(store)).await?;
    opened.map_err(|error| match error {
        StoreError::Locked { .. } => anyhow!(
            "{error}, and that one does not answer\n  hint: it is starting or stopping: try again in a moment"
        ),
        error => error.into(),
    })
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
