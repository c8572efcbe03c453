//! Security events in the Common Event Format (CEF), for any HTTP collector.
//!
//! A line has what analysts ask for in CEF's own keys, and the whole document in a key of ours. A line is never longer
//! than the operator says: what has no room is cut, the document first.
//!
//! There is no probe: a collector has no request in common with others that stores nothing.
#![forbid(unsafe_code)]

mod line;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Product, Rejected, RequestProfile, Response, SettingProblem,
    Verdict, Writer,
};

pub use settings::Settings;

/// What to do when the collector does not take the body's type.
const WRONG_MEDIA: &str = "set `content_type` to what the collector takes, and leave `gzip` off";

/// Formats for one collector.
#[derive(Debug)]
pub struct Cef {
    settings: Settings,
}

impl Formatter for Cef {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "cef",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "CEF over HTTP",
            summary: "Each event arrives as a line in the Common Event Format, with its document in SiemaphoreDocument.",
            settings_example: r#"{"vendor":"Acme","product":"AI Gateway","path":"/cef"}"#,
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
    ) -> Result<(Cef, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let profile = settings.profile();
        Ok((Cef { settings }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        record::write(&self.settings, event, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        Verdict::of_any_collector(response, WRONG_MEDIA)
    }
}

siemaphore_sdk::export!(Cef);
