//! Security events for New Relic (Log API).
//!
//! New Relic takes any payload with 202 and finds its faults later, where only a query shows them. So a log is made to
//! have none: flat attributes, no lists, no reserved names, no more attributes than are kept.
//!
//! There is no probe: whatever is posted is a log, or a fault of which nobody is told.
#![forbid(unsafe_code)]

mod answer;
mod attributes;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Enclosure, Event, Formatter, Framing, Limits, Product, Rejected, ReplayWindow,
    RequestProfile, Response, SettingProblem, TooOld, Verdict, Writer,
};

pub use settings::Settings;

/// New Relic takes 10^6 bytes. It has no limit of logs.
const MAX_BODY_BYTES: u32 = 1_000_000;
const MAX_RECORDS: u32 = 10_000;

/// New Relic answers 202 to older logs and may drop them.
const REPLAY_WINDOW: ReplayWindow = ReplayWindow { max_age_s: 48 * 60 * 60, effect: TooOld::Dropped };

/// Formats for one New Relic account.
#[derive(Debug)]
pub struct NewRelic {
    settings: Settings,
}

impl Formatter for NewRelic {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "newrelic",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "New Relic Logs",
            summary: "Each event arrives as a log with a level and flat attributes, lists joined by commas.",
            settings_example: r#"{"service":"ai-gateway","attributes":{"environment":"production"}}"#,
            endpoint_example: "https://log-api.eu.newrelic.com",
            secret_name: "license key",
            authentication: vec![AuthenticationHint::new("header", r#"{"header":"Api-Key"}"#)],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(NewRelic, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let enclosure = enclosure(&settings);
        // Far below the limit: settings bound what all logs have in common.
        let enclosed = (enclosure.prefix.len() + enclosure.suffix.len()) as u32;
        let limits = Limits {
            records: MAX_RECORDS,
            body_bytes: MAX_BODY_BYTES,
            record_bytes: MAX_BODY_BYTES.saturating_sub(enclosed),
        };
        let profile = RequestProfile {
            replay_window: Some(REPLAY_WINDOW),
            ..RequestProfile::post_json("/log/v1", Framing::Enclosed(enclosure), limits)
        };
        Ok((NewRelic { settings }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        record::write(event, &self.settings, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

/// A list of one block: what all logs have in common, then the logs.
fn enclosure(settings: &Settings) -> Enclosure {
    let mut common = Writer::default();
    if !settings.attributes.is_empty() {
        common.raw(r#""common":"#);
        let mut common = common.object();
        let mut attributes = common.object("attributes");
        for (name, value) in &settings.attributes {
            attributes.string(name, value);
        }
    }
    if !common.is_empty() {
        common.raw(",");
    }
    let mut prefix = b"[{".to_vec();
    prefix.extend(common.into_bytes());
    prefix.extend_from_slice(br#""logs":["#);
    Enclosure { prefix, separator: b",".to_vec(), suffix: b"]}]".to_vec() }
}

siemaphore_sdk::export!(NewRelic);
