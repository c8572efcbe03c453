//! `/metrics` in the Prometheus text format. Every name is declared here, once.

use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use siemaphore_intake::SourceSnapshot;
use siemaphore_pipeline::State as PipelineState;
use siemaphore_registry::{PluginState, PluginStatus};
use siemaphore_sources::SourceStatus;
use siemaphore_store::StoreError;

use crate::Handles;
use crate::api::destinations::{DestinationView, view};

pub(crate) fn router() -> Router<Handles> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(handles): State<Handles>) -> Response {
    match collect(&handles).await {
        Ok(text) => ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn collect(handles: &Handles) -> Result<String, StoreError> {
    let mut page = Page::default();
    intake(&mut page, &handles.intake.snapshot());
    fetching(&mut page, &handles.fetching.snapshot());
    page.family(
        "siemaphore_intake_unauthorized_requests_total",
        "counter",
        "Requests without a valid token.",
    );
    page.sample(&[], handles.intake.unauthorized());
    let mut destinations = Vec::new();
    for destination in handles.destinations.iter() {
        destinations.push(view(handles, destination).await?);
    }
    ledger(&mut page, &destinations);
    delivery(&mut page, &destinations);
    plugins(&mut page, &handles.registry.list(), &destinations);
    store(&mut page, handles).await?;
    Ok(page.text)
}

fn plugins(page: &mut Page, all: &[PluginStatus], destinations: &[DestinationView]) {
    let used: Vec<&PluginStatus> =
        all.iter().filter(|plugin| plugin.state != PluginState::Available).collect();
    page.family("siemaphore_plugin_info", "gauge", "The version of a formatter that is active.");
    for plugin in used.iter().filter(|plugin| plugin.version.is_some()) {
        let (version, digest) = (plugin.version.as_deref(), plugin.digest.as_deref());
        let labels = [
            ("plugin", plugin.name.as_str()),
            ("version", version.unwrap_or_default()),
            ("digest", digest.unwrap_or_default()),
        ];
        page.sample(&labels, 1);
    }
    type Read = fn(&PluginStatus) -> bool;
    let families: [(&str, &str, Read); 2] = [
        ("siemaphore_plugin_refused", "1 when the file that is there now is not active.", |plugin| {
            plugin.error.is_some()
        }),
        ("siemaphore_plugin_sent_back", "1 when a version had to give way to the one before.", |plugin| {
            plugin.sent_back.is_some()
        }),
    ];
    for (name, help, read) in families {
        page.family(name, "gauge", help);
        for plugin in &used {
            page.sample(&[("plugin", &plugin.name)], u64::from(read(plugin)));
        }
    }
    page.family("siemaphore_plugin_waiting", "gauge", "1 when a version waits for an operator's word.");
    for plugin in used {
        let waits = plugin.candidate.is_some() || request_waits(&plugin.name, destinations);
        page.sample(&[("plugin", &plugin.name)], u64::from(waits));
    }
}

/// Whether a destination keeps another version, because the active one asks for another request.
fn request_waits(plugin: &str, destinations: &[DestinationView]) -> bool {
    let users = destinations.iter().filter(|one| one.formatter == plugin);
    let mut not_adopted = users.filter_map(|one| one.status.as_ref()?.not_adopted.as_ref());
    not_adopted.any(|version| version.waits_for_promotion)
}

fn intake(page: &mut Page, sources: &[SourceSnapshot]) {
    type Read = fn(&SourceSnapshot) -> u64;
    let families: [(&str, &str, Read); 7] = [
        ("siemaphore_intake_accepted_events_total", "Events on disk.", |source| source.accepted),
        (
            "siemaphore_intake_unknown_version_events_total",
            "Accepted events of a schema version that their profile does not know.",
            |source| source.unknown_versions.iter().map(|(_, events)| events).sum(),
        ),
        ("siemaphore_intake_redacted_values_total", "Values removed before storing.", |source| {
            source.redacted
        }),
        ("siemaphore_intake_bytes_total", "Request bodies after decompression.", |source| source.bytes),
        ("siemaphore_intake_repeated_requests_total", "Requests stored before.", |source| source.repeated),
        ("siemaphore_intake_rate_limited_requests_total", "Requests over the rate limit.", |source| {
            source.rate_limited
        }),
        (
            "siemaphore_intake_signature_failures_total",
            "Signed requests whose signature is missing, old or wrong.",
            |source| source.signature_failures,
        ),
    ];
    for (name, help, read) in families {
        page.family(name, "counter", help);
        sources.iter().for_each(|source| page.sample(&[("source", &source.source)], read(source)));
    }
    intake_by_kind(page, sources);
}

fn intake_by_kind(page: &mut Page, sources: &[SourceSnapshot]) {
    type Read = fn(&SourceSnapshot) -> &[(&'static str, u64)];
    let families: [(&str, &str, &str, Read); 3] = [
        ("siemaphore_intake_refused_events_total", "reason", "Events turned away.", |source| {
            &source.refused_by
        }),
        (
            "siemaphore_intake_requests_total",
            "way",
            "Requests of a source: events, logs, webhook.",
            |source| &source.requests,
        ),
        (
            "siemaphore_intake_refused_requests_total",
            "reason",
            "Requests of a source that were refused as a whole.",
            |source| &source.refused_requests,
        ),
    ];
    for (name, label, help, read) in families {
        page.family(name, "counter", help);
        for source in sources {
            for (value, count) in read(source) {
                page.sample(&[("source", &source.source), (label, value)], count);
            }
        }
    }
}

fn fetching(page: &mut Page, sources: &[SourceStatus]) {
    type Read = fn(&SourceStatus) -> u64;
    let families: [(&str, &str, &str, Read); 7] = [
        ("siemaphore_source_up", "gauge", "0 while a source that fetches cannot go on.", |source| {
            u64::from(source.problem.is_none())
        }),
        ("siemaphore_source_problems_total", "counter", "How often it could not go on.", |source| {
            source.problems
        }),
        ("siemaphore_source_portions_total", "counter", "Portions that were stored.", |source| {
            source.portions
        }),
        ("siemaphore_source_lag_bytes", "gauge", "What is in its files and was not read yet.", |source| {
            source.lag_bytes
        }),
        ("siemaphore_source_requests_total", "counter", "Requests that it made of its server.", |source| {
            source.requests
        }),
        ("siemaphore_source_skipped_events_total", "counter", "Read and not wanted.", |source| {
            source.skipped
        }),
        (
            "siemaphore_source_last_stored_timestamp_seconds",
            "gauge",
            "When events were stored last; 0 before the first.",
            |source| source.last_stored_s,
        ),
    ];
    for (name, kind, help, read) in families {
        page.family(name, kind, help);
        for source in sources {
            page.sample(&[("source", &source.source), ("kind", source.kind)], read(source));
        }
    }
    page.family("siemaphore_source_connected", "gauge", "1 while its stream is open; of streams only.");
    for source in sources {
        if let Some(connected) = source.connected {
            page.sample(&[("source", &source.source), ("kind", source.kind)], u64::from(connected));
        }
    }
}

/// Every end of an event, so that they can be summed and compared with `accepted`.
fn ledger(page: &mut Page, destinations: &[DestinationView]) {
    type Read = fn(&DestinationView) -> u64;
    let ends: [(&str, Read); 6] = [
        ("delivered", |one| one.ledger.delivered),
        ("filtered", |one| one.ledger.filtered),
        ("dead_lettered", |one| one.ledger.dead_lettered),
        ("discarded", |one| one.ledger.discarded),
        ("expired", |one| one.ledger.expired),
        ("damaged", |one| one.ledger.damaged),
    ];
    page.family(
        "siemaphore_destination_accepted_events_total",
        "counter",
        "Events stored for a destination.",
    );
    each(page, destinations, |one| one.ledger.accepted);
    page.family("siemaphore_destination_events", "gauge", "Where a destination's events have ended.");
    for (end, read) in ends {
        for one in destinations {
            page.sample(&[("destination", &id(one)), ("end", end)], read(one));
        }
    }
    page.family("siemaphore_destination_waiting_events", "gauge", "Events that are not settled.");
    each(page, destinations, |one| one.ledger.waiting);
    page.family(
        "siemaphore_destination_ledger_difference_events",
        "gauge",
        "Accepted events that are nowhere; anything but 0 is a fault.",
    );
    each(page, destinations, |one| one.ledger.difference);
    page.family(
        "siemaphore_destination_duplicate_events_total",
        "counter",
        "Events that may have arrived twice.",
    );
    each(page, destinations, |one| one.ledger.duplicates);
    page.family(
        "siemaphore_destination_oldest_waiting_timestamp_seconds",
        "gauge",
        "When the oldest waiting event was stored.",
    );
    for one in destinations {
        if let Some(oldest_ms) = one.ledger.oldest_waiting_ms {
            page.sample(&[("destination", &id(one))], oldest_ms / 1000);
        }
    }
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    page.family(
        "siemaphore_destination_oldest_waiting_age_seconds",
        "gauge",
        "How long the oldest waiting event has waited; 0 when none does.",
    );
    each(page, destinations, |one| {
        one.ledger.oldest_waiting_ms.map_or(0, |oldest_ms| now_ms.saturating_sub(oldest_ms) / 1000)
    });
}

fn delivery(page: &mut Page, destinations: &[DestinationView]) {
    page.family("siemaphore_destination_requests_total", "counter", "Requests made since the start.");
    each(page, destinations, |one| one.status.as_ref().map_or(0, |status| status.requests));
    page.family(
        "siemaphore_destination_failed_requests_total",
        "counter",
        "Requests that delivered nothing.",
    );
    each(page, destinations, |one| one.status.as_ref().map_or(0, |status| status.failed_requests));
    page.family("siemaphore_destination_sent_bytes_total", "counter", "Bodies delivered, as compressed.");
    each(page, destinations, |one| one.status.as_ref().map_or(0, |status| status.delivered_bytes));
    page.family(
        "siemaphore_destination_formatting_cpu_seconds_total",
        "counter",
        "CPU time of the formatter.",
    );
    each(page, destinations, |one| {
        one.status.as_ref().map_or(0.0, |status| status.formatting_cpu_us as f64 / 1e6)
    });
    page.family(
        "siemaphore_destination_formatter_peak_memory_bytes",
        "gauge",
        "The most memory of one batch.",
    );
    each(page, destinations, |one| one.status.as_ref().map_or(0, |status| status.peak_guest_memory_bytes));
    page.family("siemaphore_destination_up", "gauge", "0 while a destination is failing or holding.");
    each(page, destinations, |one| {
        let state = one.status.as_ref().map(|status| status.state);
        u64::from(matches!(state, Some(PipelineState::Active | PipelineState::Idle)))
    });
}

async fn store(page: &mut Page, handles: &Handles) -> Result<(), StoreError> {
    let status = handles.store.status().await?;
    let samples = [
        ("siemaphore_store_size_bytes", "What counts towards the size limit.", status.size_bytes),
        ("siemaphore_store_size_limit_bytes", "The size limit.", status.size_limit_bytes),
        (
            "siemaphore_store_needed_bytes",
            "What counts towards the size limit and cannot go without expiring events.",
            status.needed_bytes,
        ),
        (
            "siemaphore_store_near_limit",
            "1 from 80 % of the size limit on: events will expire.",
            u64::from(status.near_limit),
        ),
        ("siemaphore_store_disk_free_bytes", "Free space of the file system.", status.free_bytes),
        ("siemaphore_store_events", "Stored events.", status.events),
        ("siemaphore_store_dead_letters", "Dead letters of all destinations.", status.dead_letters),
        ("siemaphore_store_accepting", "1 while events are taken.", u64::from(status.accepting)),
    ];
    for (name, help, value) in samples {
        page.family(name, "gauge", help);
        page.sample(&[], value);
    }
    Ok(())
}

fn each<V: Display>(page: &mut Page, destinations: &[DestinationView], read: impl Fn(&DestinationView) -> V) {
    for one in destinations {
        page.sample(&[("destination", &id(one))], read(one));
    }
}

fn id(destination: &DestinationView) -> String {
    format!("{}/{}", destination.organization, destination.name)
}

/// A page under construction, and the family that samples belong to now.
#[derive(Default)]
struct Page {
    text: String,
    family: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        name.clone_into(&mut self.family);
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.text.push_str(&format!("{}{labels} {value}\n", self.family));
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stand_under_their_family_and_labels_are_escaped() {
        let mut page = Page::default();
        page.family("a_total", "counter", "Help.");
        page.sample(&[], 1);
        page.sample(&[("source", "x\"y\\z\n"), ("end", "b")], 2);
        assert_eq!(
            page.text,
            "# HELP a_total Help.\n# TYPE a_total counter\na_total 1\na_total{source=\"x\\\"y\\\\z\\n\",end=\"b\"} 2\n"
        );
    }
}
