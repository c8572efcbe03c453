//! The accept loop of one server, bounded against clients who only hold connections.
//!
//! Whoever reaches the port can connect, long before a token is asked for. So a connection has to send a whole request
//! head in time and within a size, there is a most of connections at once, and a stop waits for requests in hand only:
//! a connection that is idle or in the midst of a head is dropped.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Also how long a connection may be idle between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest request head, and the most that is read of a body at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long a client may leave an answer unread while the buffers between are full.
#[cfg(target_os = "linux")]
const UNREAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Keeps a lack of file descriptors from becoming a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often the log repeats that connections are not taken.
const COMPLAINT_PERIOD: Duration = Duration::from_secs(60);

/// After an answer that ends the connection, what the client still sends is read and thrown away, within these bounds.
/// Closing at once would reset the connection, and the client would lose the answer.
const LINGER_TIMEOUT: Duration = Duration::from_secs(5);
const LINGER_BYTES: u64 = 64 * 1024 * 1024;

/// What connections come from.
pub(crate) trait Accept: Send + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = TcpListener::accept(self).await?;
        // Answers are small, and nothing follows them that they could travel with. Without it they are only later.
        stream.set_nodelay(true).ok();
        limit_unread(&stream);
        Ok(stream)
    }
}

/// Where the system has no such limit, a client that reads no answers keeps its connection.
fn limit_unread(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD_TIMEOUT)).ok();
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

impl Accept for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<UnixStream> {
        Ok(UnixListener::accept(self).await?.0)
    }
}

/// Serves until `stop`, and then until the requests in hand are answered. Dropping it ends every connection.
pub(crate) async fn serve<A: Accept>(
    name: &str,
    listener: A,
    most_connections: usize,
    router: Router,
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    let mut complaints = Complaints::default();
    loop {
        let is_full = connections.len() >= most_connections;
        if is_full && complaints.are_due() {
            tracing::warn!(
                listener = name,
                most_connections,
                "as many connections as are allowed: more have to wait"
            );
        }
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if !is_full => match accepted {
                Ok(stream) => {
                    connections.spawn(converse(stream, router.clone(), stop.clone()));
                }
                Err(error) => {
                    if complaints.are_due() {
                        tracing::error!(listener = name, %error, "cannot accept connections");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// One connection, from its first byte to its last.
async fn converse<S>(stream: S, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let has_asked = AtomicBool::new(false);
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request| {
        has_asked.store(true, Ordering::Relaxed);
        answer(&router, request)
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = poll_fn(|context| connection.poll_without_shutdown(context)) => ended,
        () = stop.cancelled() => {
            // hyper takes the first head, as far as it is there, for a request in hand, and would wait for the rest.
            if !has_asked.load(Ordering::Relaxed) {
                return;
            }
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|context| connection.poll_without_shutdown(context)).await
        }
    };
    // How a connection fails is the client's business.
    if ended.is_ok() {
        let stream = connection.into_parts().io.into_inner();
        stop.run_until_cancelled(linger(stream)).await;
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// In a box, because only a future that can be moved lets its connection be taken back from hyper.
fn answer(router: &TowerToHyperService<Router>, request: Request<Incoming>) -> Answer {
    Box::pin(router.call(request))
}

async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut rest = stream.take(LINGER_BYTES);
    let discard = async { tokio::io::copy(&mut rest, &mut tokio::io::sink()).await };
    tokio::time::timeout(LINGER_TIMEOUT, discard).await.ok();
}

/// When the log was last told that connections are not taken.
#[derive(Default)]
struct Complaints {
    last: Option<Instant>,
}

impl Complaints {
    fn are_due(&mut self) -> bool {
        let are_due = self.last.is_none_or(|last| last.elapsed() >= COMPLAINT_PERIOD);
        if are_due {
            self.last = Some(Instant::now());
        }
        are_due
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::routing::{get, post};
    use http::StatusCode;
    use tokio::task::JoinHandle;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    struct Served {
        address: std::net::SocketAddr,
        stop: CancellationToken,
        task: JoinHandle<()>,
    }

    async fn start(most_connections: usize, router: Router) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = serve("test", listener, most_connections, router, stop.clone());
        Served { address, stop, task: tokio::spawn(server) }
    }

    impl Served {
        async fn connect(&self, request: &[u8]) -> TcpStream {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(request).await.unwrap();
            stream
        }

        async fn ended(self) {
            self.stop.cancel();
            tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap();
        }
    }

    async fn read_all(mut stream: TcpStream) -> String {
        let mut text = String::new();
        tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
        text
    }

    fn hello() -> Router {
        Router::new().route("/", get(async || "hello"))
    }

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";

    #[tokio::test]
    async fn half_a_head_is_dropped_in_time_and_makes_room() {
        let served = start(2, hello()).await;
        let _first = served.connect(b"GET / HTTP/1.1\r\n").await;
        let _second = served.connect(b"").await;
        let mut third = served.connect(REQUEST).await;
        let (mut answer, patience) = (String::new(), HEAD_TIMEOUT + PATIENCE);
        tokio::time::timeout(patience, third.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.ends_with("hello"), "{answer}");
        served.ended().await;
    }

    #[tokio::test]
    async fn a_head_over_the_limit_is_refused() {
        let served = start(2, hello()).await;
        let mut stream = served.connect(b"GET / HTTP/1.1\r\n").await;
        let line = format!("x: {}\r\n", "x".repeat(1000));
        let mut sent = 0;
        while sent < 1024 * 1024 && stream.write_all(line.as_bytes()).await.is_ok() {
            sent += line.len();
        }
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().ok();
        assert!(sent < 1024 * 1024 || answer.starts_with(b"HTTP/1.1 431"), "{sent} {answer:?}");
        served.ended().await;
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_for_half_a_head_or_an_idle_connection() {
        let served = start(8, hello()).await;
        let _half = served.connect(b"GET / HTTP/1.1\r\nhost:").await;
        let _nothing = served.connect(b"").await;
        let mut idle = served.connect(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await;
        // The others were accepted before this one, which has its answer.
        assert!(idle.read(&mut [0; 1024]).await.unwrap() > 0);
        let mut second_half = served.connect(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await;
        assert!(second_half.read(&mut [0; 1024]).await.unwrap() > 0);
        second_half.write_all(b"GET / HT").await.unwrap();
        served.ended().await;
    }

    #[tokio::test]
    async fn a_stop_waits_for_the_answer_in_hand() {
        let (began, release) = (CancellationToken::new(), CancellationToken::new());
        let (began_there, release_there) = (began.clone(), release.clone());
        let slow = async move || {
            began_there.cancel();
            release_there.cancelled().await;
            "late"
        };
        let router = Router::new().route("/", get(slow));
        let served = start(2, router).await;
        let stream = served.connect(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await;
        began.cancelled().await;
        served.stop.cancel();
        release.cancel();
        assert!(read_all(stream).await.ends_with("late"));
        served.ended().await;
    }

    #[tokio::test]
    async fn a_client_that_is_still_writing_receives_an_early_refusal() {
        let refuse = post(async || (StatusCode::PAYLOAD_TOO_LARGE, "too large"));
        let served = start(2, Router::new().route("/", refuse)).await;
        let length = 20 * 1024 * 1024;
        let head = format!("POST / HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n");
        let mut stream = served.connect(head.as_bytes()).await;
        stream.write_all(&Bytes::from(vec![b' '; length])).await.unwrap();
        let answer = read_all(stream).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.ends_with("too large"), "{answer}");
        served.ended().await;
    }
}
