//! Security events for Datadog Logs (API v2).
//!
//! An item has the document's own members at its root, where Datadog's search looks for attributes, and beside them
//! the attributes that Datadog gives a meaning. Those win: a member of the document with such a name moves aside.
//!
//! There is no probe. Datadog answers whether a key is valid only on another host (`api.<site>`), and a formatter asks
//! for requests to the destination's own endpoint alone; an empty array would be stored as an empty log.
#![forbid(unsafe_code)]

mod answer;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Framing, Limits, Product, Rejected, ReplayWindow, RequestProfile,
    Response, SettingProblem, TooOld, Verdict, Writer,
};

pub use settings::Settings;

/// Datadog's limits are 1,000 items, 5 MB a body and 1 MB an item; what is longer, it cuts and still accepts.
const LIMITS: Limits = Limits { records: 1_000, body_bytes: 5_000_000, record_bytes: 1_000_000 };

/// Datadog answers 202 to older logs and drops them.
const REPLAY_WINDOW: ReplayWindow = ReplayWindow { max_age_s: 18 * 60 * 60, effect: TooOld::Dropped };

/// Formats for one Datadog organisation.
#[derive(Debug)]
pub struct Datadog {
    template: record::Template,
}

impl Formatter for Datadog {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "datadog",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "Datadog Logs",
            summary: "Each event arrives as a log with status, tags and the standard attributes usr and evt.",
            settings_example: r#"{"service":"ai-gateway","environment":"production","tags":["team:security"]}"#,
            endpoint_example: "https://http-intake.logs.datadoghq.eu",
            secret_name: "API key",
            authentication: vec![AuthenticationHint::new("header", r#"{"header":"DD-API-KEY"}"#)],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(Datadog, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let profile = RequestProfile {
            replay_window: Some(REPLAY_WINDOW),
            ..RequestProfile::post_json("/api/v2/logs", Framing::JsonArray, LIMITS)
        };
        Ok((Datadog { template: record::Template::new(settings) }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        self.template.write(event, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(Datadog);
