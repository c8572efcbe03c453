//! Security events for Grafana Loki (push API).
//!
//! Loki indexes the labels of a stream and nothing else, and every combination of their values is a stream of its own.
//! So labels are few and have few values; what is asked of single events goes into structured metadata, and the
//! document is the line.
//!
//! There is no probe: what a token that may only write can ask for differs from one Loki to the next.
#![forbid(unsafe_code)]

mod answer;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Enclosure, Event, Formatter, Framing, Limits, Product, Rejected, ReplayWindow,
    RequestProfile, Response, SettingProblem, TooOld, Verdict, Writer,
};

pub use settings::{Label, Settings};

/// Loki takes 4 MB a second and 6 MB at once. A request within one second's worth waits for no other.
const LIMITS: Limits = Limits { records: 5_000, body_bytes: 4_000_000, record_bytes: 1_000_000 };

const HOUR_S: u64 = 60 * 60;

/// Formats for one tenant of a Loki.
#[derive(Debug)]
pub struct Loki {
    template: record::Template,
}

impl Formatter for Loki {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "loki",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "Grafana Loki",
            summary: "Each event arrives as a JSON line with few labels, and with who and what as structured metadata.",
            settings_example: r#"{"tenant":"security","labels":{"service_name":"ai-gateway"},"event_labels":["producer","level"]}"#,
            endpoint_example: "https://logs-prod-012.grafana.net",
            secret_name: "access policy token",
            authentication: vec![
                AuthenticationHint::new("basic", r#"{"username":"123456"}"#),
                AuthenticationHint::new("bearer", "{}"),
                AuthenticationHint::new("none", "{}"),
            ],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(Loki, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let framing = Framing::Enclosed(Enclosure {
            prefix: br#"{"streams":["#.to_vec(),
            separator: b",".to_vec(),
            suffix: b"]}".to_vec(),
        });
        let tenant = settings.tenant.iter();
        let profile = RequestProfile {
            headers: tenant.map(|tenant| ("X-Scope-OrgID".to_owned(), tenant.clone())).collect(),
            replay_window: replay_window(settings.max_age_hours),
            ..RequestProfile::post_json("/loki/api/v1/push", framing, LIMITS)
        };
        Ok((Loki { template: record::Template::new(settings) }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        self.template.write(event, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

/// Loki refuses older lines, and the good ones of the same request are stored all the same: such an event is not even
/// sent.
fn replay_window(max_age_hours: u32) -> Option<ReplayWindow> {
    let max_age_s = u64::from(max_age_hours) * HOUR_S;
    (max_age_hours > 0).then_some(ReplayWindow { max_age_s, effect: TooOld::Dropped })
}

siemaphore_sdk::export!(Loki);
