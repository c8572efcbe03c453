//! One row per event.

use siemaphore_sdk::facts::{Fact, FactPlaces, Facts};
use siemaphore_sdk::json::{Object, Outline, cut, scan};
use siemaphore_sdk::{Event, Writer};

use crate::columns::Columns;

/// Azure cuts a value at 64 KB. We cut first, with room for any way of counting, so that the cut shows.
const VALUE_BYTES: usize = 60_000;
/// The whole value is in the document's own column.
const LONGEST_FACT: usize = 1_024;

/// The columns for what every producer says in its own words, so that one query asks them all.
const FACTS: [(&str, Fact); 7] = [
    ("ActorUserId", Fact::UserId),
    ("ActorEmail", Fact::UserEmail),
    ("EventOutcome", Fact::Outcome),
    ("PolicyName", Fact::Policy),
    ("RuleName", Fact::Rule),
    ("ToolName", Fact::Tool),
    ("ModelName", Fact::Model),
];

pub(crate) fn write(event: &Event, places: &FactPlaces, suffixed: bool, record: &mut Writer) {
    let mut row = Row { object: record.object(), columns: Columns::default(), suffixed };
    row.write_envelope(event);
    row.write_facts(event, places);
    let mut path = String::with_capacity(64);
    row.write_members(&mut path, &event.document);
}

struct Row<'a> {
    object: Object<'a>,
    columns: Columns,
    suffixed: bool,
}

impl Row<'_> {
    /// First, so that these columns keep their names whatever a document holds.
    fn write_envelope(&mut self, event: &Event) {
        // Without an identifier of the producer's the key serves as one.
        let id = if event.id.is_empty() { &event.key } else { &event.id };
        self.write_column("TimeGenerated", &event.timestamp);
        self.write_column("EventId", id);
        self.write_column("EventKey", &event.key);
        self.write_column("EventType", &event.event_type);
        self.write_column(
            "Severity",
            event.severity.pick(["Informational", "Low", "Medium", "High", "High"]),
        );
        self.write_column("OriginalSeverity", event.severity.as_str());
        self.write_column("Organization", &event.organization);
        if let Some(project) = &event.project {
            self.write_column("Project", project);
        }
        self.write_column("Producer", &event.producer);
    }

    /// `Decision` is one of allowed, blocked, modified, flagged, failed and unknown, whatever the producer's word.
    fn write_facts(&mut self, event: &Event, places: &FactPlaces) {
        let outline = Outline::new(&event.document);
        let facts = Facts::new(event, &outline, places);
        self.write_column("Decision", facts.decision().as_str());
        for (column, fact) in FACTS {
            if let Some(value) = facts.text(fact) {
                self.write_column(
                    column,
                    value.get(..value.floor_char_boundary(LONGEST_FACT)).unwrap_or_default(),
                );
            }
        }
    }

    fn write_column(&mut self, name: &str, value: &str) {
        let name = self.columns.claim(name);
        self.object.plain_key(&name).string(value);
    }

    /// The host admits documents nested at most 64 deep, so the recursion is bounded.
    fn write_members(&mut self, path: &mut String, object: &str) {
        let outline = Outline::new(object);
        for member in outline.members() {
            let parent = path.len();
            if parent > 0 {
                path.push('_');
            }
            path.push_str(&member.key());
            if scan::is_object(member.value) && scan::members(member.value).next().is_some() {
                self.write_members(path, member.value);
            } else {
                self.write_value(path, member.value);
            }
            path.truncate(parent);
        }
    }

    /// A list, and an empty object, stays as it is: a dynamic column.
    fn write_value(&mut self, path: &mut String, value: &str) {
        let value = cut(value, VALUE_BYTES);
        let name = self.columns.claim(path);
        self.object.plain_key(&name).raw(&value);
        if self.suffixed
            && let Some(suffix) = suffix(&value)
        {
            let plain = path.len();
            path.push_str(suffix);
            let name = self.columns.claim(path);
            self.object.plain_key(&name).raw(&value);
            path.truncate(plain);
        }
    }
}

/// The suffix by which the Data Collector API marked a column's type.
fn suffix(value: &str) -> Option<&'static str> {
    match value.as_bytes().first()? {
        b'"' => Some("_s"),
        b't' | b'f' => Some("_b"),
        b'-' | b'0'..=b'9' => Some("_d"),
        _ => None,
    }
}
