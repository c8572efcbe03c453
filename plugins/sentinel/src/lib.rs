//! Security events for Microsoft Sentinel, through the Logs Ingestion API of Azure Monitor.
//!
//! A Log Analytics table has columns, and what has no column is dropped with success. So a record is flat: a few
//! columns from the envelope, under names that never change, then the document's members, nested ones joined with `_`.
#![forbid(unsafe_code)]

mod answer;
mod columns;
mod record;
mod settings;

use siemaphore_sdk::facts::FactPlaces;
use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Framing, Limits, Probe, Product, Rejected, ReplayWindow,
    RequestProfile, Response, SettingProblem, TooOld, Verdict, Writer,
};

pub use settings::{Settings, SuffixedColumns};

const API_VERSION: &str = "2023-01-01";

/// Azure allows 1 MB a request, compressed and not.
const BODY_BYTES: u32 = 1_000_000;

/// Azure replaces the time of older events by the time of receipt.
const REPLAY_WINDOW: ReplayWindow = ReplayWindow { max_age_s: 2 * 24 * 60 * 60, effect: TooOld::Retimed };

/// Formats for one data collection rule.
#[derive(Debug)]
pub struct Sentinel {
    suffixed_columns: SuffixedColumns,
    places: FactPlaces,
}

impl Formatter for Sentinel {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "sentinel",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "Microsoft Sentinel",
            summary: "Each event arrives as a row of a Log Analytics table, with Sentinel's severities.",
            settings_example: r#"{"dcr_immutable_id":"dcr-0123456789abcdef0123456789abcdef","stream":"Custom-AiEvents_CL"}"#,
            endpoint_example: "https://ai-events-ab12.westeurope-1.ingest.monitor.azure.com",
            secret_name: "client secret",
            authentication: vec![AuthenticationHint::new(
                "oauth2-client-credentials",
                r#"{"token_url":"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token","scope":"https://monitor.azure.com/.default"}"#,
            )],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(Sentinel, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let path = format!("/dataCollectionRules/{}/streams/{}", settings.dcr_immutable_id, settings.stream);
        let query = vec![("api-version".to_owned(), API_VERSION.to_owned())];
        // Two bytes are the brackets around the only record.
        let limits = Limits { records: 1_000, body_bytes: BODY_BYTES, record_bytes: BODY_BYTES - 2 };
        let profile = RequestProfile {
            query: query.clone(),
            // No rows: answered with 204 where endpoint, rule, stream and permission are right.
            probe: Some(Probe { get: false, path: path.clone(), query, body: b"[]".to_vec() }),
            replay_window: Some(REPLAY_WINDOW),
            ..RequestProfile::post_json(path, Framing::JsonArray, limits)
        };
        Ok((Sentinel { suffixed_columns: settings.suffixed_columns, places: settings.fields }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        record::write(event, &self.places, self.suffixed_columns.apply_to(&event.producer), record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(Sentinel);
