//! Indexer acknowledgement: success means "received", and a poll tells when the events are indexed.
//!
//! A poll answers `false` for "not yet" and for an id that this indexer never gave, so behind a balancer without sticky
//! sessions it stays `false` for ever. When it has done so for minutes, the destination is held with that hint: sending
//! again at once would only double the events. A poll that fails says nothing about the events and is repeated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use siemaphore_sdk::{Pending, Response, Verdict};

pub(crate) const PATH: &str = "/services/collector/ack";
pub(crate) const CHANNEL_HEADER: &str = "X-Splunk-Request-Channel";

/// After this many polls, about six minutes, an indexer does not only need more time.
const MAX_POLLS: u64 = 40;

const FIRST_WAIT_MS: u64 = 1_000;
const LONGEST_WAIT_MS: u64 = 10_000;

/// The channel of one destination: ids of acknowledgements count within it.
#[derive(Debug)]
pub(crate) struct Channel(String);

/// What has to be known when a poll is answered.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    id: u64,
    polls: u64,
    /// The code of the first answer, which may have been a warning.
    code: u32,
}

/// What a poll is answered with.
#[derive(Deserialize)]
struct Acknowledged {
    acks: BTreeMap<String, bool>,
}

impl Channel {
    /// The same for as long as the destination exists, on every host, and no other destination's.
    pub(crate) fn of(destination: &str) -> Channel {
        let mut bits = fnv1a(destination.as_bytes());
        // The version and variant of a GUID that was made by its maker's own rule.
        bits = bits & !(0xf << 76) | 0x8 << 76;
        bits = bits & !(0x3 << 62) | 0x2 << 62;
        let digits = format!("{bits:032x}");
        let mut groups = Vec::with_capacity(5);
        let mut rest = digits.as_str();
        for length in [8, 4, 4, 4, 12] {
            let (group, after) = rest.split_at(length);
            groups.push(group);
            rest = after;
        }
        Channel(groups.join("-"))
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Waits for the acknowledgement of a request that was taken with this code.
    pub(crate) fn wait_for(&self, id: u64, code: u32) -> Verdict {
        self.poll(&Waiting { id, polls: 0, code })
    }

    fn poll(&self, waiting: &Waiting) -> Verdict {
        let wait_ms = (FIRST_WAIT_MS * (waiting.polls + 1)).min(LONGEST_WAIT_MS);
        Verdict::Pending(
            Pending::after_ms(wait_ms)
                .with_query("channel", &self.0)
                .with_json(&serde_json::json!({ "acks": [waiting.id] }))
                .with_state(waiting),
        )
    }

    /// What the answer to a poll means. `delivered` is the verdict when the events are indexed, by the first answer's
    /// code; `refused` the one for an answer that will not change by itself.
    pub(crate) fn interpret(
        &self,
        response: &Response,
        delivered: impl FnOnce(u32) -> Verdict,
        refused: impl FnOnce(&Response) -> Verdict,
    ) -> Verdict {
        let Some(waiting) = response.state_as::<Waiting>() else {
            return Verdict::retry("the number of the acknowledgement was lost");
        };
        if is_passing(response.status) {
            return Verdict::Standard;
        }
        let acknowledged = serde_json::from_slice::<Acknowledged>(&response.body).ok();
        match acknowledged.filter(|_| response.is_success()) {
            None => refused(response),
            Some(Acknowledged { acks }) => match acks.get(&waiting.id.to_string()) {
                Some(true) => delivered(waiting.code),
                Some(false) | None => self.poll_again(waiting),
            },
        }
    }

    fn poll_again(&self, waiting: Waiting) -> Verdict {
        let waiting = Waiting { polls: waiting.polls.saturating_add(1), ..waiting };
        if waiting.polls < MAX_POLLS {
            return self.poll(&waiting);
        }
        let reason = format!("HEC took the events and has not confirmed ackId {} in six minutes", waiting.id);
        Verdict::hold(
            reason,
            "behind a load balancer, switch on sticky sessions by cookie, so that polls reach the indexer that took the \
             events; else look for blocked queues on the indexers",
        )
    }
}

/// Trouble that says nothing about the token or the channel: by its status alone, the host asks the same again.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}

/// A hash that nothing secret hangs on: channels only have to differ.
fn fnv1a(bytes: &[u8]) -> u128 {
    const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}
