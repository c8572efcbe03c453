//! The TLS accept loop, and its end.
//!
//! One task owns the listener and every connection. Stopping lets requests in hand finish for a moment; dropping
//! ends everything at once, so that no test leaves a server behind. A server that is only away for a while keeps its
//! port bound, or another test's server could be given it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::responder::Responder;
use crate::wire::{Switch, Wire};

/// More connections than this wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 256;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long requests in hand may take after a stop. A `Hang` fault would hold it forever.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// Keeps a lack of file descriptors from becoming a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many connections the kernel keeps waiting.
const LISTEN_BACKLOG: u32 = 1024;

/// What every connection needs.
#[derive(Clone)]
struct Service {
    acceptor: TlsAcceptor,
    responder: Arc<Responder>,
}

pub(crate) struct Server {
    address: SocketAddr,
    service: Service,
    /// None while it is away, and at the end.
    listening: Mutex<Option<Listening>>,
    /// Bound for as long as the server lives, and never listening: nobody else gets the port, not even for an outgoing
    /// connection, between two sockets that do listen.
    _holder: TcpSocket,
}

struct Listening {
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
        let holder = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let address = holder.local_addr()?;
        let service = Service { acceptor: TlsAcceptor::from(tls), responder };
        let listening = Mutex::new(Some(service.listen(address)?));
        Ok(Self { address, service, listening, _holder: holder })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and keeps the port. Returns when the last request is answered, or cut off after a short grace.
    pub(crate) async fn pause(&self) {
        let listening = self.listening().take();
        if let Some(listening) = listening {
            listening.end().await;
        }
    }

    /// Listens again after [`Server::pause`].
    pub(crate) fn resume(&self) -> io::Result<()> {
        let mut listening = self.listening();
        if listening.is_none() {
            *listening = Some(self.service.listen(self.address)?);
        }
        Ok(())
    }

    /// Takes no more requests and returns when the last one is answered, or cut off after a short grace.
    pub(crate) async fn stop(self) {
        self.pause().await;
    }

    /// It is replaced as a whole, so a poisoned one is still good.
    fn listening(&self) -> MutexGuard<'_, Option<Listening>> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listening {
    async fn end(mut self) {
        self.stop.send_replace(true);
        // An error means that the task panicked: it has ended either way.
        (&mut self.task).await.ok();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A socket that is bound and does not listen.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Neither the holder nor connections that are closing must keep a SIEM from coming back.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Service {
    fn listen(&self, address: SocketAddr) -> io::Result<Listening> {
        let listener = bound(address)?.listen(LISTEN_BACKLOG)?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, self.clone(), stopped));
        Ok(Listening { stop, task })
    }
}

/// Serves connections until it is told to stop.
async fn accept(listener: TcpListener, service: Service, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop_asked(&mut stopped) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((socket, _)) => {
                    connections.spawn(serve(socket, service.clone(), stopped.clone()));
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

async fn serve(socket: TcpStream, service: Service, mut stopped: watch::Receiver<bool>) {
    let Service { acceptor, responder } = service;
    let Ok(Ok(stream)) = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)).await else { return };
    let switch = Switch::default();
    let service = service_fn(|request| responder.respond(request, &switch));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(Wire::new(stream, switch.clone())), service);
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
