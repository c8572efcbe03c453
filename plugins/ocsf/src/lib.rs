//! Security events in the Open Cybersecurity Schema Framework (OCSF), for any HTTP collector.
//!
//! A decision against something, or a remark about it, is a Detection Finding (2004); everything else that agents and
//! people do is API Activity (6003). What the schema has no place for stays in `unmapped`: the whole document.
//!
//! There is no probe: a collector has no request in common with others that stores nothing.
#![forbid(unsafe_code)]

mod artificial;
mod class;
mod control;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Product, Rejected, RequestProfile, Response, SettingProblem,
    Verdict, Writer,
};

pub use settings::Settings;

/// What to do when the collector does not take the body's type.
const WRONG_MEDIA: &str = "set `framing` to what the collector takes (lines are sent as application/x-ndjson), and leave \
                           `gzip` off";

/// Formats for one collector.
#[derive(Debug)]
pub struct Ocsf {
    settings: Settings,
}

impl Formatter for Ocsf {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "ocsf",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "OCSF",
            summary: "Each event arrives as an OCSF Detection Finding or API Activity, with its document in `unmapped`.",
            settings_example: r#"{"schema_version":"1.8.0","path":"/ingest","framing":"array"}"#,
            endpoint_example: "https://collector.example.com",
            secret_name: "token",
            authentication: vec![
                AuthenticationHint::new("bearer", "{}"),
                AuthenticationHint::new("header", r#"{"header":"X-Api-Key"}"#),
                AuthenticationHint::new("basic", r#"{"username":"siemaphore"}"#),
            ],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(Ocsf, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let profile = settings.profile();
        Ok((Ocsf { settings }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        record::write(&self.settings, event, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        Verdict::of_any_collector(response, WRONG_MEDIA)
    }
}

siemaphore_sdk::export!(Ocsf);
