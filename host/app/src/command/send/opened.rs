//! The file as text: plain, gzip or zstd, told by its first bytes.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

pub(crate) fn decompressed(source: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut source = BufReader::new(source);
    let beginning = source.fill_buf()?;
    Ok(if beginning.starts_with(GZIP) {
        Box::new(BufReader::new(MultiGzDecoder::new(source)))
    } else if beginning.starts_with(ZSTD) {
        Box::new(BufReader::new(zstd::Decoder::with_buffer(source)?))
    } else {
        Box::new(source)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(file: Vec<u8>) -> String {
        let mut text = String::new();
        decompressed(io::Cursor::new(file)).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_file_is_read_as_what_its_first_bytes_say() {
        let text = "{\"a\":1}\n".repeat(1000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(read(text.clone().into_bytes()), text);
        assert_eq!(read(gzip.repeat(2)), text.repeat(2));
        assert_eq!(read(zstd::encode_all(text.as_bytes(), 1).unwrap()), text);
        assert_eq!(read(Vec::new()), "");
    }
}
