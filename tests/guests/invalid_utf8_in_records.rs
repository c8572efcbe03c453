//! Its second record is not UTF-8, though the profile says that it is JSON. The host frames it as it is: what a record
//! has to be is known to the formatter and its SIEM only.

use super::{lying, records};

pub(crate) fn component() -> Vec<u8> {
    lying(&records(b"1\xff\xfe3", &[1, 3, 4])).component()
}
