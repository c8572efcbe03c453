//! The host's servers: bound before anything is announced, stopped with the host.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::host::accept;

/// Connections at once. More wait in the kernel's queue.
const INTAKE_CONNECTIONS: usize = 1024;
const OPERATOR_CONNECTIONS: usize = 64;

/// How long a stop waits for answers to operators. An export may take long, and its reader may have stalled.
const OPERATOR_GRACE: Duration = Duration::from_secs(3);

/// Running servers. Dropping them stops them at once.
pub(crate) struct Listeners {
    intake: JoinSet<()>,
    operators: JoinSet<()>,
    /// Ends the servers that are given no token of their own.
    stop: CancellationToken,
    open_files: usize,
}

impl Listeners {
    /// Takes at most half of the `open_files` that are allowed for producers and an eighth for each way of operators:
    /// producers cannot shut operators out, nor either of them the store.
    pub(crate) fn new(open_files: usize) -> Listeners {
        Listeners {
            intake: JoinSet::new(),
            operators: JoinSet::new(),
            stop: CancellationToken::new(),
            open_files,
        }
    }

    pub(crate) async fn intake(
        &mut self,
        address: SocketAddr,
        router: Router,
        stop: CancellationToken,
    ) -> Result<SocketAddr> {
        let most = INTAKE_CONNECTIONS.min(self.open_files / 2);
        let (listener, bound) = bind("intake", address).await?;
        self.intake.spawn(accept::serve("intake", listener, most, router, stop));
        Ok(bound)
    }

    pub(crate) async fn admin(&mut self, address: SocketAddr, router: Router) -> Result<SocketAddr> {
        let most = self.operator_connections();
        let (listener, bound) = bind("admin", address).await?;
        self.operators.spawn(accept::serve("admin", listener, most, router, self.stop.clone()));
        Ok(bound)
    }

    pub(crate) fn control(&mut self, listener: UnixListener, router: Router) {
        let server =
            accept::serve("control", listener, self.operator_connections(), router, self.stop.clone());
        self.operators.spawn(server);
    }

    fn operator_connections(&self) -> usize {
        OPERATOR_CONNECTIONS.min(self.open_files / 8)
    }

    /// Lets requests in hand finish: those of producers until `deadline`, those of operators not so long.
    pub(crate) async fn drain(mut self, deadline: Instant) {
        self.stop.cancel();
        let operators_deadline = deadline.min(Instant::now() + OPERATOR_GRACE);
        tokio::join!(ended(&mut self.intake, deadline), ended(&mut self.operators, operators_deadline));
    }
}

async fn ended(servers: &mut JoinSet<()>, deadline: Instant) {
    let all = async { while servers.join_next().await.is_some() {} };
    drop(tokio::time::timeout_at(deadline, all).await);
}

/// Also gives the address that was bound: port 0 asks for any.
async fn bind(name: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: set another address as `listen` in [{name}]")
    })?;
    let bound = listener.local_addr()?;
    tracing::info!(listener = name, address = %bound, "listening");
    Ok((listener, bound))
}
