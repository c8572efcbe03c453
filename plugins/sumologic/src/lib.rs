//! Security events for a Sumo Logic HTTP source.
//!
//! A line has the event's time first, where Sumo Logic looks for one, then what the envelope knows, then the
//! document's own members. What Sumo Logic knows of a whole request (category, name, host, fields) goes into headers.
//!
//! There is no probe: whatever is posted to a source is a message.
#![forbid(unsafe_code)]

mod answer;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Compression, Event, Formatter, Framing, Limits, Product, Rejected, RequestProfile,
    Response, SettingProblem, Verdict, Writer,
};

pub use settings::Settings;

/// Sumo Logic recommends at most 1 MB before compression. It has no limit of messages; this one keeps a request far
/// from the 30 seconds within which it has to end.
const LIMITS: Limits =
    Limits { records: 10_000, body_bytes: 1_000_000, record_bytes: record::LONGEST_LINE as u32 };

/// Formats for one HTTP source.
#[derive(Debug)]
pub struct SumoLogic {
    settings: Settings,
}

impl Formatter for SumoLogic {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "sumologic",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "Sumo Logic",
            summary: "Each event arrives as one JSON message, with its time, its severity and the same names for who and what.",
            settings_example: r#"{"category":"security/{producer}","host":"ai-gateway","sumo_fields":{"team":"soc"}}"#,
            endpoint_example: "https://collectors.sumologic.com/receiver/v1/http/{secret}",
            secret_name: "code at the end of the source's URL, or its token",
            authentication: vec![
                AuthenticationHint::new("url-path", "{}"),
                AuthenticationHint::new("header", r#"{"header":"x-sumo-token"}"#),
            ],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(SumoLogic, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let profile = RequestProfile {
            content_type: "text/plain; charset=utf-8".to_owned(),
            headers: settings.headers(),
            compression: vec![Compression::Zstd, Compression::Gzip, Compression::Deflate],
            // The endpoint is the whole URL, as Sumo Logic shows it.
            ..RequestProfile::post_json("/", Framing::Newline, LIMITS)
        };
        Ok((SumoLogic { settings }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        record::write(event, &self.settings.fields, record)
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(SumoLogic);
