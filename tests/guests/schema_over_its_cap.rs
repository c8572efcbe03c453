//! Describes settings with a schema of 100 KiB.

use super::Guest;

pub(crate) fn component() -> Vec<u8> {
    // 1064: address and length of the schema. The address is that of zeros.
    Guest::honest().extra("(data (i32.const 1064) \"\\00\\00\\01\\00\\00\\90\\01\\00\")").component()
}
