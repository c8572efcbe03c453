//! One request as it arrived, and its body as it reads after decompression.

use std::io::Read;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, Method, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use thiserror::Error;
use tokio::time::timeout;

/// What is read and thrown away of a body over the cap, so that its sender sees the answer and not a reset.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;

/// A client that sends slower than this is cut off.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// How a body may be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Deflate,
    Zstd,
}

/// What a SIEM takes as a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    pub(crate) encodings: &'static [Encoding],
    /// Counted both as sent and as decompressed.
    pub(crate) max_bytes: usize,
}

/// Why a body cannot be used.
#[derive(Debug, Error)]
pub(crate) enum BodyError {
    #[error("the body is over {0} bytes")]
    TooLarge(usize),
    #[error("content encoding '{0}' is not taken")]
    UnsupportedEncoding(String),
    #[error("the body does not decompress: {0}")]
    Corrupt(std::io::Error),
}

/// A request that was read to its end.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) compressed_bytes: usize,
    /// The body as it came; nothing when it was too large to keep.
    pub(crate) compressed: Bytes,
    pub(crate) body: Result<Bytes, BodyError>,
}

impl Request {
    /// Reads and decompresses the body. `None` when the client went away or stalled before its end.
    pub(crate) async fn read(incoming: http::Request<Incoming>, limits: BodyLimits) -> Option<Self> {
        let (parts, body) = incoming.into_parts();
        let (compressed, compressed_bytes) =
            timeout(READ_TIMEOUT, collect(body, limits.max_bytes)).await.ok().flatten()?;
        let kept = compressed.clone().unwrap_or_default();
        let body = match compressed {
            Some(compressed) => decompress(compressed, &parts.headers, limits),
            None => Err(BodyError::TooLarge(limits.max_bytes)),
        };
        Some(Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            compressed_bytes,
            compressed: kept,
            body,
        })
    }

    /// A header's value, when it is there and is text.
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The first value of a query parameter, decoded.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    pub(crate) fn plain_bytes(&self) -> usize {
        self.body.as_ref().map_or(0, Bytes::len)
    }
}

/// The body when it is within the cap, and its length in any case.
async fn collect(mut body: Incoming, cap: usize) -> Option<(Option<Bytes>, usize)> {
    let mut kept = BytesMut::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= cap {
            kept.extend_from_slice(&data);
        } else if length > DRAIN_BYTES.max(cap) {
            return Some((None, length));
        }
    }
    Some(((length <= cap).then(|| kept.freeze()), length))
}

fn decompress(compressed: Bytes, headers: &HeaderMap, limits: BodyLimits) -> Result<Bytes, BodyError> {
    let Some(name) = headers.get(header::CONTENT_ENCODING) else { return Ok(compressed) };
    let name = String::from_utf8_lossy(name.as_bytes()).to_ascii_lowercase();
    let encoding = match name.as_str() {
        "identity" => return Ok(compressed),
        "gzip" => Encoding::Gzip,
        "deflate" => Encoding::Deflate,
        "zstd" => Encoding::Zstd,
        _ => return Err(BodyError::UnsupportedEncoding(name)),
    };
    if !limits.encodings.contains(&encoding) {
        return Err(BodyError::UnsupportedEncoding(name));
    }
    let compressed = compressed.as_ref();
    match encoding {
        Encoding::Gzip => read_capped(MultiGzDecoder::new(compressed), limits.max_bytes),
        Encoding::Deflate => read_capped(ZlibDecoder::new(compressed), limits.max_bytes),
        Encoding::Zstd => {
            let decoder = zstd::Decoder::with_buffer(compressed).map_err(BodyError::Corrupt)?;
            read_capped(decoder, limits.max_bytes)
        }
    }
}

/// Stops at one byte over the cap, so that a bomb costs no more than an honest body.
fn read_capped(decoder: impl Read, cap: usize) -> Result<Bytes, BodyError> {
    let mut plain = Vec::new();
    let one_more = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(one_more).read_to_end(&mut plain).map_err(BodyError::Corrupt)?;
    if plain.len() > cap { Err(BodyError::TooLarge(cap)) } else { Ok(Bytes::from(plain)) }
}
