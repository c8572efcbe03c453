//! Stand-ins for the SIEMs: real HTTPS servers on the loopback address that take what the SIEM takes and refuse
//! what it refuses, with its status codes and bodies.
//!
//! `siemaphore quickstart` delivers to them, and so does every end-to-end test, so they must not be kinder than
//! the real thing. Three rules follow from that:
//!
//! - What a SIEM refuses is refused, with the same answer and the same partial effect (Splunk keeps what comes
//!   before the bad event).
//! - What a SIEM accepts and then silently spoils (a truncated log, a dropped column, a time in 1970) is answered
//!   with the same success, and noted as a [`Violation`]: a test that ends with none has lost nothing on the way.
//! - Where documents and servers disagree, or a limit is written as "1 MB", the stricter reading counts.
//!
//! Limits: HTTP/1.1 only, the loopback address only, no `raw` endpoint of Splunk. Logs hold whole requests, secrets
//! included, because tests look for them there: print records, not headers.

#![forbid(unsafe_code)]

mod receiver;
mod siem;

mod azure_data_collector;
mod collector;
mod datadog;
mod elasticsearch;
mod entra;
mod google_secops;
mod google_tokens;
mod logscale;
mod logstash;
mod loki;
mod newrelic;
mod otlp;
mod pagerduty;
mod sentinel;
mod slack;
mod splunk;
mod sumologic;
mod webhook;

mod faults;
mod log;

mod certificate;
mod server;
mod wire;

mod access_tokens;
mod answer;
mod aws_signature;
mod request;
mod responder;
mod strict_json;
mod timestamp;

pub use aws_signature::AwsKey;
pub use certificate::Certificate;
pub use collector::CollectorFormat;
pub use faults::Fault;
pub use google_secops::SecOpsInstance;
pub use google_tokens::GoogleAccount;
pub use log::{Exchange, Received, RequestLog, Totals, Violation, WaitTimeout};
pub use receiver::{Receiver, ReceiverConfig};
pub use sentinel::SentinelWorkspace;
pub use siem::Siem;
pub use splunk::Acknowledgement;
pub use webhook::WebhookProof;
pub use wire::Endless;
