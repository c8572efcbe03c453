//! Security events for the HTTP Data Collector API of Azure Monitor, which Microsoft retired on 14 September 2026.
//!
//! For what still speaks this API, and for the time of a migration; the formatter `sentinel` is for the API that
//! replaced it. Columns made here have the type in their name: `action` arrives as `action_s`.
#![forbid(unsafe_code)]

mod answer;
mod columns;
mod record;
mod settings;

use siemaphore_sdk::{
    AuthenticationHint, Event, Formatter, Framing, Limits, Product, Rejected, ReplayWindow, RequestProfile,
    Response, SettingProblem, TooOld, Verdict, Writer,
};

pub use settings::Settings;

const PATH: &str = "/api/logs";
const API_VERSION: &str = "2016-04-01";

/// 30 MB a request.
const BODY_BYTES: u32 = 30_000_000;

/// The time of older events is replaced by the time of receipt.
const REPLAY_WINDOW: ReplayWindow = ReplayWindow { max_age_s: 2 * 24 * 60 * 60, effect: TooOld::Retimed };

/// Formats for one workspace.
#[derive(Debug)]
pub struct DataCollector {
    settings: Settings,
}

impl Formatter for DataCollector {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "azure-data-collector",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Siemaphore",
            title: "Azure HTTP Data Collector (retired)",
            summary: "Rows of a custom table, for the API that Microsoft retired on 2026-09-14: use the formatter sentinel.",
            settings_example: r#"{"log_type":"AiEvents"}"#,
            endpoint_example: "https://01234567-89ab-cdef-0123-456789abcdef.ods.opinsights.azure.com",
            secret_name: "workspace key (primary or secondary)",
            // No example of a workspace id: a parameter that is suggested is used where the operator gives none.
            authentication: vec![AuthenticationHint::new("azure-shared-key", "{}")],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(DataCollector, RequestProfile), Vec<SettingProblem>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        // Two bytes are the brackets around the only record.
        let limits = Limits { records: 1_000, body_bytes: BODY_BYTES, record_bytes: BODY_BYTES - 2 };
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let profile = RequestProfile {
            query: vec![header("api-version", API_VERSION)],
            headers: vec![
                header("Log-Type", &settings.log_type),
                header("time-generated-field", record::TIME_COLUMN),
            ],
            // The signature covers the length of the body as sent, and no compression is documented.
            compression: Vec::new(),
            replay_window: Some(REPLAY_WINDOW),
            ..RequestProfile::post_json(PATH, Framing::JsonArray, limits)
        };
        Ok((DataCollector { settings }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        record::write(event, &self.settings.fields, record);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        answer::interpret(response)
    }
}

siemaphore_sdk::export!(DataCollector);
