//! This machine's clock, against the `Date` of the destinations' answers. SIEMs drop or re-time events whose time is off,
//! and tokens and certificates depend on it.

use std::time::SystemTime;

use bytes::Bytes;
use futures_util::future::join_all;
use http::header::DATE;
use http::{HeaderMap, Method};
use siemaphore_http::Request;

use crate::command::doctor::configuration::Server;
use crate::command::doctor::finding::Finding;
use crate::print;

const CHECK: &str = "clock";
/// More than networks and the whole seconds of the header explain.
const TOLERATED_SECONDS: i64 = 60;

pub(crate) async fn check(servers: &[Server]) -> Vec<Finding> {
    let asked = join_all(
        servers
            .iter()
            .map(|server| async { offset_seconds(server).await.map(|offset| (server.id.as_str(), offset)) }),
    );
    let offsets: Vec<(&str, i64)> = asked.await.into_iter().flatten().collect();
    vec![judge(&offsets)]
}

/// Without a credential: any answer has the header, a refusal as well.
async fn offset_seconds(server: &Server) -> Option<i64> {
    let mut url = server.endpoint.clone();
    url.set_path("/");
    let request = Request { method: Method::HEAD, url, headers: HeaderMap::new(), body: Bytes::new() };
    let answer = server.client().await.ok()?.send(request).await.ok()?;
    let there = httpdate::parse_http_date(answer.headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(seconds_between(SystemTime::now(), there))
}

fn seconds_between(here: SystemTime, there: SystemTime) -> i64 {
    let seconds = |later: SystemTime, earlier| {
        later.duration_since(earlier).ok().and_then(|ahead| i64::try_from(ahead.as_secs()).ok())
    };
    seconds(here, there).or_else(|| seconds(there, here).map(|behind| -behind)).unwrap_or_default()
}

/// Positive offsets: this clock is ahead.
fn judge(offsets: &[(&str, i64)]) -> Finding {
    let Some((id, offset)) = offsets.iter().max_by_key(|(_, offset)| offset.abs()) else {
        return Finding::warning(
            CHECK,
            "no destination has told its time",
            "compare with `date -u` elsewhere",
        );
    };
    if offset.abs() <= TOLERATED_SECONDS {
        let destinations = print::count(offsets.len() as u64, "destination");
        return Finding::ok(CHECK, format!("within {TOLERATED_SECONDS} s of {destinations}"));
    }
    let way = if *offset > 0 { "ahead of" } else { "behind" };
    Finding::warning(
        CHECK,
        format!("{} s {way} the clock of {id}", offset.abs()),
        "synchronise this machine's clock (chrony, systemd-timesyncd); if only one SIEM differs, it is that one's",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::command::doctor::finding::State;

    #[test]
    fn a_clock_that_is_off_is_told_in_which_direction() {
        let now = SystemTime::now();
        let later = now + Duration::from_secs(90);
        assert_eq!((seconds_between(later, now), seconds_between(now, later)), (90, -90));
        assert_eq!(judge(&[("a/b", 2), ("a/c", -1)]).state, State::Ok);
        let finding = judge(&[("a/b", 2), ("a/c", -90)]);
        assert_eq!(
            (finding.state, finding.finding.as_str()),
            (State::Warning, "90 s behind the clock of a/c")
        );
        assert_eq!(judge(&[]).state, State::Warning);
    }
}
