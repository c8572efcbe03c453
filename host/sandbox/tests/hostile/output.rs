//! Guests that return too much, or what they do not have, or what the contract forbids.

use super::scene::{OUTPUT_LIMIT, broken_promise, fault, format};

pub(crate) fn sixteen_gigabytes_claimed(component: Vec<u8>) {
    assert!(broken_promise(&component, 10).contains("out of bounds"));
}

pub(crate) fn data_over_the_cap(component: Vec<u8>) {
    assert_eq!(fault(&component, 10).kind, OUTPUT_LIMIT);
}

pub(crate) fn ends_over_the_cap(component: Vec<u8>) {
    assert_eq!(fault(&component, 10).kind, OUTPUT_LIMIT);
}

pub(crate) fn rejections_over_the_cap(component: Vec<u8>) {
    assert_eq!(fault(&component, 10).kind, OUTPUT_LIMIT);
}

pub(crate) fn data_outside_its_memory(component: Vec<u8>) {
    assert!(broken_promise(&component, 0).contains("out of bounds"));
}

pub(crate) fn ends_that_decrease(component: Vec<u8>) {
    assert_eq!(broken_promise(&component, 3), "record 1 ends at 1, before it begins at 2");
}

pub(crate) fn ends_past_the_data(component: Vec<u8>) {
    assert_eq!(broken_promise(&component, 3), "the records end at 4000 of 3 bytes");
}

pub(crate) fn ends_of_another_count(component: Vec<u8>) {
    assert_eq!(broken_promise(&component, 3), "2 ends for 3 events");
}

pub(crate) fn empty_records(component: Vec<u8>) {
    assert_eq!(broken_promise(&component, 3), "event 1 has neither a record nor a rejection");
}

/// The host passes on what it cannot read: only the laws, and the SIEM, know what a record has to be.
pub(crate) fn invalid_utf8_in_records(component: Vec<u8>) {
    let formatted = format(&component, 3).unwrap();
    assert_eq!(formatted.records.iter().collect::<Vec<_>>(), [&b"1"[..], b"\xff\xfe", b"3"]);
}

pub(crate) fn raw_newlines_in_records(component: Vec<u8>) {
    assert_eq!(broken_promise(&component, 3), "a record holds a newline, and newlines separate the records");
}
