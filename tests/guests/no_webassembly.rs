//! A script with the name of a plugin, and an escape sequence for whoever prints how it begins.

pub(crate) fn component() -> Vec<u8> {
    b"#!/bin/sh\x1b[31m echo".to_vec()
}
