//! The host's servers: bound before anything is announced, stopped with the host.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::host::accept;

/// Connections at once. More wait in the kernel's queue.
const INTAKE_CONNECTIONS: usize = 1024;
const OPERATOR_CONNECTIONS: usize = 64;

/// Running servers. Dropping them stops them at once.
pub(crate) struct Listeners {
    servers: JoinSet<()>,
    /// Ends the servers that are given no token of their own.
    stop: CancellationToken,
    open_files: usize,
}

impl Listeners {
    /// Takes at most half of the `open_files` that are allowed for producers and an eighth for each way of operators:
    /// producers cannot shut operators out, nor either of them the store.
    pub(crate) fn new(open_files: usize) -> Listeners {
        Listeners { servers: JoinSet::new(), stop: CancellationToken::new(), open_files }
    }

    pub(crate) async fn intake(
        &mut self,
        address: SocketAddr,
        router: Router,
        stop: CancellationToken,
    ) -> Result<SocketAddr> {
        let most = INTAKE_CONNECTIONS.min(self.open_files / 2);
        self.tcp("intake", address, most, router, stop).await
    }

    pub(crate) async fn admin(&mut self, address: SocketAddr, router: Router) -> Result<SocketAddr> {
        let most = self.operator_connections();
        self.tcp("admin", address, most, router, self.stop.clone()).await
    }

    pub(crate) fn control(&mut self, listener: UnixListener, router: Router) {
        let server =
            accept::serve("control", listener, self.operator_connections(), router, self.stop.clone());
        self.servers.spawn(server);
    }

    fn operator_connections(&self) -> usize {
        OPERATOR_CONNECTIONS.min(self.open_files / 8)
    }

    /// Binds and serves. The address that was bound: port 0 asks for any.
    async fn tcp(
        &mut self,
        name: &'static str,
        address: SocketAddr,
        most_connections: usize,
        router: Router,
        stop: CancellationToken,
    ) -> Result<SocketAddr> {
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: set another address as `listen` in [{name}]")
        })?;
        let bound = listener.local_addr()?;
        tracing::info!(listener = name, address = %bound, "listening");
        self.servers.spawn(accept::serve(name, listener, most_connections, router, stop));
        Ok(bound)
    }

    /// Lets requests in hand finish until `deadline`.
    pub(crate) async fn drain(mut self, deadline: tokio::time::Instant) {
        self.stop.cancel();
        let all = async { while self.servers.join_next().await.is_some() {} };
        drop(tokio::time::timeout_at(deadline, all).await);
    }
}
