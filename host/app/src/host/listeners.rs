//! The host's servers: bound before anything is announced, stopped with the host.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::control;

/// Running servers. Dropping them stops them at once.
#[derive(Default)]
pub(crate) struct Listeners {
    servers: JoinSet<std::io::Result<()>>,
    stop: CancellationToken,
}

impl Listeners {
    /// Ends the servers that have no token of their own.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Binds and serves. The address that was bound: port 0 asks for any.
    pub(crate) async fn tcp(
        &mut self,
        name: &str,
        address: SocketAddr,
        router: Router,
        stop: CancellationToken,
    ) -> Result<SocketAddr> {
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: set another address as `listen` in [{name}]")
        })?;
        let bound = listener.local_addr()?;
        tracing::info!(listener = name, address = %bound, "listening");
        let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        self.servers.spawn(async move { server.await });
        Ok(bound)
    }

    pub(crate) fn control(&mut self, listener: UnixListener, router: Router) {
        self.servers.spawn(control::serve(listener, router, self.stop()));
    }

    /// Lets requests in hand finish until `deadline`.
    pub(crate) async fn drain(mut self, deadline: tokio::time::Instant) {
        self.stop.cancel();
        let all = async { while self.servers.join_next().await.is_some() {} };
        // An idle keep-alive connection is no reason to wait longer.
        drop(tokio::time::timeout_at(deadline, all).await);
    }
}
