//! For the fuzz targets: blocks that nobody sealed.

use siemaphore_model::EventBuffer;

use crate::block::{self, Seal};

/// Opens a block whose row says this of it, and whose checksum is right: what damage comes to that checksums miss.
pub fn open_block(first: u64, count: u64, raw_bytes: u64, data: &[u8]) -> Result<EventBuffer, String> {
    let checksum = block::checksum(first, count, raw_bytes, data);
    block::open(Seal { first, count, raw_bytes, checksum }, data)
}
