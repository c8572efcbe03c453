//! What people get wrong about sources that fetch.

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
            "3: `kafka` is no kind of source (write one of: http, file; or leave it out for http)",
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
