//! Security events for Logstash (http input, codec json).
//!
//! Logstash answers "ok" to anything: a body that is not JSON becomes one event with a tag. So records are made to be
//! read by the codec, and to collide neither with what Logstash keeps for itself nor with what the input adds.
//!
//! There is no probe: the input takes every request for an event.
#![forbid(unsafe_code)]

mod answer;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Framing, Limits, Product, Rejected, RequestProfile, Response,
    SettingProblem, Verdict, Writer,
};

pub use settings::Settings;

/// Logstash takes `max_content_length`, by default 100 MiB. It answers when its pipeline has taken all events of the
/// request, which has to be before the request times out: so they are few.
const LIMITS: Limits = Limits { records: 1_000, body_bytes: 104_857_600, record_bytes: 1_000_000 };

/// Formats for one http input.
#[derive(Debug)]
pub struct Logstash {
    settings: Settings,
}

impl Formatter for Logstash {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "logstash",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "Logstash",
            summary: "Each event arrives as an event of Logstash, with its time, its severity and the same names for who and what.",
            settings_example: r#"{"tags":["ai-security"]}"#,
            endpoint_example: "https://logstash.example.com:8080",
            secret_name: "password",
            authentication: vec![
                AuthenticationHint::new("basic", r#"{"username":"siemaphore"}"#),
                AuthenticationHint::new("header", r#"{"header":"X-Api-Key"}"#),
                AuthenticationHint::new("none", "{}"),
            ],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(Logstash, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok((Logstash { settings }, RequestProfile::post_json("/", Framing::JsonArray, LIMITS)))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        record::write(event, &self.settings, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(Logstash);
