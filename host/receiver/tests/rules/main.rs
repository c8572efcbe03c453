//! Every rule, met by a real HTTPS client.

mod datadog;
mod entra;
mod faults;
mod log;
mod sentinel;
mod splunk;
mod support;
mod tls;
