//! Every rule, met by a real HTTPS client.

#![allow(clippy::indexing_slicing, reason = "a test that indexes what is not there has found something")]

mod acknowledgement;
mod aws_signature;
mod azure_data_collector;
mod collector;
mod datadog;
mod elasticsearch;
mod entra;
mod faults;
mod google_secops;
mod google_tokens;
mod log;
mod logscale;
mod logstash;
mod loki;
mod newrelic;
mod official;
mod otlp;
mod pagerduty;
mod sentinel;
mod slack;
mod splunk;
mod sumologic;
mod support;
mod tls;
mod webhook;
