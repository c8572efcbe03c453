//! Security events as alerts of PagerDuty (Events API v2).
//!
//! Each event triggers an alert under its key, so that an event that is sent again opens no second one. An operator can
//! have one open alert for all events that agree in some values instead ([`Settings::alert_per`]). The routing key is
//! the secret and a member of the body: the host puts it there.
//!
//! There is no probe: every request that PagerDuty accepts calls somebody.
#![forbid(unsafe_code)]

mod answer;
mod deduplication;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Framing, Limits, Product, Rejected, RequestProfile, Response,
    SettingProblem, Verdict, Writer,
};

pub use settings::Settings;

/// PagerDuty takes 512 KB. The host takes what the routing key needs off this.
const LIMITS: Limits = Limits { records: 1, body_bytes: 512_000, record_bytes: 512_000 };

/// Formats for one integration of a service.
#[derive(Debug)]
pub struct PagerDuty {
    settings: Settings,
}

impl Formatter for PagerDuty {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "pagerduty",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "PagerDuty",
            summary: "Each event triggers an alert with a line that says what happened, and the document in its details.",
            settings_example: r#"{"client":"Siemaphore","client_url":"https://siemaphore.example.com"}"#,
            endpoint_example: "https://events.pagerduty.com",
            secret_name: "integration key",
            authentication: vec![AuthenticationHint::new("body-field", r#"{"field":"routing_key"}"#)],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(PagerDuty, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let profile = RequestProfile {
            // The host writes the routing key into the body, so it has to be able to read it.
            compression: Vec::new(),
            ..RequestProfile::post_json("/v2/enqueue", Framing::OnePerRequest, LIMITS)
        };
        Ok((PagerDuty { settings }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        record::write(&self.settings, event, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(PagerDuty);
