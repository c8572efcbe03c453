//! The TLS accept loop, and its end.
//!
//! One task owns the listener and every connection. Stopping lets requests in hand finish for a moment; dropping
//! ends everything at once, so that no test leaves a server behind.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::responder::Responder;

/// More connections than this wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 256;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long requests in hand may take after a stop. A `Hang` fault would hold it forever.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// Keeps a lack of file descriptors from becoming a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Binds the loopback address; port 0 means any that is free.
    pub(crate) async fn start(
        port: u16,
        tls: Arc<ServerConfig>,
        responder: Arc<Responder>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, TlsAcceptor::from(tls), responder, stopped));
        Ok(Self { address, stop, task })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests and returns when the last one is answered, or cut off after a short grace.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        // An error means that the task was aborted or panicked: it has ended either way.
        (&mut self.task).await.ok();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    responder: Arc<Responder>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop_asked(&mut stopped) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((socket, _)) => {
                    connections.spawn(serve(socket, acceptor.clone(), Arc::clone(&responder), stopped.clone()));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
    }
    drop(listener);
    let all_done = timeout(STOP_GRACE, async { while connections.join_next().await.is_some() {} }).await;
    if all_done.is_err() {
        connections.shutdown().await;
    }
}

async fn serve(
    socket: TcpStream,
    acceptor: TlsAcceptor,
    responder: Arc<Responder>,
    mut stopped: watch::Receiver<bool>,
) {
    let Ok(Ok(stream)) = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)).await else { return };
    let service = service_fn(|request| responder.respond(request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // How a connection ends is the client's business, or a fault that was asked for.
    tokio::select! {
        ended = connection.as_mut() => return drop(ended),
        () = stop_asked(&mut stopped) => connection.as_mut().graceful_shutdown(),
    }
    connection.await.ok();
}

/// A sender that is gone counts as a stop.
async fn stop_asked(stopped: &mut watch::Receiver<bool>) {
    stopped.wait_for(|stop| *stop).await.ok();
}
