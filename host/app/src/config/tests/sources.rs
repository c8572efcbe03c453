//! What people get wrong about sources that fetch.

use siemaphore_sources::{Begin, Cursor, CursorOf, Next};

use super::*;

fn source(lines: &str) -> String {
    format!("[[source]]\nname = 'tail'\n{lines}")
}

#[test]
fn files_are_followed_with_three_lines() {
    let text = source("kind = 'file'\npath = 'logs/*.jsonl'");
    let config = from_text(text, Path::new("/etc/siemaphore")).ok().unwrap();
    let Some(siemaphore_sources::Kind::File(files)) = config.sources[0].fetched() else { panic!() };
    assert_eq!(files.pattern.folder, Path::new("/etc/siemaphore/logs"));
    assert_eq!(files.from, siemaphore_sources::file::From::Beginning);
}

#[test]
fn what_is_missing_or_means_nothing_is_named_with_its_line_and_what_to_write() {
    for (lines, told) in [
        ("kind = 'fil'", "3: `fil` is no kind of source (did you mean \"file\"?)"),
        (
            "kind = 'kafka'",
            "3: `kafka` is no kind of source (write one of: http, file, sse, pull; or leave it out for http)",
        ),
        ("", "1: source `tail` has no token (write `token = \"env:NAME\"`"),
        ("kind = 'file'", "1: source `tail` follows files, and names none (write a path, such as"),
        (
            "kind = 'file'\npath = '/a'\ntoken = 'env:A'",
            "5: `token` is for sources of the kind `http` (take it out",
        ),
        (
            "kind = 'file'\npath = '/a'\nsignature = { scheme = 'hmac', secrets = ['env:A'] }",
            "5: `signature` is for sources of the kind `http` (take it out",
        ),
        (
            "path = '/a'\ntoken = 'env:A'",
            "3: `path` is for sources of the kind `file` (take it out, or write `kind = \"file\"`)",
        ),
        (
            "token = 'env:A'\nunknown_schema_version = 'drop'",
            "4: `drop` is not what can become of an event (write \"accept\" or \"refuse\")",
        ),
        ("kind = 'file'\npath = '/a/*/b'", "4: `/a/*/b` has `*` or `?` in a folder's name"),
        (
            "kind = 'file'\npath = '/a'\nfrom = 'now'",
            "5: `now` is no place to begin (write \"beginning\" or \"end\")",
        ),
    ] {
        let found = problems(&source(lines));
        assert!(found[0].starts_with(told), "{lines}: {found:?}");
    }
}

#[test]
fn a_stream_is_followed_with_a_url_and_a_secret() {
    let text =
        source("kind = 'sse'\nurl = 'https://p.example.com/v1/stream?tenant=acme'\nsecret = 'env:TOKEN'");
    let config = from_text(text, Path::new("/etc/siemaphore")).ok().unwrap();
    let Some(siemaphore_sources::Kind::Sse(stream)) = config.sources[0].fetched() else { panic!() };
    assert_eq!(stream.fetch.url.as_str(), "https://p.example.com/v1/stream?tenant=acme");
    assert!(matches!(stream.fetch.authentication, siemaphore_delivery::Authentication::Bearer { .. }));
    assert_eq!((stream.idle_timeout, stream.event_types.len()), (Duration::from_secs(300), 0));
}

#[test]
fn what_is_wrong_with_a_server_that_is_asked_is_named_with_its_line_and_what_to_write() {
    let asked = "kind = 'sse'\nurl = 'https://p.example.com/'\n";
    for (lines, told) in [
        ("kind = 'sse'".to_owned(), "1: source `tail` asks a server, and names none (write a whole URL"),
        ("kind = 'sse'\nurl = 'p.example.com'".to_owned(), "4: this is not a URL"),
        (
            "kind = 'sse'\nurl = 'http://p.example.com'".to_owned(),
            "4: the URL of p.example.com is not encrypted",
        ),
        ("kind = 'sse'\nurl = 'https://10.0.0.1/'".to_owned(), "4: the address 10.0.0.1 is private (if the"),
        (format!("{asked}secret = 's3cr3t'"), "5: not a secret reference"),
        (format!("{asked}token = 'env:A'"), "5: `token` is for sources of the kind `http` (take it out"),
        (format!("{asked}path = '/a'"), "5: `path` is for sources of the kind `file`"),
        ("token = 'env:A'\nurl = 'https://p'".to_owned(), "4: `url` is for sources of the kind `sse`"),
        (format!("{asked}events = []"), "5: no type: this source would take nothing"),
        (
            format!("{asked}idle_timeout = '10ms'"),
            "5: 10ms is not possible here (write a time from 1s to 1day)",
        ),
        (
            format!("{asked}authentication = {{ scheme = 'baerer' }}"),
            "5: there is no authentication scheme `baerer`",
        ),
        (
            format!("{asked}authentication = {{ scheme = 'basic' }}"),
            "5: authentication of source `tail` needs a secret",
        ),
        (
            format!("{asked}secret = 'env:A'\nauthentication = {{ scheme = 'basic' }}"),
            "6: this authentication scheme needs `username` (write `username = \"…\"` under authentication)",
        ),
        (
            format!("{asked}secret = 'env:A'\nauthentication = {{ scheme = 'header', header = 'a b' }}"),
            "6: `a b` cannot be a header",
        ),
        (
            format!("{asked}secret = 'env:A'\nauthentication = {{ secret = 'env:B' }}"),
            "5: the secret is given twice",
        ),
        (
            format!("{asked}secret = 'env:A'\nauthentication = {{ scheme = 'none' }}"),
            "6: source `tail` has a secret and uses none",
        ),
    ] {
        let found = problems(&source(&lines));
        assert!(found.first().is_some_and(|first| first.starts_with(told)), "{lines}: {found:?}");
        assert!(!found[0].contains("s3cr3t"), "{found:?}");
    }
}

#[test]
fn an_export_is_asked_for_with_a_url_and_what_the_producer_offers_beside_it() {
    let text = source("kind = 'pull'\nurl = 'https://p.example.com/v1/export'");
    let config = from_text(text, Path::new("/etc/siemaphore")).ok().unwrap();
    let Some(siemaphore_sources::Kind::Pull(export)) = config.sources[0].fetched() else { panic!() };
    assert_eq!((export.every, export.items.as_str()), (Duration::from_secs(300), ""));
    assert_eq!((&export.cursor, &export.pages, &export.from), (&None, &None, &None));
    assert_eq!(export.fetch.client.answer_bytes, 16 * 1024 * 1024);
    let text = source(
        "kind = 'pull'\nurl = 'https://p.example.com/v1/export'\nevery = '1m'\nitems = '/data'\nfrom = 'now'\n\
         body_limit = '1 MiB'\ncursor = { parameter = 'since', item = '/at', overlap = '5m' }\n\
         pages = { next = '/next', parameter = 'token' }",
    );
    let config = from_text(text, Path::new("/etc/siemaphore")).ok().unwrap();
    let Some(siemaphore_sources::Kind::Pull(export)) = config.sources[0].fetched() else { panic!() };
    let of = CursorOf::Item { pointer: "/at".to_owned(), overlap: Duration::from_secs(300) };
    assert_eq!(export.cursor, Some(Cursor { parameter: "since".to_owned(), of }));
    let next = Next::Token { pointer: "/next".to_owned(), parameter: "token".to_owned() };
    assert_eq!((&export.pages, &export.from), (&Some(next), &Some(Begin::Now)));
    assert_eq!(export.fetch.client.answer_bytes, 1024 * 1024);
}

#[test]
fn what_is_wrong_with_an_export_is_named_with_its_line_and_what_to_write() {
    for (lines, told) in [
        ("every = '1s'", "5: 1s is not possible here (write a time from 10s to 7days)"),
        ("items = 'data'", "5: `data` is no place in an answer (write a JSON Pointer"),
        ("body_limit = '1 GiB'", "5: 1.0 GiB is not possible for an answer (write a size from \"64 KiB\""),
        ("from = 'now'", "5: `from` is the first value of a cursor, and there is none"),
        ("cursor = { parameter = 'a' }", "5: a cursor is taken from one place (write `item ="),
        ("cursor = { parameter = 'a', item = '/a', answer = '/b' }", "5: a cursor is taken from one place"),
        ("cursor = { parameter = '', item = '/a' }", "5: the parameter has no name"),
        ("cursor = { item = '/a' }", "5: missing field `parameter`"),
        (
            "items = '/a'\ncursor = { parameter = 'a', answer = '/b', overlap = '1m' }",
            "6: only a cursor that is taken from the events can overlap",
        ),
        ("cursor = { parameter = 'a', answer = '/b' }", "1: where the events are in the answer is not said"),
        ("pages = { next = '/b' }", "1: where the events are in the answer is not said (write `items`"),
        ("pages = { next = 'Link' }", "5: `Link` is no place in an answer"),
        ("pages = { next = 'link', parameter = 'a' }", "5: the header `Link` needs no parameter"),
        (
            "items = '/a'\ncursor = { parameter = 'a', answer = '/b' }\npages = { next = 'link' }",
            "7: a cursor of the answer leads from page to page by itself",
        ),
        ("idle_timeout = '1m'", "5: `idle_timeout` is for sources of the kind `sse`"),
    ] {
        let found = problems(&source(&format!("kind = 'pull'\nurl = 'https://p.example.com/'\n{lines}")));
        assert!(found.first().is_some_and(|first| first.starts_with(told)), "{lines}: {found:?}");
    }
}
