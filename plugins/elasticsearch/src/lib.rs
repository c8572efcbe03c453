//! Security events for Elasticsearch and OpenSearch (`_bulk`).
//!
//! A record is two lines, the action and the document. The action is always `create` with the event's key as `_id`:
//! data streams take nothing else, and a repeated delivery is answered with 409 instead of stored twice. That also makes
//! it safe to send a batch again of which nobody knows what became.
//!
//! Documents are in the Elastic Common Schema; the producer's own members are kept below one member named after the
//! producer, where they can neither collide with ECS nor with another producer's types.
#![forbid(unsafe_code)]

mod answer;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Framing, Limits, Probe, Product, Rejected, RequestProfile,
    Response, SettingProblem, Verdict, Writer, ecs,
};

pub use settings::{Service, Settings};

/// Elasticsearch takes 100 MB; small nodes of Amazon OpenSearch take 10 MiB, and a few megabytes index fastest.
const BODY_BYTES: u32 = 5_000_000;
const LIMITS: Limits = Limits { records: 1_000, body_bytes: BODY_BYTES, record_bytes: BODY_BYTES };

/// What the verdict needs of the answer. Without it, Elasticsearch repeats index, id and shards for each document.
const ANSWER_MEMBERS: &str = "errors,items.*.status,items.*.failure_store,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason";

/// Formats for one data stream or index.
#[derive(Debug)]
pub struct Elasticsearch {
    settings: Settings,
}

impl Formatter for Elasticsearch {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "elasticsearch",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "Elasticsearch and OpenSearch",
            summary: "Each event arrives in a data stream as an ECS document, with the producer's own members beside it.",
            settings_example: r#"{"target":"logs-siemaphore.security-default"}"#,
            endpoint_example: "https://elasticsearch.example.com:9200",
            secret_name: "API key (encoded)",
            authentication: vec![
                AuthenticationHint::new("header", r#"{"header":"Authorization","prefix":"ApiKey "}"#),
                AuthenticationHint::new("basic", r#"{"username":"siemaphore"}"#),
                AuthenticationHint::new("bearer", "{}"),
                AuthenticationHint::new(
                    "aws-sigv4",
                    r#"{"region":"eu-central-1","service":"es","access_key_id":"AKIAIOSFODNN7EXAMPLE"}"#,
                ),
            ],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(Elasticsearch, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut query = vec![("filter_path".to_owned(), ANSWER_MEMBERS.to_owned())];
        query.extend(settings.pipeline.iter().map(|pipeline| ("pipeline".to_owned(), pipeline.clone())));
        let profile = RequestProfile {
            query,
            content_type: "application/x-ndjson".to_owned(),
            probe: Some(Probe::get(settings.service.who_am_i())),
            ..RequestProfile::post_json(
                format!("/{}/_bulk", settings.target),
                // Each record brings its own newlines: two lines are one record.
                Framing::Concatenated,
                LIMITS,
            )
        };
        Ok((Elasticsearch { settings }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        record.object().object("create").string("_id", &event.key);
        record.raw("\n");
        ecs::write(event, &self.settings.fields, record);
        record.raw("\n");
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response, &self.settings)
    }
}

siemaphore_sdk::export!(Elasticsearch);
