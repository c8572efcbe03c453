//! Security events in the Log Event Extended Format (LEEF 2.0), for IBM QRadar and other HTTP collectors.
//!
//! A line has what analysts ask for in keys that QRadar knows, and the whole document in the key `document`. A line is
//! never longer than the operator says: what has no room is cut, the document first.
//!
//! There is no probe: a collector has no request in common with others that stores nothing.
#![forbid(unsafe_code)]

mod answer;
mod line;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Product, Rejected, RequestProfile, Response, SettingProblem,
    Verdict, Writer,
};

pub use settings::Settings;

/// Formats for one collector.
#[derive(Debug)]
pub struct Leef {
    template: record::Template,
}

impl Formatter for Leef {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "leef",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "LEEF for IBM QRadar",
            summary: "Each event arrives as a line in the Log Event Extended Format, with its document in `document`.",
            settings_example: r#"{"vendor":"Acme","product":"AI Gateway","framing":"lines"}"#,
            endpoint_example: "https://qradar.example.com:12469",
            secret_name: "token",
            authentication: vec![
                AuthenticationHint::new("none", "{}"),
                AuthenticationHint::new("bearer", "{}"),
                AuthenticationHint::new("header", r#"{"header":"X-Api-Key"}"#),
            ],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(Leef, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        match line::Delimiter::parse(&settings.delimiter) {
            Ok(delimiter) if problems.is_empty() => {
                let profile = settings.profile();
                Ok((Leef { template: record::Template { settings, delimiter } }, profile))
            }
            _ => Err(problems),
        }
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        self.template.write(event, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(Leef);
