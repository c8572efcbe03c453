//! Security events for the Splunk HTTP Event Collector (HEC), event endpoint.
//!
//! A record wraps the document as it is in `event`; what we know about the event stands beside it, in Splunk's own
//! metadata and in indexed fields. Objects are sent one after the other, as HEC's documentation has it. The limits
//! are those that Enterprise and Cloud both take, far below what either allows: a larger request is not faster.
#![forbid(unsafe_code)]

mod acknowledgement;
mod answer;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Framing, Limits, Probe, Product, Rejected, RequestProfile,
    Response, SettingProblem, Verdict, Writer,
};

use crate::acknowledgement::{CHANNEL_HEADER, Channel, PATH};

pub use settings::Settings;

const BODY_BYTES: u32 = 1_000_000;

/// Formats for one HEC token.
#[derive(Debug)]
pub struct Splunk {
    template: record::Template,
    /// There when events count as delivered only after Splunk has indexed them.
    channel: Option<Channel>,
}

impl Formatter for Splunk {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "splunk",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "Splunk HTTP Event Collector",
            summary: "Each event arrives as JSON in `event`, with its severity and type as indexed fields.",
            settings_example: r#"{"host":"ai-gateway","source":"siemaphore","sourcetype":"aisg:security","index":"main","fields":{"environment":"production"}}"#,
            endpoint_example: "https://splunk.example.com:8088",
            secret_name: "HEC token",
            authentication: vec![AuthenticationHint::new(
                "header",
                r#"{"header":"Authorization","prefix":"Splunk "}"#,
            )],
        }
    }

    fn configure(
        settings: Settings,
        destination: &str,
    ) -> Result<(Splunk, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let limits = Limits { records: 1_000, body_bytes: BODY_BYTES, record_bytes: BODY_BYTES };
        let mut profile = RequestProfile {
            probe: Some(Probe::get("/services/collector/health")),
            ..RequestProfile::post_json("/services/collector/event", Framing::Concatenated, limits)
        };
        let channel = settings.indexer_acknowledgement.then(|| Channel::of(destination));
        if let Some(channel) = &channel {
            profile.headers.push((CHANNEL_HEADER.to_owned(), channel.name().to_owned()));
            profile.follow_up_path = Some(PATH.to_owned());
            // Only the indexer that took a request can confirm it.
            profile.sticky = true;
        }
        Ok((Splunk { template: record::Template::new(&settings), channel }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        self.template.write(event, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response, self.channel.as_ref())
    }
}

siemaphore_sdk::export!(Splunk);
