//! Asks for a request to a path that leaves the operator's endpoint.

use super::asking_for_path;

pub(crate) const PATH: &str = "/../admin/users";

pub(crate) fn component() -> Vec<u8> {
    asking_for_path(PATH).component()
}
