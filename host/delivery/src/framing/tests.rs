use std::io::Read;

use flate2::read::GzDecoder;
use siemaphore_model::formatter::{Limits, RequestProfile};
use url::Url;

use super::*;
use crate::Authentication;
use crate::grant::tests_support::profile;

fn granted(framing: Framing, limits: (u32, u32, u32), compression: Vec<Compression>) -> GrantedProfile {
    let (records, body_bytes, record_bytes) = limits;
    let limits = Limits { records, body_bytes, record_bytes };
    let profile = RequestProfile { framing, limits, compression, ..profile() };
    let endpoint = Url::parse("https://s").expect("a URL");
    GrantedProfile::check(&profile, &Authentication::None, &endpoint).expect("granted")
}

fn bodies(framing: Framing, limits: (u32, u32, u32), records: &[&str]) -> Vec<String> {
    let records: Vec<&[u8]> = records.iter().map(|record| record.as_bytes()).collect();
    let frames = frame(&granted(framing, limits, Vec::new()), &records);
    let text = |framed: &Framed| String::from_utf8(framed.body.bytes.to_vec()).expect("text");
    frames.bodies.iter().map(text).collect()
}

#[test]
fn each_framing_joins_records_in_its_own_way() {
    let records = ["1", "22", "333"];
    let plenty = (100, 100, 100);
    assert_eq!(bodies(Framing::JsonArray, plenty, &records), ["[1,22,333]"]);
    assert_eq!(bodies(Framing::Newline, plenty, &records), ["1\n22\n333\n"]);
    assert_eq!(bodies(Framing::Concatenated, plenty, &records), ["122333"]);
    assert_eq!(bodies(Framing::OnePerRequest, plenty, &records), ["1", "22", "333"]);
    let enclosed =
        Framing::Enclosed { prefix: b"{\"r\":[".into(), separator: b", ".into(), suffix: b"]}".into() };
    assert_eq!(bodies(enclosed, plenty, &records), ["{\"r\":[1, 22, 333]}"]);
    assert!(bodies(Framing::JsonArray, plenty, &[]).is_empty());
}

#[test]
fn a_body_is_filled_to_the_last_byte_of_its_limit_and_no_further() {
    assert_eq!(bodies(Framing::JsonArray, (9, 8, 9), &["11", "22", "33"]), ["[11,22]", "[33]"]);
    assert_eq!(bodies(Framing::JsonArray, (9, 7, 9), &["11", "22", "33"]), ["[11,22]", "[33]"]);
    assert_eq!(bodies(Framing::JsonArray, (9, 6, 9), &["11", "22", "33"]), ["[11]", "[22]", "[33]"]);
    assert_eq!(bodies(Framing::Newline, (9, 6, 9), &["11", "22", "33"]), ["11\n22\n", "33\n"]);
    assert_eq!(bodies(Framing::Concatenated, (9, 4, 9), &["11", "22", "33"]), ["1122", "33"]);
}

#[test]
fn a_body_holds_no_more_records_than_its_limit() {
    assert_eq!(bodies(Framing::JsonArray, (2, 99, 9), &["1", "2", "3", "4", "5"]), ["[1,2]", "[3,4]", "[5]"]);
}

#[test]
fn a_record_that_no_body_can_hold_is_reported_and_ends_the_body_before_it() {
    for (limits, limit) in [((9, 99, 3), 3), ((9, 5, 99), 3)] {
        let profile = granted(Framing::JsonArray, limits, Vec::new());
        let frames = frame(&profile, &[b"1", b"4444", b"3", b"55555"]);
        let runs: Vec<(usize, usize)> =
            frames.bodies.iter().map(|framed| (framed.first, framed.count)).collect();
        assert_eq!(runs, [(0, 1), (2, 1)]);
        let too_large = |index, bytes| TooLarge { index, bytes, limit };
        assert_eq!(frames.too_large, [too_large(1, 4), too_large(3, 5)]);
    }
}

#[test]
fn every_record_is_in_exactly_one_body_or_too_large_and_no_limit_is_exceeded() {
    // A fixed pseudo-random walk through sizes and limits.
    let mut seed: u64 = 7;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..500 {
        let limits = (1 + next(6) as u32, 4 + next(40) as u32, 1 + next(30) as u32);
        let records: Vec<Vec<u8>> = (0..next(20)).map(|_| vec![b'7'; 1 + next(30) as usize]).collect();
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        let frames = frame(&granted(Framing::JsonArray, limits, Vec::new()), &records);
        let mut seen: Vec<usize> = frames.too_large.iter().map(|record| record.index).collect();
        for Framed { first, count, body } in &frames.bodies {
            assert!(*count <= limits.0 as usize && body.bytes.len() <= limits.1 as usize, "{limits:?}");
            assert_eq!(body.bytes.len(), body.uncompressed_bytes);
            assert!(records[*first..first + count].iter().all(|record| record.len() <= limits.2 as usize));
            seen.extend(*first..first + count);
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..records.len()).collect::<Vec<_>>(), "{limits:?}");
    }
}

#[test]
fn bodies_are_compressed_when_granted_and_worth_it() {
    let record = br#"{"event":"dlp.pii_blocked"}"#.as_slice();
    let records = vec![record; 200];
    let profile = granted(Framing::Newline, (1000, 1_000_000, 1000), vec![Compression::Gzip]);
    let frames = frame(&profile, &records);
    let body = &frames.bodies[0].body;
    assert_eq!((body.encoding, body.uncompressed_bytes), (Some(Compression::Gzip), 200 * (record.len() + 1)));
    assert!(body.bytes.len() * 5 < body.uncompressed_bytes);
    let mut plain = Vec::new();
    GzDecoder::new(body.bytes.as_ref()).read_to_end(&mut plain).expect("it is gzip");
    assert_eq!(plain.len(), body.uncompressed_bytes);
    assert_eq!(plain, [record, b"\n"].concat().repeat(200));

    let small = frame(&profile, &records[..2]);
    assert_eq!(small.bodies[0].body.encoding, None);
    let plain = frame(&granted(Framing::Newline, (1000, 1_000_000, 1000), Vec::new()), &records);
    assert_eq!(plain.bodies[0].body.encoding, None);
}

#[test]
fn limits_count_bytes_before_compression() {
    let record = vec![b'a'; 1500];
    let profile = granted(Framing::Newline, (1000, 4000, 2000), vec![Compression::Gzip]);
    let frames = frame(&profile, &[record.as_slice(); 4]);
    assert_eq!(frames.bodies.len(), 2);
    assert!(frames.bodies.iter().all(|framed| framed.body.bytes.len() < 200));
}
