//! nginx in front of a SIEM, which refuses client certificates in its own way: it lets the handshake succeed and answers
//! 400. Taken for the SIEM's word, that would be a refusal of the events.

use crate::attempt_error::AttemptError;
use crate::clean::Answer;

/// How its pages begin; an event that is quoted in an answer stands further back.
const HEAD_BYTES: usize = 128;

/// Titles of its pages, and what to do.
const PAGES: [(&str, &str); 2] = [
    (
        "<title>400 No required SSL certificate was sent</title>",
        "give the destination a `client_certificate` and its `client_key`",
    ),
    (
        "<title>400 The SSL certificate error</title>",
        "check with the server's operator that it trusts the client certificate's authority, and that it has not expired or been revoked; a replaced one is read again without a restart",
    ),
];

/// The refusal of a certificate, if the answer is one.
pub(crate) fn refused_certificate(answer: &Answer) -> Option<AttemptError> {
    if answer.status != 400 || !answer.body.starts_with(b"<html>") {
        return None;
    }
    let head = String::from_utf8_lossy(answer.body.get(..HEAD_BYTES).unwrap_or(&answer.body));
    let (title, hint) = PAGES.iter().find(|(title, _)| head.contains(title))?;
    let words = title.trim_start_matches("<title>400 ").trim_end_matches("</title>");
    Some(AttemptError::tls(format!("the server refuses the connection: {words}"), hint))
}
