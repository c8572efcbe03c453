//! From records to a SIEM: framing, authentication, one attempt, and what its answer means.
//!
//! The only crate that attaches credentials. It does so after the guest is gone, on the final body, for each attempt
//! anew; and whatever comes back is cleaned of every secret in use before anybody else sees it: [`Answer`] can be made
//! in no other way.
//!
//! Everything that decides is pure and takes its time and randomness as arguments: what was granted
//! ([`GrantedProfile`]), how records are framed ([`frame`]), what an answer means ([`classify()`]), how long to wait
//! ([`Schedule`], [`Breaker`]). Only [`Target`] talks to the network, and [`Fetch`] for those who get events. Nothing here spawns a task, keeps a queue or
//! touches a disk.
#![forbid(unsafe_code)]

// What may be sent where.
mod endpoint;
mod grant;
mod group;
mod path;

// The bytes of a request.
mod framing;

// One attempt.
mod age;
mod attempt;
mod attempt_error;
mod auth;
mod clean;
mod connection;
mod cookies;
mod fetch;
mod message_id;
mod nginx;

// What the answer means.
mod classify;
mod hint;
mod standard;
mod verdict;

#[cfg(feature = "fuzzing")]
pub mod fuzzing;

// When to try again.
mod breaker;
mod retry;

pub use attempt::{Target, TargetConfig, TargetError};
pub use attempt_error::{AttemptError, AttemptErrorKind};
pub use auth::Authentication;
pub use breaker::{Breaker, Permission};
pub use classify::{Decision, classify};
pub use clean::Answer;
pub use connection::{ClientCertificate, ClientCertificateError};
pub use cookies::Cookies;
pub use endpoint::{EndpointError, shown_url};
pub use fetch::{Fetch, FetchConfig, Fetched, Opened};
pub use framing::{Framed, FramedBody, Frames, TooLarge, frame};
pub use grant::{GrantError, GrantedProfile, RequestHead};
pub use group::{Group, Grouping};
pub use message_id::MessageId;
pub use retry::{MAX_RETRY_AFTER, Schedule};
pub use siemaphore_http::{ClientConfig, EgressPolicy, SendError, Stream};
pub use standard::{Standing, standard};
pub use verdict::{follow_up_response_for_guest, response_for_guest};
