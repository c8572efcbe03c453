//! Asks to set the header that the destination's credential goes into.

use super::asking_for_header;

pub(crate) const HEADER: &str = "Authorization";

pub(crate) fn component() -> Vec<u8> {
    asking_for_header(HEADER).component()
}
