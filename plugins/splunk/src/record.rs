//! One HEC object per event.

use siemaphore_sdk::{Event, Writer};

use crate::settings::{IndexedFields, Settings, SeverityLevels};

/// What all records share, written once per batch.
#[derive(Debug)]
pub(crate) struct Template {
    /// Quoted already, as the three below.
    host: Option<String>,
    source: Option<String>,
    sourcetype: Option<String>,
    index: Index,
    severity_levels: SeverityLevels,
    indexed: IndexedFields,
    /// Members of `fields`, written already.
    extra_fields: String,
}

#[derive(Debug)]
enum Index {
    OfProducer,
    OfToken,
    Quoted(String),
}

impl Template {
    pub(crate) fn new(settings: &Settings) -> Template {
        let index = match settings.index.as_deref() {
            None => Index::OfProducer,
            Some("") => Index::OfToken,
            Some(name) => Index::Quoted(quoted(name)),
        };
        let extra_fields: Vec<String> = settings
            .fields
            .iter()
            .map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)))
            .collect();
        Template {
            host: settings.host.as_deref().map(quoted),
            source: settings.source.as_deref().map(quoted),
            sourcetype: settings.sourcetype.as_deref().map(quoted),
            index,
            severity_levels: settings.severity_levels,
            indexed: settings.indexed_fields.clone(),
            extra_fields: extra_fields.join(","),
        }
    }

    pub(crate) fn write(&self, event: &Event, record: &mut Writer) {
        let documented = documented(&event.producer);
        let mut object = record.object();
        // Splunk reads milliseconds as a year far away: seconds, with decimals.
        object.plain_key("time").epoch_seconds(event.timestamp_ns);
        write_text(object.plain_key("host"), self.host.as_deref(), &event.source);
        write_text(object.plain_key("source"), self.source.as_deref(), &event.producer);
        write_text(object.plain_key("sourcetype"), self.sourcetype.as_deref(), documented.sourcetype);
        match (&self.index, documented.index) {
            (Index::Quoted(index), _) => object.plain_key("index").raw(index),
            (Index::OfProducer, Some(index)) => object.plain_key("index").string(index),
            (Index::OfProducer, None) | (Index::OfToken, _) => {}
        }
        object.plain_key("event").raw(&event.document);
        self.write_fields(event, object.plain_key("fields"));
    }

    /// Flat, as HEC insists.
    fn write_fields(&self, event: &Event, record: &mut Writer) {
        let indexed = &self.indexed;
        let mut fields = record.object();
        if indexed.severity {
            fields.plain_key("severity").string(event.severity.as_str());
        }
        if indexed.severity_id {
            fields.plain_key("severity_id").unsigned(self.severity_levels.level(event.severity));
        }
        if indexed.event_type {
            fields.plain_key("event_type").string(&event.event_type);
        }
        if indexed.event_key {
            fields.plain_key("event_key").string(&event.key);
        }
        if indexed.organization {
            fields.plain_key("organization").string(&event.organization);
        }
        if indexed.project
            && let Some(project) = &event.project
        {
            fields.plain_key("project").string(project);
        }
        if indexed.producer {
            fields.plain_key("producer").string(&event.producer);
        }
        fields.members(&self.extra_fields);
    }
}

/// What a producer tells its users to expect in Splunk.
struct Documented {
    sourcetype: &'static str,
    index: Option<&'static str>,
}

fn documented(producer: &str) -> Documented {
    match producer {
        "aisg" => Documented { sourcetype: "aisg:security", index: Some("main") },
        "systemprompt" => Documented { sourcetype: "ai:governance:v1", index: None },
        // Splunk's own source type for JSON; keeptrusts documents it, and it suits whoever documents nothing.
        _ => Documented { sourcetype: "_json", index: None },
    }
}

#[inline]
fn write_text(record: &mut Writer, quoted: Option<&str>, otherwise: &str) {
    match quoted {
        Some(quoted) => record.raw(quoted),
        None => record.string(otherwise),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
