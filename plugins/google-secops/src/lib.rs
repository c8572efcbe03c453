//! Security events for Google SecOps, through the Chronicle API (`events.import`), as UDM.
//!
//! An event of the Unified Data Model needs no parser in the tenant. Its type decides which fields are required, and
//! one invalid event has the whole request refused, so an event gets a special type only when it has all that the
//! type requires; every other one is a `GENERIC_EVENT`.
#![forbid(unsafe_code)]

mod additional;
mod answer;
mod event_type;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Enclosure, Event, Formatter, Framing, Limits, Probe, Product, Rejected,
    RequestProfile, Response, SettingProblem, Verdict, Writer,
};

pub use settings::Settings;

const PREFIX: &[u8] = br#"{"inlineSource":{"events":["#;
const SUFFIX: &[u8] = b"]}}";

/// 4 MB a request, before compression.
const BODY_BYTES: u32 = 4_000_000;

/// Formats for one instance of Google SecOps.
#[derive(Debug)]
pub struct GoogleSecOps {
    template: record::Template,
}

impl Formatter for GoogleSecOps {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "google-secops",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "Google SecOps (Chronicle)",
            summary: "Each event arrives as a UDM event with principal, target and security result; no parser is needed.",
            settings_example: r#"{"project":"my-secops-project","location":"eu","instance":"01234567-89ab-cdef-0123-456789abcdef"}"#,
            endpoint_example: "https://eu-chronicle.googleapis.com",
            secret_name: "service account key (JSON)",
            authentication: vec![
                AuthenticationHint::new(
                    "google-service-account",
                    r#"{"scope":"https://www.googleapis.com/auth/cloud-platform"}"#,
                ),
                AuthenticationHint::new("bearer", "{}"),
            ],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(GoogleSecOps, RequestProfile), Vec<SettingProblem>> {
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
        let instance = settings.instance_path();
        let probe = Probe {
            query: vec![("pageSize".to_owned(), "1".to_owned())],
            ..Probe::get(format!("{instance}/logTypes"))
        };
        let profile = RequestProfile {
            probe: Some(probe),
            ..RequestProfile::post_json(format!("{instance}/events:import"), framing, limits)
        };
        Ok((GoogleSecOps { template: record::Template::new(settings) }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        self.template.write(event, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(GoogleSecOps);
