//! Indexer acknowledgement: an id for each request that was taken, and the truth about it a little later.
//!
//! As with the real one, ids count from 0 in each channel of each indexer, `false` means "not yet" as well as "never
//! heard of it", and a `true` is given once and then forgotten. Behind a balancer only the cookie of the first answer
//! leads back to the indexer that knows the id. Real balancers may find it by luck, or find another batch's id of the
//! same number; this one never does, so that a client without cookies is caught each time.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::COOKIE;

use crate::request::Request;

/// How a HEC token with indexer acknowledgement confirms.
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    indexing: Indexing,
    indexers: usize,
}

#[derive(Clone, Copy, Debug)]
enum Indexing {
    AfterPolls(u32),
    WhenTold,
}

impl Acknowledgement {
    /// Each id is answered with `false` this many times, then with `true`.
    pub fn after_polls(polls: u32) -> Acknowledgement {
        Acknowledgement { indexing: Indexing::AfterPolls(polls), indexers: 1 }
    }

    /// Each id is answered with `false` until [`Receiver::index_now`](crate::Receiver::index_now).
    pub fn when_told() -> Acknowledgement {
        Acknowledgement { indexing: Indexing::WhenTold, indexers: 1 }
    }

    /// So many indexers behind a balancer, which hands clients without a cookie round.
    pub fn behind_balancer(self, indexers: usize) -> Acknowledgement {
        Acknowledgement { indexers: indexers.max(1), ..self }
    }
}

/// What one indexer has promised.
pub(crate) struct Acknowledgements {
    how: Acknowledgement,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next_indexer: usize,
    /// By indexer and channel.
    channels: HashMap<(usize, String), Channel>,
    pending: usize,
}

#[derive(Default)]
struct Channel {
    next_id: u64,
    pending: BTreeMap<u64, Pending>,
}

#[derive(Default)]
struct Pending {
    polls: u32,
    indexed: bool,
}

/// Where a request ends up, and what makes the client come back there.
pub(super) struct Route {
    indexer: usize,
    /// The client showed no cookie, so it gets one.
    pub(super) new_cookie: Option<String>,
}

/// Splunk's `max_number_of_acked_requests_pending_query_per_ack_channel`, counted over all channels here.
const MAX_PENDING: usize = 1_000_000;

const COOKIE_NAME: &str = "AWSALB";

impl Acknowledgements {
    pub(crate) fn new(how: Acknowledgement) -> Acknowledgements {
        Acknowledgements { how, state: Mutex::default() }
    }

    pub(super) fn route(&self, request: &Request) -> Route {
        let indexer =
            if self.how.indexers == 1 { Some(0) } else { shown_indexer(request, self.how.indexers) };
        if let Some(indexer) = indexer {
            return Route { indexer, new_cookie: None };
        }
        let mut state = self.state();
        let indexer = state.next_indexer % self.how.indexers;
        state.next_indexer = indexer + 1;
        Route {
            indexer,
            new_cookie: Some(format!("{COOKIE_NAME}=indexer-{indexer}; Path=/; Secure; HttpOnly")),
        }
    }

    /// The id under which to ask. `None` when there are too many open already.
    pub(super) fn open(&self, route: &Route, channel: &str) -> Option<u64> {
        let mut state = self.state();
        if state.pending >= MAX_PENDING {
            return None;
        }
        state.pending += 1;
        let channel = state.channels.entry((route.indexer, channel.to_owned())).or_default();
        let id = channel.next_id;
        channel.next_id += 1;
        channel.pending.insert(id, Pending::default());
        Some(id)
    }

    pub(super) fn poll(&self, route: &Route, channel: &str, ids: &[u64]) -> BTreeMap<u64, bool> {
        let mut state = self.state();
        // Who had no cookie has been led astray.
        let mut known = match route.new_cookie {
            None => state.channels.get_mut(&(route.indexer, channel.to_owned())),
            Some(_) => None,
        };
        let mut confirmed = 0;
        let mut answers = BTreeMap::new();
        for id in ids {
            let is_indexed = known.as_deref_mut().is_some_and(|channel| channel.ask(*id, self.how.indexing));
            confirmed += usize::from(is_indexed);
            answers.insert(*id, is_indexed);
        }
        state.pending -= confirmed;
        answers
    }

    /// Everything that was taken so far counts as indexed.
    pub(crate) fn index_all(&self) {
        let mut state = self.state();
        let channels = state.channels.values_mut();
        channels.flat_map(|channel| channel.pending.values_mut()).for_each(|pending| pending.indexed = true);
    }

    /// As after a restart of the indexers: no id is known any more.
    pub(crate) fn forget_all(&self) {
        let mut state = self.state();
        state.channels.clear();
        state.pending = 0;
    }

    /// Nothing under this lock can leave the state half changed, so a poisoned one is still good.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel {
    fn ask(&mut self, id: u64, indexing: Indexing) -> bool {
        let Some(pending) = self.pending.get_mut(&id) else { return false };
        let is_indexed = match indexing {
            Indexing::AfterPolls(polls) => pending.indexed || pending.polls >= polls,
            Indexing::WhenTold => pending.indexed,
        };
        pending.polls = pending.polls.saturating_add(1);
        if is_indexed {
            self.pending.remove(&id);
        }
        is_indexed
    }
}

fn shown_indexer(request: &Request, indexers: usize) -> Option<usize> {
    let cookies = request.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix("=indexer-")?.parse().ok())
        .find(|indexer| *indexer < indexers)
}

/// The channel that a request names. Splunk takes only a GUID for one.
pub(super) fn channel(request: &Request) -> Option<String> {
    let named = request.header("x-splunk-request-channel").map(str::to_owned);
    named.or_else(|| request.query_value("channel")).filter(|channel| !channel.is_empty())
}

pub(super) fn is_guid(channel: &str) -> bool {
    let groups: Vec<&str> = channel.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
