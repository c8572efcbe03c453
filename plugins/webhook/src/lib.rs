//! Security events for webhooks and custom HTTPS collectors.
//!
//! The body is the event with its envelope, the bare document, or the operator's own template. Signatures are made by
//! the host over the finished body, so nothing here depends on them.
//!
//! There is no probe: a webhook has no request that stores nothing.
#![forbid(unsafe_code)]

mod answer;
mod placeholder;
mod record;
mod settings;
mod template;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Product, Rejected, RequestProfile, Response, SettingProblem,
    Verdict, Writer,
};

pub use settings::Settings;

/// Formats for one receiver.
#[derive(Debug)]
pub struct Webhook {
    layout: record::Layout,
}

impl Formatter for Webhook {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "webhook",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "Webhook",
            summary: "Each event arrives as JSON: with its envelope, as the bare document, or in a template of yours.",
            settings_example: r#"{"template":"{\"key\":{{key}},\"type\":{{event_type}},\"timestamp\":{{timestamp}},\"severity\":{{severity}},\"data\":{{document}}}","headers":{"X-Source":"ai-gateway"}}"#,
            endpoint_example: "https://hooks.example.com/security",
            secret_name: "signing secret",
            authentication: vec![
                AuthenticationHint::new("standard-webhooks", "{}"),
                AuthenticationHint::new("hmac", r#"{"header":"X-Hub-Signature-256","prefix":"sha256="}"#),
                AuthenticationHint::new("bearer", "{}"),
                AuthenticationHint::new("header", r#"{"header":"X-Api-Key"}"#),
            ],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(Webhook, RequestProfile), Vec<SettingProblem>> {
        let mut problems = settings.problems();
        let profile = settings.profile();
        let layout = settings.into_layout().map_err(|problem| problems.push(problem));
        match layout {
            Ok(layout) if problems.is_empty() => Ok((Webhook { layout }, profile)),
            _ => Err(problems),
        }
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        self.layout.write(event, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(Webhook);
