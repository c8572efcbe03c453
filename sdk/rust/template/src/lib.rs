//! Security events for {{title}}: each becomes one JSON object, in an array or one a line.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::{
    AuthenticationHint, Event, Fate, Formatter, Framing, Limits, Partial, Probe, Product, Rejected,
    RequestProfile, Response, Run, SettingProblem, Verdict, Writer,
};

/// What the operator can set. Doc comments become the form's descriptions.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The team that owns these events.
    team: String,
    /// Send one object a line instead of an array.
    #[serde(default)]
    lines: bool,
}

#[derive(Debug)]
pub struct SiemFormatter {
    team: String,
}

impl Formatter for SiemFormatter {
    type Settings = Settings;

    fn describe() -> Product {
        Product {
            name: "{{name}}",
            version: env!("CARGO_PKG_VERSION"),
            vendor: "Example",
            title: "{{title}}",
            summary: "Each event arrives as one JSON object with its time, severity and document.",
            settings_example: r#"{"team":"soc"}"#,
            endpoint_example: "https://siem.example.com",
            secret_name: "API key",
            authentication: vec![AuthenticationHint::new("bearer", "{}")],
        }
    }

    fn configure(
        settings: Settings,
        _destination: &str,
    ) -> Result<(SiemFormatter, RequestProfile), Vec<SettingProblem>> {
        let Settings { team, lines } = settings;
        if team.split_whitespace().count() != 1 {
            return Err(vec![SettingProblem::at(["team"], "has to be one word: `soc`")]);
        }
        let framing = if lines { Framing::Newline } else { Framing::JsonArray };
        let content_type = if lines { "application/x-ndjson" } else { "application/json" };
        let limits = Limits { records: 500, body_bytes: 1_000_000, record_bytes: 500_000 };
        let profile = RequestProfile {
            content_type: content_type.to_owned(),
            probe: Some(Probe::get("/api/health")),
            ..RequestProfile::post_json("/api/events", framing, limits)
        };
        Ok((SiemFormatter { team }, profile))
    }

    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected> {
        if event.event_type.is_empty() {
            return Err("the event has no type".into());
        }
        let mut object = record.object();
        object.string("id", &event.key);
        object.string("time", &event.timestamp);
        object.string("type", &event.event_type);
        object.string("severity", event.severity.as_str());
        object.string("organization", &event.organization);
        object.string("team", &self.team);
        // As it stands: not parsed, so no number is rounded and no key is lost.
        object.raw("event", &event.document);
        Ok(())
    }

    fn interpret(&self, response: &Response) -> Verdict {
        // This SIEM answers 200 even when it has refused some of the records, and lists them.
        match serde_json::from_slice::<Answer>(&response.body) {
            Ok(answer) if response.is_success() && !answer.refused.is_empty() => answer.verdict(),
            _ => Verdict::Standard,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    index: u32,
    reason: String,
}

impl Answer {
    fn verdict(mut self) -> Verdict {
        self.refused.sort_by_key(|refused| refused.index);
        let run = |Refused { index, reason }| Run { first: index, count: 1, fate: Fate::Rejected(reason) };
        let runs = self.refused.into_iter().map(run).collect();
        Verdict::Partial(Partial { runs, rest: Fate::Delivered, note: None })
    }
}

siemaphore_sdk::export!(SiemFormatter);

#[cfg(test)]
mod tests {
    use siemaphore_sdk::testkit::{self, answer, event};

    use super::*;

    const SOC: &str = r#"{"team":"soc"}"#;

    #[test]
    fn an_event_becomes_one_json_object_with_its_document_as_it_stands() {
        let formatter = testkit::configure::<SiemFormatter>(SOC).unwrap();
        assert_eq!(
            formatter.record(&event(r#"{"tokens":18014398509481985}"#)),
            concat!(
                r#"{"id":"00112233445566778899aabbccddeeff","time":"2026-06-08T20:15:30Z","type":"dlp.pii_blocked","#,
                r#""severity":"high","organization":"acme","team":"soc","event":{"tokens":18014398509481985}}"#
            )
        );
    }

    #[test]
    fn settings_that_cannot_be_used_say_what_to_write_instead() {
        let problems = testkit::configure::<SiemFormatter>("{}").unwrap_err();
        assert_eq!(problems[0].pointer, "/team");
        let problems = testkit::configure::<SiemFormatter>(r#"{"team":"two words"}"#).unwrap_err();
        assert!(problems[0].message.starts_with("has to be one word"));
    }

    #[test]
    fn lines_are_sent_as_lines() {
        let formatter = testkit::configure::<SiemFormatter>(r#"{"team":"soc","lines":true}"#).unwrap();
        assert_eq!(formatter.profile.framing, Framing::Newline);
        assert_eq!(formatter.profile.content_type, "application/x-ndjson");
    }

    #[test]
    fn an_event_without_a_type_is_rejected_and_only_that_one() {
        let untyped = Event { event_type: String::new(), ..event("{}") };
        let records = testkit::configure::<SiemFormatter>(SOC).unwrap().records(&[untyped, event("{}")]);
        assert_eq!(records[0], Err("the event has no type".to_owned()));
        assert!(records[1].is_ok());
    }

    #[test]
    fn records_that_the_siem_lists_as_refused_are_not_taken_for_delivered() {
        let formatter = testkit::configure::<SiemFormatter>(SOC).unwrap();
        let refused = answer(200, r#"{"refused":[{"index":3,"reason":"too old"}]}"#);
        let Verdict::Partial(partial) = formatter.interpret(&refused) else { panic!("not partial") };
        assert_eq!(partial.runs, [Run { first: 3, count: 1, fate: Fate::Rejected("too old".to_owned()) }]);
        assert_eq!(formatter.interpret(&answer(200, r#"{"refused":[]}"#)), Verdict::Standard);
    }

    #[test]
    fn the_laws_hold() {
        let untyped = Event { event_type: String::new(), ..event("{}") };
        testkit::check_laws::<SiemFormatter>(&[event(r#"{"a":1}"#), untyped, event(r#"{"text":"line\nbreak"}"#)]);
    }
}
