//! Every formatter, natively, with its example settings.

use siemaphore_sdk::testkit::{self, Configured};
use siemaphore_sdk::{Event, Formatter};

/// A formatter without its type.
pub(crate) struct Formatted {
    pub(crate) name: &'static str,
    pub(crate) record: Box<dyn Fn(&Event) -> String>,
}

fn formatter<F: Formatter>() -> Formatted {
    let product = F::describe();
    let configured: Configured<F> = testkit::configure(product.settings_example).unwrap();
    Formatted { name: product.name, record: Box::new(move |event| configured.record(event)) }
}

/// All of them, by name.
pub(crate) fn formatters() -> Vec<Formatted> {
    vec![
        formatter::<siemaphore_formatter_azure_data_collector::DataCollector>(),
        formatter::<siemaphore_formatter_cef::Cef>(),
        formatter::<siemaphore_formatter_datadog::Datadog>(),
        formatter::<siemaphore_formatter_elasticsearch::Elasticsearch>(),
        formatter::<siemaphore_formatter_google_secops::GoogleSecOps>(),
        formatter::<siemaphore_formatter_leef::Leef>(),
        formatter::<siemaphore_formatter_logscale::LogScale>(),
        formatter::<siemaphore_formatter_logstash::Logstash>(),
        formatter::<siemaphore_formatter_loki::Loki>(),
        formatter::<siemaphore_formatter_newrelic::NewRelic>(),
        formatter::<siemaphore_formatter_ocsf::Ocsf>(),
        formatter::<siemaphore_formatter_otlp::Otlp>(),
        formatter::<siemaphore_formatter_pagerduty::PagerDuty>(),
        formatter::<siemaphore_formatter_sentinel::Sentinel>(),
        formatter::<siemaphore_formatter_slack::Slack>(),
        formatter::<siemaphore_formatter_splunk::Splunk>(),
        formatter::<siemaphore_formatter_sumologic::SumoLogic>(),
        formatter::<siemaphore_formatter_webhook::Webhook>(),
    ]
}

#[test]
fn no_formatter_is_missing() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let beside =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut beside: Vec<String> =
        beside.filter(|name| !matches!(name.as_str(), "bundle" | "producers")).collect();
    beside.sort();
    assert_eq!(formatters().iter().map(|one| one.name).collect::<Vec<_>>(), beside);
}
