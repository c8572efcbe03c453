//! What an operator can do about a status, where the formatter has nothing better to say.

use crate::standard::{Standing, standard};

const HINTS: [(u16, &str); 15] = [
    (
        400,
        "the SIEM could not read the request: check the formatter's settings; batches are halved to find the event",
    ),
    (401, "check the secret and how it is sent: scheme, header and prefix"),
    (403, "check that the secret is valid for this endpoint and has the right to write"),
    (404, "check the endpoint and the formatter's settings: the path does not exist there"),
    (405, "check the endpoint: this path does not take such requests"),
    (406, "check the endpoint: it cannot answer such requests"),
    (407, "a proxy on the way wants a login: let siemaphore reach the endpoint directly"),
    (408, "the SIEM waited too long for the request; it is sent again"),
    (410, "the endpoint was removed: ask the SIEM's operator for the new one"),
    (
        413,
        "the batch is larger than the SIEM takes: it is sent in halves; lower the batch limits if this is frequent",
    ),
    (415, "check the endpoint: it does not take this content type or compression"),
    (422, "the SIEM read the request and refused its content: check the formatter's settings"),
    (429, "the SIEM limits the rate; it is tried again later. Raise its quota or send less"),
    (503, "the SIEM is overloaded or down; it is tried again"),
    (504, "something before the SIEM did not get an answer from it; it is tried again"),
];

pub(crate) const WEB_PAGE: &str =
    "something else answers at this endpoint, such as a proxy's login page: correct the endpoint";

pub(crate) fn for_status(status: u16) -> &'static str {
    if let Some((_, hint)) = HINTS.iter().find(|(known, _)| *known == status) {
        return hint;
    }
    match (standard(status), status) {
        (Standing::Delivered, _) => "",
        (Standing::Hold, 300..=399) => {
            "the endpoint redirects elsewhere, and credentials are not sent along: use the final URL as the endpoint"
        }
        (Standing::Hold, _) => "check the endpoint and the credentials",
        (Standing::Split, _) => "the batch is sent in halves",
        (Standing::Retry, _) => "it is tried again; look at the SIEM's own health if it stays",
        (Standing::Rejected, _) => "the SIEM refused the content: check the formatter's settings",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_hint() {
        for status in (300..600).chain([0, 100, 999]) {
            assert!(!for_status(status).is_empty(), "{status}");
        }
    }
}
