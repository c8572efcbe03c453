//! What lies between HTTP and TLS: a stream that can stop speaking HTTP in the middle of a connection.
//!
//! A server library writes well-formed answers that end. Some attacks on a client are neither, so when a fault asks
//! for one, the stream throws the library's answer away and writes an endless one in its place, as fast as the client
//! reads and for as long as it does.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Which part of an answer never ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endless {
    /// Interim answers (103), one after the other, and never the final one.
    Interim,
    /// Header lines of a 200.
    Headers,
    /// The body of a 200, in chunks.
    Body,
}

impl Endless {
    fn beginning(self) -> &'static [u8] {
        match self {
            Endless::Interim => b"",
            Endless::Headers => b"HTTP/1.1 200 OK\r\n",
            Endless::Body => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        }
    }

    fn more(self) -> &'static [u8] {
        match self {
            Endless::Interim => b"HTTP/1.1 103 Early Hints\r\nx-more: to come\r\n\r\n",
            Endless::Headers => b"x-more: to come\r\n",
            Endless::Body => b"11\r\nand so it goes on\r\n",
        }
    }
}

/// Turns the stream of one connection to an endless answer. Nothing turns it back.
#[derive(Clone, Default)]
pub(crate) struct Switch(Arc<OnceLock<Endless>>);

impl Switch {
    pub(crate) fn turn(&self, endless: Endless) {
        // A connection that never answers has no second request.
        self.0.get_or_init(|| endless);
    }
}

/// A stream that obeys its switch.
pub(crate) struct Wire<S> {
    stream: S,
    switch: Switch,
    /// What of the endless answer is being written: its bytes, and how many of them are out.
    writing: Option<(&'static [u8], usize)>,
}

impl<S> Wire<S> {
    pub(crate) fn new(stream: S, switch: Switch) -> Wire<S> {
        Wire { stream, switch, writing: None }
    }
}

/// How many pieces are written before other tasks get their turn.
const PIECES_PER_TURN: usize = 256;

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Ready only with an error, which is how the client's leaving shows.
    fn poll_endless(&mut self, endless: Endless, context: &mut Context<'_>) -> Poll<io::Error> {
        for _ in 0..PIECES_PER_TURN {
            let (piece, written) = self.writing.unwrap_or((endless.beginning(), 0));
            let rest = piece.get(written..).unwrap_or_default();
            if rest.is_empty() {
                self.writing = Some((endless.more(), 0));
                continue;
            }
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest)) {
                Ok(0) => return Poll::Ready(io::ErrorKind::WriteZero.into()),
                Ok(more) => self.writing = Some((piece, written + more)),
                Err(error) => return Poll::Ready(error),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.switch.0.get().copied() {
            None => Pin::new(&mut self.stream).poll_write(context, bytes),
            Some(endless) => self.poll_endless(endless, context).map(Err),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}
