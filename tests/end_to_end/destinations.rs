//! Every built-in formatter with the SIEM that it is for: a file each, which says how an operator connects the two.

mod azure_data_collector;
mod cef;
mod datadog;
mod elasticsearch;
mod google_secops;
mod leef;
mod logscale;
mod logstash;
mod loki;
mod newrelic;
mod ocsf;
mod otlp;
mod pagerduty;
mod sentinel;
mod slack;
mod splunk;
mod sumologic;
mod webhook;

use serde_json::Value;
use siemaphore_receiver::{Received, Siem};

/// One destination.
pub(crate) struct Row {
    /// The formatter's name, and the destination's.
    pub(crate) formatter: &'static str,
    pub(crate) siem: Siem,
    pub(crate) secret: &'static str,
    /// What the destination's table in the configuration has beside name, organisation, formatter, `ca_file` and
    /// `secret`. `{endpoint}` stands for `https://localhost:PORT`, `{token_url}` for where its access tokens come from.
    pub(crate) configuration: &'static str,
    /// How a record shows which event it is: its key, or what the producer calls it where the SIEM gets no key.
    pub(crate) key: fn(&Received) -> String,
    /// How many records the SIEM shows for so many events. The same number, as a rule.
    pub(crate) records: fn(usize) -> usize,
}

/// Every destination, in the order of their names.
pub(crate) fn all() -> Vec<Row> {
    vec![
        azure_data_collector::row(),
        cef::row(),
        datadog::row(),
        elasticsearch::row(),
        google_secops::row(),
        leef::row(),
        logscale::row(),
        logstash::row(),
        loki::row(),
        newrelic::row(),
        ocsf::row(),
        otlp::row(),
        pagerduty::row(),
        sentinel::row(),
        slack::row(),
        splunk::row(),
        sumologic::row(),
        webhook::row(),
    ]
}

/// The text at a JSON Pointer of a record.
fn text_at(received: &Received, pointer: &str) -> String {
    let value = received.record.pointer(pointer).and_then(Value::as_str);
    value.unwrap_or_else(|| panic!("nothing at {pointer} in {}", received.record)).to_owned()
}

fn one_each(events: usize) -> usize {
    events
}
