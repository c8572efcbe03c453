//! Whether no request of a version is taken where another version's were. Pure: digests in, a finding out.
//!
//! Some statuses say that no request like this one is taken: its path, its content type, a body that nobody can read. That
//! is the SIEM's configuration, or the formatter's doing; where another version's requests went through until then, it is
//! the formatter's. A wrong credential, a full quota, a 5xx and a timeout say nothing of it: they come to any version, and
//! an outage in the hour of a replacement must not send a good version back.

/// So many in a row are enough, the same events or others: a destination that is held sends one at a time, after a pause.
const HELD_IN_A_ROW: u32 = 3;

/// How a destination has received the requests of versions, which are known by their digests.
#[derive(Debug, Default)]
pub(crate) struct Reception {
    /// With this version events have last gone through, and no request of it was held since.
    worked: Option<String>,
    /// The version of the requests that were held since.
    held: String,
    in_a_row: u32,
}

/// Whether a request that is held for this status is to blame, going by the status.
pub(crate) fn blames_the_request(status: u16) -> bool {
    matches!(status, 400 | 404 | 405 | 406 | 410 | 411 | 413 | 414 | 415 | 417 | 422 | 431)
}

impl Reception {
    pub(crate) fn gone_through(&mut self, digest: &str) {
        self.in_a_row = 0;
        if self.worked.as_deref() != Some(digest) {
            self.worked = Some(digest.to_owned());
        }
    }

    /// A request was held that is itself to blame. True when no request of its version is taken, and another version's were.
    pub(crate) fn held(&mut self, digest: &str) -> bool {
        if self.worked.as_deref().is_none_or(|worked| worked == digest) {
            // The SIEM has changed, or has never taken anything.
            self.worked = None;
            return false;
        }
        if self.held != digest {
            digest.clone_into(&mut self.held);
            self.in_a_row = 0;
        }
        self.in_a_row += 1;
        self.in_a_row >= HELD_IN_A_ROW
    }

    /// A request failed for another reason.
    pub(crate) fn interrupted(&mut self) {
        self.in_a_row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_a_row_of_a_version_that_took_over_from_one_that_worked() {
        let mut reception = Reception::default();
        reception.gone_through("old");
        assert_eq!([0; 3].map(|_| reception.held("new")), [false, false, true]);
        assert_eq!([0; 3].map(|_| reception.held("newer")), [false, false, true]);
    }

    #[test]
    fn what_is_held_with_the_version_that_worked_is_the_siems_doing() {
        let mut reception = Reception::default();
        assert_eq!([0; 9].map(|_| reception.held("first")), [false; 9], "nothing has ever gone through");
        reception.gone_through("old");
        assert!(!reception.held("old"));
        assert_eq!([0; 9].map(|_| reception.held("new")), [false; 9], "the old one was held as well");
        reception.gone_through("new");
        assert_eq!([0; 9].map(|_| reception.held("new")), [false; 9], "it has worked");
    }

    #[test]
    fn other_failures_begin_the_count_anew() {
        let mut reception = Reception::default();
        reception.gone_through("old");
        assert!(!reception.held("new") && !reception.held("new"));
        reception.interrupted();
        assert!(!reception.held("new") && !reception.held("new"));
        assert!(reception.held("new"));
    }

    #[test]
    fn credentials_quotas_redirects_and_outages_do_not_blame_the_request() {
        for status in [200, 307, 401, 402, 403, 407, 408, 429, 451, 500, 502, 503, 504] {
            assert!(!blames_the_request(status), "{status}");
        }
        assert!([400, 404, 405, 413, 415, 422].into_iter().all(blames_the_request));
    }
}
