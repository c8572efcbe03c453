//! For SIEMs that confirm after they have answered: what to ask later, and what to remember until then.
//!
//! An instance ends with its call, so whatever the next call needs goes into the state. Here it is a value of the
//! formatter's own, as JSON. The host makes the follow-up with the profile's headers and, if the profile is `sticky`,
//! with the cookies of the first answer; then it calls `interpret` again. It does so at most 60 times or for 10
//! minutes, after which the batch is sent again, so a SIEM may then have it twice: wait longer rather than more often.
//!
//! A follow-up that fails says nothing about the records. Leave it to `Standard`: the host asks the same again after
//! 2xx, 408, 429 and 5xx, and holds after anything else. Where you know more, [`Verdict::hold`](crate::Verdict::hold)
//! keeps the records and shows your hint. `pending` is believed on a 2xx only, and `rejected` would dead-letter what the
//! SIEM may have.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use siemaphore_sdk::{Pending, Response, Verdict};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Waiting {
//!     job: String,
//!     asked: u64,
//! }
//!
//! fn interpret(response: &Response) -> Verdict {
//!     if !response.is_success() {
//!         return Verdict::Standard;
//!     }
//!     let job = response.header("x-job").unwrap_or_default().to_owned();
//!     let waiting = response.state_as().unwrap_or(Waiting { job, asked: 0 });
//!     match response.text().as_ref() {
//!         "stored" => Verdict::Delivered(None),
//!         _ => Verdict::Pending(
//!             Pending::after_ms(1_000 * (waiting.asked + 1))
//!                 .with_query("job", &waiting.job)
//!                 .with_state(&Waiting { asked: waiting.asked + 1, ..waiting }),
//!         ),
//!     }
//! }
//! # let first = Response { headers: vec![("x-job".to_owned(), "7".to_owned())], ..siemaphore_sdk::testkit::answer(200, "") };
//! # let Verdict::Pending(pending) = interpret(&first) else { panic!() };
//! # assert_eq!((pending.after_ms, pending.query.as_slice()), (1_000, [("job".to_owned(), "7".to_owned())].as_slice()));
//! # let follow_up = siemaphore_sdk::testkit::follow_up(&pending, 200, "not yet");
//! # let Verdict::Pending(pending) = interpret(&follow_up) else { panic!() };
//! # assert_eq!((pending.after_ms, pending.query[0].1.as_str()), (2_000, "7"));
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Pending, Phase, Response};

impl Pending {
    /// A GET of the follow-up path after this long, without query and state. The host waits 10 minutes at most.
    pub fn after_ms(after_ms: u64) -> Pending {
        Pending { after_ms, query: Vec::new(), body: Vec::new(), state: Vec::new() }
    }

    /// Adds a query pair, not encoded.
    pub fn with_query(mut self, name: impl Into<String>, value: impl Into<String>) -> Pending {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Makes it a POST of this JSON.
    ///
    /// # Panics
    ///
    /// When the value cannot be written as JSON, such as a map whose keys are no strings.
    pub fn with_json(self, body: &impl Serialize) -> Pending {
        Pending { body: serde_json::to_vec(body).expect("the body can be written as JSON"), ..self }
    }

    /// Remembers a value until the answer comes: see [`Response::state_as`].
    ///
    /// # Panics
    ///
    /// When the value cannot be written as JSON, such as a map whose keys are no strings.
    pub fn with_state(self, state: &impl Serialize) -> Pending {
        Pending { state: serde_json::to_vec(state).expect("the state can be written as JSON"), ..self }
    }
}

impl Response {
    /// Whether this answers a follow-up and not the request with the records.
    pub fn is_follow_up(&self) -> bool {
        self.phase == Phase::FollowUp
    }

    /// The value that [`Pending::with_state`] remembered. `None` in the first phase.
    pub fn state_as<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.state).ok()
    }
}
