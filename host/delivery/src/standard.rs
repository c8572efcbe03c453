//! What a status means when nobody knows better.

/// How an answer is judged by its status alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Delivered,
    Retry,
    Split,
    Hold,
    Rejected,
}

/// The table of the contract (`verdict.standard`). What is no status of a finished answer is tried again.
pub fn standard(status: u16) -> Standing {
    match status {
        200..=299 => Standing::Delivered,
        408 | 429 | 500..=599 => Standing::Retry,
        413 => Standing::Split,
        300..=399 | 401 | 403 | 404 | 405 | 406 | 407 | 410 | 415 => Standing::Hold,
        400..=499 => Standing::Rejected,
        _ => Standing::Retry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_that_of_the_contract() {
        for (statuses, standing) in [
            (&[200, 201, 202, 204, 299][..], Standing::Delivered),
            (&[408, 429, 500, 501, 502, 503, 504, 599], Standing::Retry),
            (&[413], Standing::Split),
            (&[300, 301, 302, 304, 307, 308, 399, 401, 403, 404, 405, 406, 407, 410, 415], Standing::Hold),
            (&[400, 402, 409, 411, 412, 414, 416, 418, 422, 431, 451, 499], Standing::Rejected),
            (&[0, 100, 101, 199, 600, 999], Standing::Retry),
        ] {
            for &status in statuses {
                assert_eq!(standard(status), standing, "{status}");
            }
        }
    }
}
