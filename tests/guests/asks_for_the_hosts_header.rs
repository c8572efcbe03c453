//! Asks to set a header that only the host may set, to have its requests taken for those to another host.

use super::asking_for_header;

pub(crate) const HEADER: &str = "Host";

pub(crate) fn component() -> Vec<u8> {
    asking_for_header(HEADER).component()
}
