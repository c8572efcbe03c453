//! Security events for CrowdStrike Falcon LogScale and Falcon Next-Gen SIEM, over their HEC-compatible endpoint.
//!
//! The envelope is Splunk's; the event in it is a document in ECS, which is what CrowdStrike's parsers make of other
//! sources. What is only theirs (`Vendor`, tags) belongs to the parser of the token or connector, not here.
//!
//! There is no probe: nothing harmless at this endpoint says whether a token is right.
#![forbid(unsafe_code)]

mod answer;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Framing, Limits, Product, Rejected, RequestProfile, Response,
    SettingProblem, Verdict, Writer, ecs,
};

pub use settings::{Path, Settings};

/// LogScale takes 32 MiB a request by default and cuts an event above 1 MB down to its text and time.
const LIMITS: Limits = Limits { records: 1_000, body_bytes: 5_000_000, record_bytes: 1_000_000 };

const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;

/// Formats for one repository or connector.
#[derive(Debug)]
pub struct LogScale {
    settings: Settings,
}

impl Formatter for LogScale {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "logscale",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "CrowdStrike Falcon LogScale and Next-Gen SIEM",
            summary: "Each event arrives as an ECS document with the producer's own members beside it.",
            settings_example: r#"{"path":"/services/collector"}"#,
            endpoint_example: "https://cloud.us.humio.com",
            secret_name: "ingest token",
            authentication: vec![AuthenticationHint::new("bearer", "{}")],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(LogScale, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        // Objects have to be apart by white space.
        let profile = RequestProfile::post_json(settings.path.as_str(), Framing::Newline, LIMITS);
        Ok((LogScale { settings }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        let mut object = record.object();
        // In seconds; what is finer than milliseconds is not kept there.
        let whole = event.timestamp_ns / NANOSECONDS_PER_MILLISECOND * NANOSECONDS_PER_MILLISECOND;
        object.plain_key("time").epoch_seconds(whole);
        object.string("host", &event.source);
        object.string("source", &event.producer);
        if let Some(parser) = &self.settings.sourcetype {
            object.string("sourcetype", parser);
        }
        ecs::write(event, &self.settings.fields, object.plain_key("event"));
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(LogScale);
