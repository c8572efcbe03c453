//! Content encodings and their decompression, with a cap on what comes out.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// What a request may say under `Content-Encoding`, for people.
pub(crate) const SUPPORTED: &str = "identity, gzip, zstd, deflate";

/// The largest window of a zstd frame, 8 MiB: what every decoder has to support, and memory that is not counted
/// elsewhere.
const ZSTD_WINDOW_LOG: u32 = 23;

/// No deflate stream grows by more.
const DEFLATE_RATIO: usize = 1032;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
    Deflate,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DecompressError {
    #[error("the body cannot be decompressed as {encoding}: {problem}")]
    Damaged { encoding: &'static str, problem: std::io::Error },
    #[error("the body has more than {limit} bytes after decompression")]
    TooLarge { limit: usize },
}

impl Encoding {
    /// One encoding; several on top of each other are not supported.
    pub(crate) fn parse(value: &str) -> Option<Encoding> {
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Encoding::Identity),
            "gzip" | "x-gzip" => Some(Encoding::Gzip),
            "zstd" => Some(Encoding::Zstd),
            "deflate" => Some(Encoding::Deflate),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Encoding::Identity => "identity",
            Encoding::Gzip => "gzip",
            Encoding::Zstd => "zstd",
            Encoding::Deflate => "deflate",
        }
    }

    /// The most that a body of so many bytes can become.
    pub(crate) fn decompressed_at_most(self, body_bytes: usize, limit: usize) -> usize {
        match self {
            Encoding::Identity => body_bytes,
            Encoding::Gzip | Encoding::Deflate => body_bytes.saturating_mul(DEFLATE_RATIO).min(limit),
            Encoding::Zstd => limit,
        }
    }

    /// Stops at the limit: what a bomb would have become is never made.
    pub(crate) fn decompress(self, body: &Bytes, limit: usize) -> Result<Bytes, DecompressError> {
        let compressed: &[u8] = body;
        let decompressed = match self {
            Encoding::Identity => Ok(Bytes::clone(body)),
            // A gzip body may have several members, one after the other.
            Encoding::Gzip => read(MultiGzDecoder::new(compressed), limit),
            // The standard means zlib; some clients send the bare stream.
            Encoding::Deflate if is_zlib(body) => read(ZlibDecoder::new(compressed), limit),
            Encoding::Deflate => read(DeflateDecoder::new(compressed), limit),
            Encoding::Zstd => zstd_decoder(compressed).and_then(|decoder| read(decoder, limit)),
        };
        match decompressed {
            Ok(decompressed) if decompressed.len() > limit => Err(DecompressError::TooLarge { limit }),
            Ok(decompressed) => Ok(decompressed),
            Err(problem) => Err(DecompressError::Damaged { encoding: self.name(), problem }),
        }
    }
}

/// Reads one byte beyond the limit at most, which shows that there is more.
fn read(decoder: impl Read, limit: usize) -> std::io::Result<Bytes> {
    let mut decompressed = Vec::new();
    decoder.take((limit as u64).saturating_add(1)).read_to_end(&mut decompressed)?;
    Ok(decompressed.into())
}

fn zstd_decoder(body: &[u8]) -> std::io::Result<zstd::Decoder<'static, &[u8]>> {
    let mut decoder = zstd::Decoder::with_buffer(body)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"{\"event_type\":\"dlp.pii_blocked\"}";
    const LIMIT: usize = 1 << 20;

    fn gzip(bytes: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    fn zlib(bytes: &[u8]) -> Bytes {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    fn bare_deflate(bytes: &[u8]) -> Bytes {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    fn zstd(bytes: &[u8]) -> Bytes {
        zstd::encode_all(bytes, 3).unwrap().into()
    }

    #[test]
    fn every_encoding_gives_back_what_was_compressed() {
        for (encoding, body) in [
            (Encoding::Identity, TEXT.into()),
            (Encoding::Gzip, gzip(TEXT)),
            (Encoding::Deflate, zlib(TEXT)),
            (Encoding::Deflate, bare_deflate(TEXT)),
            (Encoding::Zstd, zstd(TEXT)),
        ] {
            assert_eq!(encoding.decompress(&body, LIMIT).unwrap(), TEXT, "{encoding:?}");
        }
    }

    #[test]
    fn members_and_frames_in_a_row_are_one_body() {
        let twice = [TEXT, TEXT].concat();
        assert_eq!(
            Encoding::Gzip.decompress(&[gzip(TEXT), gzip(TEXT)].concat().into(), LIMIT).unwrap(),
            twice
        );
        assert_eq!(
            Encoding::Zstd.decompress(&[zstd(TEXT), zstd(TEXT)].concat().into(), LIMIT).unwrap(),
            twice
        );
    }

    #[test]
    fn a_bomb_is_stopped_one_byte_beyond_the_limit() {
        struct Endless<'a>(&'a mut usize);
        impl Read for Endless<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                *self.0 += buffer.len();
                Ok(buffer.len())
            }
        }
        let mut produced = 0;
        let read = read(Endless(&mut produced), LIMIT).unwrap();
        assert_eq!((read.len(), produced), (LIMIT + 1, LIMIT + 1));
        let zeros = vec![0; 64 * LIMIT];
        for (encoding, body) in [
            (Encoding::Gzip, gzip(&zeros)),
            (Encoding::Zstd, zstd(&zeros)),
            (Encoding::Deflate, zlib(&zeros)),
        ] {
            assert!(body.len() < LIMIT);
            let error = encoding.decompress(&body, LIMIT).unwrap_err();
            assert!(matches!(error, DecompressError::TooLarge { limit: LIMIT }), "{error}");
        }
    }

    #[test]
    fn what_is_exactly_as_large_as_the_limit_passes() {
        let zeros = vec![0; LIMIT];
        assert_eq!(Encoding::Gzip.decompress(&gzip(&zeros), LIMIT).unwrap().len(), LIMIT);
        assert_eq!(Encoding::Identity.decompress(&zeros.into(), LIMIT).unwrap().len(), LIMIT);
    }

    #[test]
    fn no_deflate_stream_becomes_more_than_is_reserved_for_it() {
        let body = gzip(&vec![0; 64 * LIMIT]);
        assert!(Encoding::Gzip.decompressed_at_most(body.len(), usize::MAX) >= 64 * LIMIT);
    }

    #[test]
    fn a_cut_body_is_damaged_wherever_it_is_cut() {
        for (encoding, body) in
            [(Encoding::Gzip, gzip(TEXT)), (Encoding::Zstd, zstd(TEXT)), (Encoding::Deflate, zlib(TEXT))]
        {
            for end in 1..body.len() {
                let error = encoding.decompress(&body.slice(..end), LIMIT).unwrap_err();
                assert!(
                    matches!(error, DecompressError::Damaged { .. }),
                    "{encoding:?} cut at {end}: {error}"
                );
            }
        }
    }

    #[test]
    fn a_zstd_window_over_eight_mebibytes_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&vec![7; 1 << 20]).unwrap();
        let body = encoder.finish().unwrap().into();
        Encoding::Zstd.decompress(&body, 2 << 20).unwrap_err();
    }
}
