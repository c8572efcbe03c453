//! Its profile allows no record in a request, so nothing could ever be sent.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    Guest::honest().extra("(data (i32.const 2136) \"\\00\\00\\00\\00\")").component()
}
