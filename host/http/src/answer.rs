//! Reading an answer, within a limit.
//!
//! The only encoding asked for is gzip. A body that comes in another one is dropped: nobody could look for secrets in
//! it, so nobody gets it.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use reqwest::Response;

use crate::SendError;

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// Decompressed.
    pub body: Bytes,
    /// The body was longer than the limit, or could not be decoded, and this is what there is of it.
    pub truncated: bool,
}

/// Reads at most `limit` bytes of body, counted after decompression and before it, too.
pub(crate) async fn read(mut response: Response, limit: usize, host: &str) -> Result<Answer, SendError> {
    let status = response.status().as_u16();
    let mut body = Body::new(Encoding::of(response.headers()), limit);
    let mut received: usize = 0;
    let mut whole = true;
    while let Some(chunk) = response.chunk().await.map_err(|error| SendError::from_body(&error, host))? {
        received = received.saturating_add(chunk.len());
        if !body.take(&chunk) || received > limit {
            whole = false;
            break;
        }
    }
    let (bytes, complete) = body.finish();
    let headers = std::mem::take(response.headers_mut());
    Ok(Answer { status, headers, body: bytes, truncated: !(whole && complete) })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    Unknown,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Self {
        let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
        match (
            encodings.next().map(|value| value.as_bytes().trim_ascii().to_ascii_lowercase()),
            encodings.next(),
        ) {
            (None, _) => Encoding::Identity,
            (Some(_), Some(_)) => Encoding::Unknown,
            (Some(name), None) => match name.as_slice() {
                b"" | b"identity" => Encoding::Identity,
                b"gzip" | b"x-gzip" => Encoding::Gzip,
                _ => Encoding::Unknown,
            },
        }
    }
}

enum Body {
    Identity(Capped),
    Gzip(Box<MultiGzDecoder<Capped>>),
    Unknown,
}

impl Body {
    fn new(encoding: Encoding, limit: usize) -> Self {
        let capped = Capped { bytes: Vec::new(), limit };
        match encoding {
            Encoding::Identity => Body::Identity(capped),
            Encoding::Gzip => Body::Gzip(Box::new(MultiGzDecoder::new(capped))),
            Encoding::Unknown => Body::Unknown,
        }
    }

    /// False when nothing more is wanted: the limit is reached, or the rest cannot be decoded.
    fn take(&mut self, chunk: &[u8]) -> bool {
        match self {
            Body::Identity(capped) => capped.write_all(chunk).is_ok(),
            Body::Gzip(decoder) => decoder.write_all(chunk).is_ok(),
            Body::Unknown => false,
        }
    }

    /// The bytes so far, and whether they ended as the encoding wants.
    fn finish(self) -> (Bytes, bool) {
        match self {
            Body::Identity(capped) => (capped.bytes.into(), true),
            Body::Gzip(mut decoder) => {
                let complete = decoder.try_finish().is_ok();
                (std::mem::take(&mut decoder.get_mut().bytes).into(), complete)
            }
            Body::Unknown => (Bytes::new(), false),
        }
    }
}

/// Takes bytes up to a limit and refuses the rest.
struct Capped {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.limit.saturating_sub(self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
        if room == 0 && !bytes.is_empty() {
            return Err(io::Error::other("the limit is reached"));
        }
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzipped(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).expect("compressed");
        encoder.finish().expect("compressed")
    }

    fn decoded(encoding: Encoding, limit: usize, sent: &[u8]) -> (Vec<u8>, bool) {
        let mut body = Body::new(encoding, limit);
        let whole = sent.chunks(7).all(|chunk| body.take(chunk));
        let (bytes, complete) = body.finish();
        (bytes.to_vec(), whole && complete)
    }

    #[test]
    fn a_plain_body_is_taken_up_to_the_limit() {
        assert_eq!(decoded(Encoding::Identity, 5, b"12345"), (b"12345".to_vec(), true));
        assert_eq!(decoded(Encoding::Identity, 4, b"12345"), (b"1234".to_vec(), false));
        assert_eq!(decoded(Encoding::Identity, 5, b""), (Vec::new(), true));
    }

    #[test]
    fn a_gzip_body_is_decompressed_up_to_the_limit() {
        let plain = b"the answer".repeat(100);
        assert_eq!(decoded(Encoding::Gzip, 1000, &gzipped(&plain)), (plain.clone(), true));
        let (bytes, whole) = decoded(Encoding::Gzip, 999, &gzipped(&plain));
        assert_eq!((bytes.as_slice(), whole), (&plain[..999], false));
    }

    #[test]
    fn a_gzip_body_of_several_members_is_read_to_its_end() {
        let sent = [gzipped(b"one "), gzipped(b"two")].concat();
        assert_eq!(decoded(Encoding::Gzip, 100, &sent), (b"one two".to_vec(), true));
    }

    #[test]
    fn a_broken_gzip_body_counts_as_truncated() {
        let sent = gzipped(b"the answer");
        assert!(!decoded(Encoding::Gzip, 100, &sent[..sent.len() - 5]).1);
        assert!(!decoded(Encoding::Gzip, 100, b"not gzip at all").1);
    }

    #[test]
    fn a_body_in_an_encoding_that_was_not_asked_for_is_dropped() {
        assert_eq!(decoded(Encoding::Unknown, 100, b"secret in brotli"), (Vec::new(), false));
        let headers = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, http::HeaderValue::from_static(value));
            }
            Encoding::of(&headers)
        };
        assert_eq!(headers(&[]), Encoding::Identity);
        assert_eq!(headers(&["GZIP"]), Encoding::Gzip);
        assert_eq!(headers(&["br"]), Encoding::Unknown);
        assert_eq!(headers(&["gzip, gzip"]), Encoding::Unknown);
        assert_eq!(headers(&["gzip", "gzip"]), Encoding::Unknown);
    }
}
