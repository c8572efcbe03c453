//! Security events as OpenTelemetry log records, over OTLP/HTTP with JSON bodies.
//!
//! A record is a whole `ResourceLogs` of one log record: records are cut into requests anywhere, so none can share its
//! resource with another. The document's members become attributes, which is where backends index; the body is a
//! sentence for people.
//!
//! OTLP knows no duplicates. `log.record.uid` is the same when an event is sent again, for backends that look at it.
#![forbid(unsafe_code)]

mod answer;
mod attributes;
mod record;
mod settings;
mod value;

use siemaphore_sdk::{
    AuthenticationHint, Enclosure, Event, Formatter, Framing, Limits, Probe, Product, Rejected,
    RequestProfile, Response, SettingProblem, Verdict, Writer,
};

pub use settings::Settings;

const PATH: &str = "/v1/logs";

const PREFIX: &[u8] = br#"{"resourceLogs":["#;
const SUFFIX: &[u8] = b"]}";

/// The specification recommends servers a cap of 64 MiB, and many vendors take less. A 413 splits what is still too
/// large; every event that intake accepts fits by itself.
const BODY_BYTES: u32 = 4_000_000;

/// Formats for one OTLP endpoint.
#[derive(Debug)]
pub struct Otlp {
    template: record::Template,
}

impl Formatter for Otlp {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "otlp",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "OpenTelemetry (OTLP logs)",
            summary: "Each event arrives as a log record with semantic-convention attributes, over OTLP/HTTP in JSON.",
            settings_example: r#"{"resource":{"deployment.environment.name":"production"}}"#,
            endpoint_example: "https://otel-collector.example.com:4318",
            secret_name: "token or API key",
            authentication: vec![
                AuthenticationHint::new("bearer", "{}"),
                AuthenticationHint::new("header", r#"{"header":"api-key"}"#),
                AuthenticationHint::new("basic", "{}"),
                AuthenticationHint::new("none", "{}"),
            ],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(Otlp, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let framing = Framing::Enclosed(Enclosure {
            prefix: PREFIX.to_vec(),
            separator: b",".to_vec(),
            suffix: SUFFIX.to_vec(),
        });
        let record_bytes = BODY_BYTES - (PREFIX.len() + SUFFIX.len()) as u32;
        let limits = Limits { records: 1_000, body_bytes: BODY_BYTES, record_bytes };
        let probe = Probe {
            get: false,
            path: PATH.to_owned(),
            query: Vec::new(),
            // Servers should answer a request without logs with success.
            body: [PREFIX, SUFFIX].concat(),
        };
        let profile =
            RequestProfile { probe: Some(probe), ..RequestProfile::post_json(PATH, framing, limits) };
        Ok((Otlp { template: record::Template::new(settings) }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        self.template.write(event, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(Otlp);
