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
use siemaphore_model::normalise::Context;
use tokio::sync::Semaphore;

use crate::answer::{self, RequestError};
use crate::authenticate::{authenticate, claim};
use crate::batch::Batch;
use crate::body;
use crate::compression::Encoding;
use crate::config::IntakeConfig;
use crate::disk_notice::DiskNotice;
use crate::event_log::{Append, AppendError, Appended, EventLog, Idempotency};
use crate::items::Format;
use crate::memory::{Memory, Reservation};
use crate::metrics::IntakeMetrics;
use crate::otlp;
use crate::request::RequestHead;
use crate::source::{ActiveSource, Source, Sources};

/// The largest body of a signed request: what a stranger who knows a source's name can make us read. Webhooks are small.
const SIGNED_BODY_BYTES: usize = 1024 * 1024;

/// Plain bodies up to this size are decoded where they are: they take less time than a change of thread.
const INLINE_BYTES: usize = 8 * 1024;

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
    log: Arc<dyn EventLog>,
    metrics: Arc<IntakeMetrics>,
    memory: Memory,
    disk_notice: DiskNotice,
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
        let disk_notice = DiskNotice::default();
        Intake { shared: Arc::new(Shared { config, sources, log, metrics, memory, disk_notice, decoders }) }
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
        let head = RequestHead::parse(&parts.headers, self.config.body_bytes)?;
        let received = self.receive(&source, &head, body, |bytes| bytes, |_| Ok(())).await?;
        self.take_received(received, head, &source).await
    }

    /// A webhook whose body is signed.
    async fn take_signed(&self, name: &str, request: Request) -> Result<Response, RequestError> {
        let (parts, body) = request.into_parts();
        let (source, claim) = claim(name, &parts.headers, &self.sources.load(), &self.metrics)?;
        let limit = self.config.body_bytes.min(SIGNED_BODY_BYTES);
        let mut head = RequestHead::parse(&parts.headers, limit)?;
        if claim.id.is_some() {
            head.idempotency_key.clone_from(&claim.id);
        }
        let verify = |body: &[u8]| {
            let signature = source.source.signature.as_ref();
            if signature.is_some_and(|signature| signature.verify(&claim, body)) {
                return Ok(());
            }
            self.metrics.count_unauthorized();
            Err(RequestError::Unsigned("the signature is not that of this body with a secret of the source"))
        };
        let received = self.receive(&source, &head, body, |bytes| bytes, verify).await?;
        self.take_received(received, head, &source).await
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
            && let Some(answer) = self.log.repeated(&source.source.name, key, digest).await?
        {
            source.counters.repeated.add(1);
            return Ok(answer::accepted(answer));
        }
        let (batch, decoding) = self.decode(text, head.format, source, decoding).await?;
        let response = self.store(batch, identity, source).await;
        drop(decoding);
        response
    }

    /// OpenTelemetry's logs. Its clients have no idempotency keys, and a body without a byte is an empty request.
    async fn take_logs(
        &self,
        request: Request,
        encoding: Option<otlp::Encoding>,
    ) -> Result<Response, RequestError> {
        let (parts, body) = request.into_parts();
        let source = authenticate(&parts.headers, &self.sources.load(), &self.metrics)?;
        let encoding = encoding.ok_or(RequestError::MediaType)?;
        let mut head = RequestHead::parse(&parts.headers, self.config.body_bytes)?;
        head.idempotency_key = None;
        let limit = self.config.decompressed_bytes;
        let received =
            self.receive(&source, &head, body, |bytes| otlp::room(bytes, limit), |_| Ok(())).await?;
        let (mut batch, decoding) = self.decode_logs(received, encoding, &source).await?;
        if batch.events.is_empty() {
            let refused = batch.refused_count;
            source.pay(refused, Instant::now())?;
            source.counters.refused.add(refused);
        } else {
            self.append(&mut batch, None, &source).await?;
        }
        drop(decoding);
        Ok(otlp::accepted(&batch, encoding))
    }

    async fn decode_logs(
        &self,
        received: Received,
        encoding: otlp::Encoding,
        source: &Arc<ActiveSource>,
    ) -> Result<(Batch, Reservation), RequestError> {
        let Received { text, mut decoding, room, .. } = received;
        let limits = otlp::Limits { records: self.config.batch_events, bytes: room };
        let is_little = text.len() <= INLINE_BYTES;
        let source = Arc::clone(source);
        let decode = move || {
            let Source { name, organization, normaliser, .. } = &source.source;
            let context = Context { organization, source: name, received_ns: now_ns() };
            let batch = otlp::decode(&text, encoding, normaliser, &context, limits)?;
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
        let is_little = text.len() <= INLINE_BYTES;
        let source = Arc::clone(source);
        let decode = move || {
            let Source { name, organization, normaliser, .. } = &source.source;
            let context = Context { organization, source: name, received_ns: now_ns() };
            let batch = Batch::decode(&text, format, normaliser, &context, limit)?;
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
        mut batch: Batch,
        identity: Option<(String, [u8; 32])>,
        source: &ActiveSource,
    ) -> Result<Response, RequestError> {
        if batch.events.is_empty() && batch.refused_count > 0 {
            source.pay(batch.refused_count, Instant::now())?;
            source.counters.refused.add(batch.refused_count);
            return Ok(answer::none_accepted(&batch));
        }
        let answer = answer::accepted_text(&batch);
        let idempotency = identity.map(|(key, digest)| Idempotency {
            source: source.source.name.clone(),
            key,
            digest,
            answer: answer.clone(),
        });
        match self.append(&mut batch, idempotency, source).await? {
            Appended::Stored => Ok(answer::accepted(answer)),
            Appended::Repeated { answer } => Ok(answer::accepted(answer)),
        }
    }

    /// Takes the events out of the batch and counts what became of it.
    async fn append(
        &self,
        batch: &mut Batch,
        idempotency: Option<Idempotency>,
        source: &ActiveSource,
    ) -> Result<Appended, RequestError> {
        let accepted = batch.events.len();
        let paid = accepted + batch.refused_count;
        source.pay(paid, Instant::now())?;
        source.counters.refused.add(batch.refused_count);
        let events = std::mem::take(&mut batch.events);
        let organization = source.source.organization.clone();
        let appended = self.log.append(Append { organization, events, idempotency }).await;
        self.disk_notice.appended(&appended);
        let appended = appended.inspect_err(|_| source.pay_back(paid))?;
        match &appended {
            Appended::Stored => {
                source.counters.accepted.add(accepted);
                source.counters.redacted.add(batch.redacted);
            }
            Appended::Repeated { .. } => {
                source.pay_back(paid);
                source.counters.repeated.add(1);
            }
        }
        Ok(appended)
    }
}

fn now_ns() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX)
}
