use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;

const CANARY: &str = "Canary/7f3a+\"b&c\"-4e1d=90ab";

fn cleaned(secrets: &[&str], text: &str) -> String {
    let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(secret)).collect();
    String::from_utf8(Cleaner::new(&secrets).cleaned(text.as_bytes()).into_owned()).expect("text")
}

#[test]
fn a_secret_is_replaced_wherever_it_stands() {
    assert_eq!(cleaned(&["hunter2-x"], "hunter2-x"), "[secret]");
    assert_eq!(cleaned(&["hunter2-x"], "a hunter2-x b hunter2-xhunter2-x."), "a [secret] b [secret].");
    assert_eq!(cleaned(&["hunter2-x"], "nothing here"), "nothing here");
    assert_eq!(cleaned(&[], "nothing to find"), "nothing to find");
    assert_eq!(cleaned(&["hunter2-x", "other-secret"], "hunter2-x other-secret"), "[secret] [secret]");
}

#[test]
fn every_encoded_form_of_a_secret_is_replaced() {
    let percent_lower = utf8_percent_encode(CANARY, NON_ALPHANUMERIC).to_string().to_lowercase();
    for form in [
        STANDARD.encode(CANARY),
        STANDARD_NO_PAD.encode(CANARY),
        URL_SAFE.encode(CANARY),
        URL_SAFE_NO_PAD.encode(CANARY),
        percent_lower,
        url::form_urlencoded::byte_serialize(CANARY.as_bytes()).collect(),
        "Canary\\/7f3a+\\\"b&c\\\"-4e1d=90ab".to_owned(),
        "Canary/7f3a+&quot;b&amp;c&quot;-4e1d=90ab".to_owned(),
        CANARY.bytes().map(|byte| format!("{byte:02X}")).collect(),
        CANARY.to_uppercase(),
    ] {
        assert_eq!(cleaned(&[CANARY], &format!("<{form}>")), "<[secret]>", "{form}");
    }
}

/// Ways to write one character.
const SPELLINGS: [fn(char) -> String; 12] = [
    |c| format!("\\u{:04X}", u32::from(c)),
    |c| format!("\\u{:04x}", u32::from(c)),
    |c| format!("\\u{{{:x}}}", u32::from(c)),
    |c| format!("\\x{:02x}", u32::from(c)),
    |c| format!("%{:02X}", u32::from(c)),
    |c| format!("%{:02x}", u32::from(c)),
    |c| format!("%25{:02x}", u32::from(c)),
    |c| format!("&#{};", u32::from(c)),
    |c| format!("&#x{:X};", u32::from(c)),
    |c| format!("&amp;#{};", u32::from(c)),
    |c| format!("\\\\u{:04X}", u32::from(c)),
    |c| format!("\0{c}"),
];

#[test]
fn a_secret_with_any_of_its_characters_escaped_is_removed_or_withholds_the_text() {
    for spelling in SPELLINGS {
        let one_kind = CANARY.replace('+', &spelling('+'));
        let all: String = CANARY.chars().map(spelling).collect();
        let some: String =
            CANARY.chars().map(|c| if c.is_alphanumeric() { c.to_string() } else { spelling(c) }).collect();
        for written in [one_kind, all, some] {
            let cleaned = cleaned(&[CANARY], &format!("<{written}>"));
            assert!(matches!(cleaned.as_str(), "[secret]" | "<[secret]>"), "{written}: {cleaned}");
        }
    }
}

#[test]
fn an_escape_late_in_a_long_secret_does_not_save_its_end() {
    let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.".to_owned() + &"q7W+".repeat(50);
    assert_eq!(cleaned(&[&token], &token.replacen('+', "\\u002B", 1)), "[secret]");
    let late = format!("{}\\u002B", &token[..token.len() - 1]);
    assert_eq!(cleaned(&[&token], &late), "[secret]");
}

#[test]
fn an_encoded_form_with_escapes_withholds_the_text() {
    let encoded = STANDARD.encode(format!("elastic:{CANARY}~~~???>>>"));
    assert!(encoded.contains('/') || encoded.contains('+'), "{encoded} has something to escape");
    for escaped in [encoded.replace('/', "\\/").replace('+', "\\u002B"), encoded.replace('+', "%2b")] {
        let cleaned = cleaned(&[&format!("elastic:{CANARY}~~~???>>>")], &escaped);
        assert_eq!(cleaned, "[secret]", "{escaped}");
    }
}

#[test]
fn a_space_that_became_a_plus_is_found_beside_what_was_not_encoded() {
    assert_eq!(cleaned(&["two words/and more"], "secret=two+words/and+more"), "secret=[secret]");
    assert_eq!(cleaned(&["two words/and+more"], "secret=two+words/and%2Bmore"), "[secret]");
}

#[test]
fn a_secret_that_looks_escaped_itself_is_found_in_every_spelling() {
    let secret = "key%2Band\\more&amp;still";
    assert_eq!(cleaned(&[secret], &format!("<{secret}>")), "<[secret]>");
    for spelling in SPELLINGS {
        let all: String = secret.chars().map(spelling).collect();
        assert_eq!(cleaned(&[secret], &all), "[secret]", "{all}");
    }
    assert_eq!(cleaned(&[secret], "key%2Band\\\\more\\u0026amp;still"), "[secret]");
    assert_eq!(cleaned(&["%41%42%43"], "ABC is no secret"), "ABC is no secret");
}

#[test]
fn escapes_beside_a_secret_or_without_one_leave_the_rest_of_the_text() {
    let body = "{\"error\":\"bad key \\u0027hunter2-x\\u0027\\n100%25 \\\"sure\\\" &amp; done\"}";
    assert_eq!(cleaned(&["hunter2-x"], body), body.replace("hunter2-x", "[secret]"));
    assert_eq!(cleaned(&["other-secret"], body), body);
}

#[test]
fn a_secret_inside_a_longer_base64_text_is_replaced_in_every_alignment() {
    for before in ["", "a", "ab", "abc", "Authorization: Splunk "] {
        for after in ["", "x", "xy", "\r\nAccept: */*"] {
            let encoded = STANDARD.encode(format!("{before}{CANARY}{after}"));
            let cleaned = cleaned(&[CANARY], &encoded);
            assert!(cleaned.contains("[secret]"), "{before:?} {after:?}: {cleaned}");
            // What is left decodes to nothing of the secret but bits of its first and last byte.
            for piece in ["Canary", "7f3a", "4e1d", "90ab"] {
                let inner = STANDARD_NO_PAD.encode(piece);
                assert!(!cleaned.contains(&inner[..inner.len() - 2]), "{before:?} {after:?}: {cleaned}");
            }
        }
    }
}

#[test]
fn a_long_secret_is_replaced_to_its_end_and_as_far_as_it_goes() {
    let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.".to_owned() + &"q7W".repeat(500);
    assert_eq!(cleaned(&[&token], &format!("Bearer {token}!")), "Bearer [secret]!");
    assert_eq!(cleaned(&[&token], &format!("Bearer {}...", &token[..100])), "Bearer [secret]...");
}

#[test]
fn a_short_secret_withholds_the_text_that_holds_it() {
    assert_eq!(cleaned(&["a"], "banana"), "[secret]");
    assert_eq!(cleaned(&["12345"], "invalid password 12345"), "[secret]");
    assert_eq!(cleaned(&["12345"], "invalid password"), "invalid password");
}

#[test]
fn overlapping_secrets_leave_nothing_of_either() {
    assert_eq!(cleaned(&["abcdefgh", "efghijkl"], "<abcdefghijkl>"), "<[secret]>");
    assert_eq!(cleaned(&["abcdefghijklmnop", "efghijkl"], "<abcdefghijklmnop>"), "<[secret]>");
}

#[test]
fn headers_and_body_of_an_answer_are_cleaned() {
    let mut headers = HeaderMap::new();
    headers.insert("x-echo", HeaderValue::from_static("DD-API-KEY: hunter2-hunter2"));
    headers.insert(HeaderName::from_static("x-hunter2-hunter2"), HeaderValue::from_static("1"));
    headers.insert("x-other", HeaderValue::from_static("kept"));
    let raw = siemaphore_http::Answer {
        status: 403,
        headers,
        body: Bytes::from_static(b"no: hunter2-hunter2"),
        truncated: false,
    };
    let answer = Arc::new(Cleaner::new(&[Secret::new("hunter2-hunter2")])).answer(raw);
    assert_eq!(answer.body, "no: [secret]");
    assert_eq!(answer.header("x-echo"), Some("DD-API-KEY: [secret]"));
    assert_eq!(answer.header("x-other"), Some("kept"));
    assert_eq!(answer.headers.len(), 2);
}

#[test]
fn a_secret_that_the_limit_cut_in_two_is_gone_too() {
    let secret = "0123456789abcdefghijklmnopqrstuvwxyz";
    for kept in 1..secret.len() {
        let body = format!("{}{}", "x".repeat(500), &secret[..kept]);
        let raw = siemaphore_http::Answer {
            status: 200,
            headers: HeaderMap::new(),
            body: Bytes::from(body),
            truncated: true,
        };
        let answer = Arc::new(Cleaner::new(&[Secret::new(secret)])).answer(raw);
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!body.contains("01") && answer.truncated, "{kept}: {body}");
    }
}

#[test]
fn an_escaped_secret_that_the_limit_cut_in_two_is_gone_too() {
    let secret = "0123456789abcdefghijklmnopqrstuvwxyz";
    for kept in 1..secret.len() {
        let escaped: String = secret[..kept].bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        let raw = siemaphore_http::Answer {
            status: 200,
            headers: HeaderMap::new(),
            body: Bytes::from("x".repeat(500) + &escaped),
            truncated: true,
        };
        let answer = Arc::new(Cleaner::new(&[Secret::new(secret)])).answer(raw);
        assert!(!answer.body.contains(&b'u'), "{kept}: {:?}", answer.body);
    }
}

#[test]
fn nothing_of_a_secret_is_in_what_is_printed_of_an_answer() {
    let answer = tests_support::answer_to(&[Secret::new("hunter2-x")], 200, &[], "");
    assert!(!format!("{answer:?}").contains("hunter2"));
}

#[test]
fn a_cleaner_is_made_anew_when_the_secrets_change() {
    let last = LastCleaner::default();
    let secrets = |values: &[&str]| values.iter().map(|value| Secret::new(value)).collect::<Vec<_>>();
    let first = last.cleaner(&secrets(&["one-secret", "two-secret"]));
    assert!(Arc::ptr_eq(&first, &last.cleaner(&secrets(&["one-secret", "two-secret"]))));
    for others in
        [&["one-secret"][..], &["one-secret", "new-secret"], &["one-secret", "two-secret", "x"], &[]]
    {
        let cleaner = last.cleaner(&secrets(others));
        let text = "one-secret two-secret new-secret";
        assert_eq!(
            cleaner.cleaned(text.as_bytes()),
            Cleaner::new(&secrets(others)).cleaned(text.as_bytes()),
            "{others:?}"
        );
    }
}

/// A request body in base64 holds the secret as the body had it: encoded for a form, or escaped for JSON.
#[test]
fn a_spelling_of_a_secret_is_found_in_base64_and_in_hexadecimal() {
    let form: String = url::form_urlencoded::byte_serialize(CANARY.as_bytes()).collect();
    let json = serde_json::to_string(CANARY).expect("text");
    for spelling in [form.as_str(), json.trim_matches('"')] {
        for before in ["", "a", "ab"] {
            let body = format!("{before}client_secret={spelling}&scope=all");
            let text = cleaned(&[CANARY], &format!("<{}>", STANDARD.encode(&body)));
            let inner = STANDARD.encode(spelling);
            assert!(text.contains("[secret]") && !text.contains(&inner[4..20]), "{spelling}: {text}");
        }
        let hexadecimal: String = spelling.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(cleaned(&[CANARY], &format!("<{hexadecimal}>")), "<[secret]>");
    }
}

#[test]
fn a_secret_that_is_broken_into_lines_or_groups_withholds_the_text() {
    let encoded = STANDARD.encode(CANARY);
    let lines = format!("{}\r\n{}", &encoded[..20], &encoded[20..]);
    let groups: String = CANARY.bytes().map(|byte| format!("{byte:02x} ")).collect();
    for text in [lines, groups, format!("{}\n\t{}", &CANARY[..9], &CANARY[9..])] {
        assert_eq!(cleaned(&[CANARY], &format!("{{ {text} }}")), "[secret]", "{text}");
    }
    // The head of a long secret is enough to be replaced, and must not save what is on the next line.
    let long = "0123456789-abcdefghijklmnopqrstuvwxyz-0123456789";
    assert_eq!(cleaned(&[long], &format!("{}\n{}", &long[..30], &long[30..])), "[secret]");
    assert_eq!(cleaned(&[CANARY], "a b\nc d"), "a b\nc d");
    assert_eq!(cleaned(&["open sesame"], "say open sesame here"), "say [secret] here");
}
