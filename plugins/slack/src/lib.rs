//! Security events as messages in a channel of Slack (incoming webhooks).
//!
//! Each event is one message: a line for the notification, then who, what and under which policy, then the document.
//! Nothing in an event can mention anybody, hide an address behind words or have one fetched ([`markup`]); only the
//! operator's own settings mention people. In the line for the notification an address that is written out is still a
//! link, and `*…*` still bold.
//!
//! There is no probe: whatever a webhook accepts is a message.
#![forbid(unsafe_code)]

mod answer;
mod markup;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Framing, Limits, Product, Rejected, RequestProfile, Response,
    SettingProblem, Verdict, Writer,
};

pub use settings::Settings;

/// No limit of a request is documented, only those of its texts. Messages stay far below this.
const LIMITS: Limits = Limits { records: 1, body_bytes: 100_000, record_bytes: 100_000 };

/// Formats for one webhook.
#[derive(Debug)]
pub struct Slack {
    settings: Settings,
}

impl Formatter for Slack {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "slack",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "Slack",
            summary: "Each event arrives as a message: what happened, who and what was involved, and the document.",
            settings_example: r#"{"document":true,"mentions":{"critical":"<!here>"}}"#,
            endpoint_example: "https://hooks.slack.com/services/{secret}",
            secret_name: "what stands after /services/ in the webhook's URL",
            authentication: vec![AuthenticationHint::new("url-path", "{}")],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(Slack, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let profile = RequestProfile {
            compression: Vec::new(),
            // The endpoint is the whole URL, as Slack shows it.
            ..RequestProfile::post_json("/", Framing::OnePerRequest, LIMITS)
        };
        Ok((Slack { settings }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        record::write(&self.settings, event, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(Slack);
