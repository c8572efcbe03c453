//! The route, and the way of a request through it.

pub(crate) mod feed;

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::answer::{self, RequestError};
use crate::authenticate::{authenticate, claim};
use crate::batch::Batch;
use crate::body;
use crate::commit::{Commit, Portion};
use crate::compression::Encoding;
use crate::config::IntakeConfig;
use crate::event_log::{AppendError, Appended, EventLog, Idempotency};
use crate::items::Format;
use crate::memory::{Memory, Reservation};
use crate::metrics::{IntakeMetrics, Way};
use crate::otlp;
use crate::request::RequestHead;
use crate::signature::SignatureFault;
use crate::source::{ActiveSource, INLINE_BYTES, Source, Sources};

/// The largest body of a signed request: what a stranger who knows a source's name can make us read. Webhooks are small.
const SIGNED_BODY_BYTES: usize = 1024 * 1024;

/// The intake without a way to change its sources.
pub fn router(
    config: IntakeConfig,
    sources: Vec<Source>,
    log: Arc<dyn EventLog>,
    metrics: Arc<IntakeMetrics>,
) -> Router {
    Intake::new(config, sources, log, metrics).router()
}

/// A handle to the intake. Clones are the same intake.
#[derive(Clone)]
pub struct Intake {
    shared: Arc<Shared>,
}

struct Shared {
    config: IntakeConfig,
    sources: ArcSwap<Sources>,
    commit: Commit,
    metrics: Arc<IntakeMetrics>,
    memory: Memory,
    /// One decoder a core: more would only take turns.
    decoders: Arc<Semaphore>,
}

impl Intake {
    pub fn new(
        config: IntakeConfig,
        sources: Vec<Source>,
        log: Arc<dyn EventLog>,
        metrics: Arc<IntakeMetrics>,
    ) -> Intake {
        let memory = Memory::new(&config);
        let sources = ArcSwap::from_pointee(Sources::new(sources, &metrics, &memory));
        let cores = available_parallelism().map_or(1, usize::from);
        let decoders = Arc::new(Semaphore::new(cores));
        let commit = Commit { log, disk_notice: Arc::default() };
        Intake { shared: Arc::new(Shared { config, sources, commit, metrics, memory, decoders }) }
    }

    pub fn router(&self) -> Router {
        Router::new()
            .route("/v1/events", post(post_events))
            .route("/v1/logs", post(post_logs))
            .route("/v1/webhooks/{source}", post(post_webhook))
            .method_not_allowed_fallback(async || RequestError::Method)
            .fallback(async || RequestError::NotFound)
            .with_state(self.clone())
    }

    /// Requests that begin after this use the new sources; those under way end with the old.
    pub fn replace_sources(&self, sources: Vec<Source>) {
        let Shared { metrics, memory, .. } = &*self.shared;
        self.shared.sources.store(Arc::new(Sources::new(sources, metrics, memory)));
    }
}

/// A decompressed body, and the memory that is held for what it becomes.
struct Received {
    text: Bytes,
    digest: Option<[u8; 32]>,
    decoding: Reservation,
    /// How many bytes of events that memory is for, beside the body.
    room: usize,
}

async fn post_events(State(Intake { shared }): State<Intake>, request: Request) -> Response {
    shared.take(request).await.unwrap_or_else(|error| {
        report(&error);
        error.into_response()
    })
}

async fn post_webhook(
    State(Intake { shared }): State<Intake>,
    Path(source): Path<String>,
    request: Request,
) -> Response {
    shared.take_signed(&source, request).await.unwrap_or_else(|error| {
        report(&error);
        error.into_response()
    })
}

async fn post_logs(State(Intake { shared }): State<Intake>, request: Request) -> Response {
    let encoding = otlp::Encoding::of(request.headers());
    shared.take_logs(request, encoding).await.unwrap_or_else(|error| {
        report(&error);
        otlp::refused(&error, encoding.unwrap_or(otlp::Encoding::Json))
    })
}

fn report(error: &RequestError) {
    if let RequestError::Append(AppendError::Storage(problem)) = error {
        tracing::error!(problem, "the store did not take events");
    }
}

impl Shared {
    async fn take(&self, request: Request) -> Result<Response, RequestError> {
        let (parts, body) = request.into_parts();
        let source = authenticate(&parts.headers, &self.sources.load(), &self.metrics)?;
        counted(&source, Way::Events, async {
            let head = RequestHead::parse(&parts.headers, self.config.body_bytes)?;
            let received = self.receive(&source, &head, body, |bytes| bytes, |_| Ok(())).await?;
            self.take_received(received, head, &source).await
        })
        .await
    }

    /// A webhook whose body is signed.
    async fn take_signed(&self, name: &str, request: Request) -> Result<Response, RequestError> {
        let (parts, body) = request.into_parts();
        let (source, claim) = claim(name, &parts.headers, &self.sources.load(), &self.metrics)?;
        let verify = |body: &[u8]| {
            let signature = source.source.signature.as_ref();
            if signature.is_some_and(|signature| signature.verify(&claim, body)) {
                return Ok(());
            }
            self.metrics.count_unauthorized();
            source.counters.signature_failures.add(1);
            Err(RequestError::Unsigned(SignatureFault::Mismatch))
        };
        counted(&source, Way::Webhook, async {
            let limit = self.config.body_bytes.min(SIGNED_BODY_BYTES);
            let mut head = RequestHead::parse(&parts.headers, limit)?;
            if claim.id.is_some() {
                head.idempotency_key.clone_from(&claim.id);
            }
            let received = self.receive(&source, &head, body, |bytes| bytes, verify).await?;
            self.take_received(received, head, &source).await
        })
        .await
    }

    async fn take_received(
        &self,
        received: Received,
        head: RequestHead,
        source: &Arc<ActiveSource>,
    ) -> Result<Response, RequestError> {
        let Received { text, digest, decoding, .. } = received;
        if text.is_empty() {
            return Err(RequestError::Empty);
        }
        let identity = head.idempotency_key.zip(digest);
        if let Some((key, digest)) = &identity
            && let Some(answer) = self.commit.log.repeated(&source.source.name, key, digest).await?
        {
            source.counters.repeated.add(1);
            return Ok(answer::repeated(answer));
        }
        let (batch, decoding) = self.decode(text, head.format, source, decoding).await?;
        self.store(batch, identity, source, decoding).await
    }

    /// OpenTelemetry's logs. Its clients have no idempotency keys, and a body without a byte is an empty request.
    async fn take_logs(
        &self,
        request: Request,
        encoding: Option<otlp::Encoding>,
    ) -> Result<Response, RequestError> {
        let (parts, body) = request.into_parts();
        let source = authenticate(&parts.headers, &self.sources.load(), &self.metrics)?;
        counted(&source, Way::Logs, async {
            let encoding = encoding.ok_or(RequestError::MediaType)?;
            let mut head = RequestHead::parse(&parts.headers, self.config.body_bytes)?;
            head.idempotency_key = None;
            let limit = self.config.decompressed_bytes;
            let received =
                self.receive(&source, &head, body, |bytes| otlp::room(bytes, limit), |_| Ok(())).await?;
            let (batch, memory) = self.decode_logs(received, encoding, &source).await?;
            let batch = if batch.events.is_empty() {
                source.refuse_all(&batch, Instant::now())?;
                batch
            } else {
                let portion = Portion { batch, idempotency: None, memory, is_fetched: false };
                self.commit.run(portion, &source).await?.1
            };
            Ok(otlp::accepted(&batch, encoding))
        })
        .await
    }

    async fn decode_logs(
        &self,
        received: Received,
        encoding: otlp::Encoding,
        source: &Arc<ActiveSource>,
    ) -> Result<(Batch, Reservation), RequestError> {
        let Received { text, mut decoding, room, .. } = received;
        let limits = otlp::Limits { records: self.config.batch_events, bytes: room };
        let is_little = source.is_little(text.len());
        let source = Arc::clone(source);
        let decode = move || {
            let batch = otlp::decode(&text, encoding, &source.source.door(now_ns()), limits)?;
            drop(text);
            decoding.shrink(batch.events.as_bytes().len());
            Ok((batch, decoding))
        };
        if is_little { decode() } else { self.on_a_decoder(decode).await }
    }

    /// Reads a body, checks it as it was sent, and decompresses it, with room for what so many bytes become.
    async fn receive(
        &self,
        source: &ActiveSource,
        head: &RequestHead,
        body: Body,
        room: impl Fn(usize) -> usize,
        check: impl Fn(&[u8]) -> Result<(), RequestError>,
    ) -> Result<Received, RequestError> {
        let mut arriving = source.memory.for_body(head.body_bytes).await?;
        let body = body::read(body, head.body_limit, self.config.read_timeout, &mut arriving).await?;
        check(&body)?;
        let at_most = head.encoding.decompressed_at_most(body.len(), self.config.decompressed_bytes);
        let room = room(at_most);
        let decoding = source.memory.for_decoding(room).await?;
        let (text, digest, decoding) = self.open(body, head, decoding).await?;
        drop(arriving);
        source.counters.bytes.add(text.len());
        Ok(Received { text, digest, decoding, room })
    }

    /// Decompresses, and digests when there is an idempotency key.
    async fn open(
        &self,
        body: Bytes,
        head: &RequestHead,
        reservation: Reservation,
    ) -> Result<(Bytes, Option<[u8; 32]>, Reservation), RequestError> {
        let (encoding, digested) = (head.encoding, head.idempotency_key.is_some());
        let limit = self.config.decompressed_bytes;
        let is_little = encoding == Encoding::Identity && (!digested || body.len() <= INLINE_BYTES);
        let open = move || {
            let text = encoding.decompress(&body, limit)?;
            let digest = digested.then(|| Sha256::digest(&text).into());
            Ok((text, digest, reservation))
        };
        if is_little { open() } else { self.on_a_decoder(open).await }
    }

    async fn decode(
        &self,
        text: Bytes,
        format: Option<Format>,
        source: &Arc<ActiveSource>,
        mut reservation: Reservation,
    ) -> Result<(Batch, Reservation), RequestError> {
        let limit = self.config.batch_events;
        let is_little = source.is_little(text.len());
        let source = Arc::clone(source);
        let decode = move || {
            let batch = Batch::decode(&text, format, &source.source.door(now_ns()), limit)?;
            drop(text);
            reservation.shrink(batch.events.as_bytes().len());
            Ok((batch, reservation))
        };
        if is_little { decode() } else { self.on_a_decoder(decode).await }
    }

    /// Runs on a thread for blocking work. Whatever the work holds is held until it is done, even when the producer
    /// has gone away meanwhile.
    async fn on_a_decoder<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RequestError> + Send + 'static,
    ) -> Result<T, RequestError> {
        let turn =
            Arc::clone(&self.decoders).acquire_owned().await.map_err(|_closed| RequestError::Stopping)?;
        let work = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(RequestError::Stopping))
    }

    async fn store(
        &self,
        batch: Batch,
        identity: Option<(String, [u8; 32])>,
        source: &Arc<ActiveSource>,
        memory: Reservation,
    ) -> Result<Response, RequestError> {
        if batch.events.is_empty() && batch.refused_count() > 0 {
            source.refuse_all(&batch, Instant::now())?;
            return Ok(answer::none_accepted(&batch));
        }
        let answer = answer::accepted_text(&batch);
        let idempotency = identity.map(|(key, digest)| Idempotency {
            source: source.source.name.clone(),
            key,
            digest,
            answer: answer.clone(),
        });
        let portion = Portion { batch, idempotency, memory, is_fetched: false };
        match self.commit.run(portion, source).await?.0 {
            Appended::Stored => Ok(answer::accepted(answer)),
            Appended::Repeated { answer } => Ok(answer::repeated(answer)),
        }
    }
}

/// Counts a request of this source, and the reason when it is refused as a whole.
async fn counted<T>(
    source: &ActiveSource,
    way: Way,
    request: impl Future<Output = Result<T, RequestError>>,
) -> Result<T, RequestError> {
    source.counters.count_request(way);
    request.await.inspect_err(|error| source.counters.count_refused_request(error.name()))
}

fn now_ns() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX)
}
