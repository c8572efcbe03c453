//! The stand-ins, with secrets that can be searched for, and words for what they got.

use std::collections::BTreeSet;
use std::ops::Deref;

use serde_json::Value;
use siemaphore_receiver::{
    Acknowledgement, Certificate, Received, Receiver, ReceiverConfig, RequestLog, SentinelWorkspace, Siem,
};

use super::PATIENCE;

pub(crate) const HEC_TOKEN: &str = "5d6f3c1e-1f0b-4a53-9d4e-canarysplunk";
pub(crate) const DATADOG_KEY: &str = "c0ffee00canarydatadogc0ffee00cafe";
pub(crate) const CLIENT_SECRET: &str = "canary~sentinel~client~secret";
const DCR: &str = "dcr-0123456789abcdef0123456789abcdef";
const STREAM: &str = "Custom-AiEvents_CL";
const CLIENT_ID: &str = "66666666-7777-8888-9999-000000000000";

/// Which SIEM is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Splunk,
    /// Its token has indexer acknowledgement; it confirms when it is told to.
    AcknowledgingSplunk,
    Datadog,
    Sentinel,
}

impl Kind {
    /// The name of the built-in formatter.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Splunk | Kind::AcknowledgingSplunk => "splunk",
            Kind::Datadog => "datadog",
            Kind::Sentinel => "sentinel",
        }
    }

    pub(crate) fn secret(self) -> &'static str {
        match self {
            Kind::Splunk | Kind::AcknowledgingSplunk => HEC_TOKEN,
            Kind::Datadog => DATADOG_KEY,
            Kind::Sentinel => CLIENT_SECRET,
        }
    }

    fn siem(self) -> Siem {
        match self {
            Kind::Splunk => Siem::splunk_hec(HEC_TOKEN),
            Kind::AcknowledgingSplunk => {
                Siem::splunk_hec_acknowledging(HEC_TOKEN, Acknowledgement::when_told())
            }
            Kind::Datadog => Siem::datadog(DATADOG_KEY),
            Kind::Sentinel => Siem::sentinel(SentinelWorkspace {
                dcr_immutable_id: DCR.to_owned(),
                stream: STREAM.to_owned(),
                tenant: "11111111-2222-3333-4444-555555555555".to_owned(),
                client_id: CLIENT_ID.to_owned(),
                client_secret: CLIENT_SECRET.to_owned(),
            }),
        }
    }
}

/// A SIEM that plays by its rules, or as it is told.
pub(crate) struct StandIn {
    kind: Kind,
    receiver: Receiver,
}

impl StandIn {
    pub(crate) async fn start(kind: Kind, certificate: &Certificate, config: ReceiverConfig) -> StandIn {
        let receiver = Receiver::start_with(kind.siem(), certificate, config).await.expect("a receiver");
        StandIn { kind, receiver }
    }

    /// What the configuration of a destination needs beside endpoint and secret.
    pub(crate) fn configuration(&self) -> String {
        let Some(token_url) = self.receiver.token_url() else { return String::new() };
        format!(
            "authentication = {{ client_id = \"{CLIENT_ID}\", token_url = \"{token_url}\" }}\n\
             settings = {{ dcr_immutable_id = \"{DCR}\", stream = \"{STREAM}\" }}\n"
        )
    }

    /// Waits until so many records have arrived in all, and returns them.
    pub(crate) async fn arrived(&self, records: usize) -> Vec<Received> {
        let arrived = self.receiver.wait_for(records, PATIENCE).await;
        arrived.unwrap_or_else(|error| panic!("{}: {error}", self.kind.name()))
    }

    /// Waits until so many requests have arrived in all, tokens and refused ones too.
    pub(crate) async fn requested(&self, requests: usize) -> Vec<RequestLog> {
        let requested = self.receiver.wait_for_requests(requests, PATIENCE).await;
        requested.unwrap_or_else(|error| panic!("{}: {error}", self.kind.name()))
    }

    /// Every credential that a request has shown: keys, tokens, passwords.
    pub(crate) fn credentials(&self) -> BTreeSet<String> {
        let shown = |request: &RequestLog| {
            let values = ["authorization", "dd-api-key"].map(|name| request.headers.get(name).cloned());
            values
                .into_iter()
                .flatten()
                .map(|value| {
                    let value = value.to_str().expect("ASCII").to_owned();
                    value.rsplit(' ').next().unwrap_or_default().to_owned()
                })
                .collect::<Vec<_>>()
        };
        self.receiver.requests().iter().flat_map(shown).collect()
    }
}

impl Deref for StandIn {
    type Target = Receiver;

    fn deref(&self) -> &Receiver {
        &self.receiver
    }
}

/// The `request_id` of each record, sorted.
pub(crate) fn ids(records: &[Received]) -> Vec<String> {
    let id = |record: &Value| {
        let id = record["event"]["request_id"].as_str().or(record["request_id"].as_str());
        id.unwrap_or_else(|| panic!("no request_id in {record}")).to_owned()
    };
    let mut ids: Vec<String> = records.iter().map(|received| id(&received.record)).collect();
    ids.sort();
    ids
}

/// The key of each event, in order of arrival.
pub(crate) fn keys(records: &[Received]) -> Vec<String> {
    let key = |record: &Value| {
        let places = [&record["fields"]["event_key"], &record["event_key"], &record["EventKey"]];
        let key = places.into_iter().find_map(Value::as_str);
        key.unwrap_or_else(|| panic!("no key in {record}")).to_owned()
    };
    records.iter().map(|received| key(&received.record)).collect()
}
