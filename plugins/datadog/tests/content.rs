//! What an operator installs in Datadog: every attribute in it is one that logs have or the pipeline makes, the pipeline
//! comes to the same decisions as the other formatters, and each monitor finds the events that it is for.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

mod content {
    pub(crate) mod query;
}

use std::collections::{BTreeMap, BTreeSet};

use content::query::{Log, Query};
use serde_json::{Value, json};
use siemaphore_formatter_datadog::Datadog;
use siemaphore_producers::content::{Vocabulary, leaves};
use siemaphore_producers::{Sample, paths, samples};
use siemaphore_sdk::facts::{FactPlaces, Facts};
use siemaphore_sdk::json::Outline;
use siemaphore_sdk::testkit;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");
/// `logs("query").index("*").rollup("cardinality", "@event_key").by("facets").last("1h") > 50`, cut at the quotes.
const LOG_MONITORS: [&str; 4] =
    ["monitor-blocks.json", "monitor-logins.json", "monitor-secrets.json", "monitor-violations.json"];
const METRICS: [&str; 2] = ["metric-calls.json", "metric-evaluation.json"];

fn read(file: &str) -> Value {
    let text = siemaphore_producers::content::file(PACKAGE, file);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn item(sample: &Sample) -> Value {
    serde_json::from_str(&testkit::configure::<Datadog>("{}").unwrap().record(&sample.event)).unwrap()
}

fn processors() -> Vec<Value> {
    read("pipeline.json")["processors"].as_array().unwrap().clone()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(text).collect()
}

/// A log after the pipeline.
fn processed(sample: &Sample) -> Log {
    let item = item(sample);
    let mut log = Log { source: text(&item["ddsource"]).to_owned(), attributes: leaves(&item) };
    for processor in processors() {
        let found = match text(&processor["type"]) {
            "attribute-remapper" => texts(&processor["sources"])
                .into_iter()
                .find_map(|source| log.attributes.get(source).cloned()),
            "category-processor" => {
                let categories = processor["categories"].as_array().unwrap().iter();
                let mut fitting =
                    categories.filter(|one| Query::parse(text(&one["filter"]["query"])).finds(&log));
                fitting.next().map(|category| category["name"].clone())
            }
            _ => continue,
        };
        if let Some(value) = found {
            log.attributes.insert(text(&processor["target"]).to_owned(), value);
        }
    }
    log
}

/// What logs have and what the pipeline adds.
fn vocabulary() -> Vocabulary {
    let mut known = Vocabulary::default();
    known.add(samples().iter().flat_map(|sample| paths(&item(sample))));
    known.add(processors().iter().filter_map(|one| one["target"].as_str().map(str::to_owned)));
    known
}

/// The attributes of a query, `@` before each. Other words with a colon are tags, of which there is one here.
fn check_query(known: &Vocabulary, place: &str, query: &str) {
    let parsed = Query::parse(query);
    known.check(place, parsed.attributes());
    for tag in parsed.tags() {
        assert_eq!(tag, "source", "{place}: {query}");
    }
    for (attribute, pattern) in parsed.comparisons() {
        let values = values_of(attribute);
        let found = values.iter().any(|value| siemaphore_producers::content::fits(pattern, value));
        assert!(values.is_empty() || found, "{place}: no {attribute} is like {pattern:?}: {values:?}");
    }
}

/// Every value that an attribute may have, for those of which that is known.
fn values_of(attribute: &str) -> BTreeSet<String> {
    if attribute == "event_type" {
        return samples().into_iter().map(|sample| sample.event.event_type).collect();
    }
    let made = processors()
        .into_iter()
        .find(|one| one["type"] == "category-processor" && one["target"] == attribute);
    let categories = made.map(|one| one["categories"].as_array().unwrap().clone()).unwrap_or_default();
    categories.iter().map(|category| text(&category["name"]).to_owned()).collect()
}

fn facet(known: &Vocabulary, place: &str, facet: &str) {
    let name = facet.strip_prefix('@').unwrap_or_else(|| panic!("{place}: {facet} lacks its @"));
    known.check(place, [name]);
}

#[test]
fn the_pipeline_reads_attributes_that_logs_have() {
    let known = vocabulary();
    for processor in processors() {
        let name = text(&processor["name"]);
        if let Some(sources) = processor.get("sources") {
            known.check(name, texts(sources));
        }
        for category in processor["categories"].as_array().unwrap_or(&Vec::new()) {
            check_query(&known, name, text(&category["filter"]["query"]));
        }
    }
    assert!(processors().len() <= 20, "Datadog advises at most 20");
    let filter = read("pipeline.json")["filter"]["query"].clone();
    for producer in siemaphore_producers::PRODUCERS {
        let log = Log { source: producer.to_owned(), attributes: BTreeMap::new() };
        assert!(Query::parse(text(&filter)).finds(&log), "the pipeline leaves {producer} out");
    }
}

#[test]
fn the_pipeline_comes_to_the_decisions_of_the_other_formatters() {
    let places = FactPlaces::default();
    for sample in samples() {
        let outline = Outline::new(&sample.event.document);
        let decision = Facts::new(&sample.event, &outline, &places).decision();
        let log = processed(&sample);
        let here = format!("{}/{}", sample.producer, sample.name);
        assert_eq!(log.attributes["ai.decision"], decision.as_str(), "{here}: {log:?}");
    }
}

/// The query, the facets, and the rest of a log monitor.
fn log_monitor(file: &str) -> (String, String) {
    let monitor = read(file);
    assert_eq!(monitor["type"], "log alert");
    let query = text(&monitor["query"]);
    let parts: Vec<&str> = query.split('"').collect();
    let [first, search, index, all, rollup, how, comma, key, by, facets, last, span, condition] = parts[..]
    else {
        panic!("{file}: {query}")
    };
    let fixed = [first, index, all, rollup, how, comma, key, by, last];
    let expected =
        ["logs(", ").index(", "*", ").rollup(", "cardinality", ", ", "@event_key", ").by(", ").last("];
    assert_eq!(fixed, expected, "{file}");
    assert!(["5m", "10m", "15m", "1h"].contains(&span), "{file}: {span}");
    let critical = &monitor["options"]["thresholds"]["critical"];
    assert!(
        condition.ends_with(&format!(" {critical}")),
        "{file}: {condition} and a threshold of {critical}"
    );
    for name in text(&monitor["message"]).split("{{[").skip(1) {
        let name = name.split_once("].name}}").unwrap().0;
        assert!(
            facets.split(',').any(|facet| facet == name),
            "{file} speaks of {name} and groups by {facets}"
        );
    }
    (search.to_owned(), facets.to_owned())
}

#[test]
fn monitors_dashboard_and_metrics_use_attributes_that_logs_have() {
    let known = vocabulary();
    for file in LOG_MONITORS {
        let (query, facets) = log_monitor(file);
        check_query(&known, file, &query);
        facets.split(',').for_each(|one| facet(&known, file, one));
    }
    for file in METRICS {
        let attributes = &read(file)["data"]["attributes"];
        check_query(&known, file, text(&attributes["filter"]["query"]));
        for group in attributes["group_by"].as_array().unwrap() {
            facet(&known, file, text(&group["path"]));
        }
        if let Some(path) = attributes["compute"]["path"].as_str() {
            facet(&known, file, path);
        }
    }
    let dashboard = read("dashboard.json");
    for widget in dashboard["widgets"].as_array().unwrap() {
        let definition = &widget["definition"];
        let title = text(&definition["title"]);
        if let Some(query) = definition["query"].as_str() {
            check_query(&known, title, query);
            let columns = texts(&definition["columns"]);
            columns
                .into_iter()
                .filter(|column| *column != "status")
                .for_each(|column| facet(&known, title, column));
        }
        for query in definition["requests"].as_array().unwrap_or(&Vec::new()) {
            for query in query["queries"].as_array().unwrap() {
                if query["data_source"] == "metrics" {
                    check_metric(title, text(&query["query"]));
                    continue;
                }
                check_query(&known, title, text(&query["search"]["query"]));
                facet(&known, title, text(&query["compute"]["metric"]));
                facet(&known, title, text(&query["group_by"][0]["facet"]));
            }
        }
    }
    let volume = read("monitor-volume.json");
    let anomalies = text(&volume["query"]).split_once("anomalies(").unwrap().1;
    check_metric("monitor-volume.json", anomalies.split_once(',').unwrap().0);
    assert!(text(&volume["message"]).contains("{{caller.name}}"));
}

/// `sum:ai.calls{*} by {caller}.as_count()`: a metric that a file makes, by a tag that it has.
fn check_metric(place: &str, query: &str) {
    let (_, metric) = query.split_once(':').unwrap();
    let (metric, rest) = metric.split_once("{*}").unwrap();
    let made = METRICS.map(read).into_iter().find(|one| one["data"]["id"] == metric);
    let made = made.unwrap_or_else(|| panic!("{place}: no file makes the metric {metric}"));
    if let Some(tag) = rest.strip_prefix(" by {") {
        let tag = tag.split_once('}').unwrap().0;
        let tags = made["data"]["attributes"]["group_by"].as_array().unwrap();
        assert!(tags.iter().any(|one| one["tag_name"] == tag), "{place}: {metric} has no tag {tag}");
    }
}

fn found_by(query: &str) -> Vec<String> {
    let query = Query::parse(query);
    let found = samples().into_iter().filter(|sample| query.finds(&processed(sample)));
    found.map(|sample| format!("{}/{}", sample.producer, sample.name)).collect()
}

#[test]
fn each_monitor_finds_the_events_that_it_is_for() {
    let secrets = found_by(&log_monitor("monitor-secrets.json").0);
    let expected = [
        "cloudevents/systemprompt-secret-detected",
        "ocsf/detection-finding-fatal",
        "systemprompt/secret-blocked",
        "systemprompt/secret-detected",
    ];
    assert_eq!(secrets, expected);
    let logins = found_by(&log_monitor("monitor-logins.json").0);
    assert_eq!(logins, ["authos/user-login-failed", "systemprompt/authentication-failure"]);
    let violations = found_by(&log_monitor("monitor-violations.json").0);
    let blocks = found_by(&log_monitor("monitor-blocks.json").0);
    for event in [
        "aegis/preflight-blocked",
        "aisg/dlp-injection-blocked",
        "cloudevents/tool-call-denied",
        "keeptrusts/blocked",
        "ocsf/detection-finding",
        "otlp/keeptrusts-body",
        "systemprompt/policy-violation",
        "systemprompt/tool-call-blocked",
    ] {
        assert!(violations.iter().any(|found| found == event), "{event} in {violations:?}");
        assert!(blocks.iter().any(|found| found == event), "{event} in {blocks:?}");
    }
    assert!(violations.iter().any(|found| found == "keeptrusts/escalated"), "{violations:?}");
    for event in ["aisg/budget-exhausted", "systemprompt/secret-blocked", "systemprompt/tool-call-completed"]
    {
        assert!(!violations.iter().any(|found| found == event), "{event} in {violations:?}");
    }
    let calls = found_by(text(&read("metric-calls.json")["data"]["attributes"]["filter"]["query"]));
    for event in [
        "systemprompt/tool-call-requested",
        "keeptrusts/request",
        "otlp/tool-call",
        "aegis/preflight-blocked",
    ] {
        assert!(calls.iter().any(|found| found == event), "{event} in {calls:?}");
    }
    assert!(
        !calls.iter().any(|found| found == "systemprompt/tool-call-completed"),
        "one event for each call"
    );
}

#[test]
fn every_log_that_was_stopped_has_somebody_to_group_by() {
    let blocked = Query::parse("@ai.decision:blocked");
    for sample in samples() {
        let log = processed(&sample);
        if blocked.finds(&log) {
            assert!(log.attributes.contains_key("ai.subject"), "{}/{}", sample.producer, sample.name);
            assert!(log.attributes.contains_key("ai.policy"), "{}/{}", sample.producer, sample.name);
        }
    }
    let log = processed(&siemaphore_producers::sample("keeptrusts", "blocked"));
    assert_eq!(log.attributes["ai.subject"], json!("user_7f21"));
}
