//! Asks for a request whose path reads as another host's address.

use super::asking_for_path;

pub(crate) const PATH: &str = "//collector.example.net/events";

pub(crate) fn component() -> Vec<u8> {
    asking_for_path(PATH).component()
}
