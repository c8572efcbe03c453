//! One row per event, with few enough columns that a table does not fill up.

use std::borrow::Cow;

use siemaphore_sdk::facts::{Fact, FactPlaces, Facts};
use siemaphore_sdk::json::{Object, Outline, scan};
use siemaphore_sdk::text::cut_bytes;
use siemaphore_sdk::{Event, Writer};

use crate::columns::Columns;

/// Named in the header `time-generated-field`.
pub(crate) const TIME_COLUMN: &str = "EventTime";

/// A value is cut at 32 KB. We cut first, so that the cut shows.
const VALUE_BYTES: usize = 32_000;

/// Microsoft recommends at most 50 properties. A table has 500 columns for ever, so what is over does not get its own.
const MOST_COLUMNS: usize = 50;

/// Where the members are that would be too many columns.
const MORE: &str = "MoreFields";

/// A column's number is a double, which holds each integer up to this.
const LARGEST_EXACT: u64 = 1 << 53;

/// The columns for what every producer says in its own words, so that one query asks them all. The formatter
/// `sentinel` has the same.
const FACTS: [(&str, Fact); 7] = [
    ("ActorUserId", Fact::UserId),
    ("ActorEmail", Fact::UserEmail),
    ("EventOutcome", Fact::Outcome),
    ("PolicyName", Fact::Policy),
    ("RuleName", Fact::Rule),
    ("ToolName", Fact::Tool),
    ("ModelName", Fact::Model),
];

pub(crate) fn write(event: &Event, places: &FactPlaces, record: &mut Writer) {
    let outline = Outline::new(&event.document);
    let mut row = Row { object: record.object(), columns: Columns::default(), more: Writer::default() };
    row.write_envelope(event);
    row.write_facts(&Facts::new(event, &outline, places));
    row.columns.claim(MORE);
    row.write_members(&mut String::with_capacity(64), &outline);
    row.write_more();
}

struct Row<'a> {
    object: Object<'a>,
    columns: Columns,
    /// The members of an object, without its braces.
    more: Writer,
}

impl Row<'_> {
    /// First, so that these columns keep their names whatever a document holds.
    fn write_envelope(&mut self, event: &Event) {
        // Without an identifier of the producer's the key serves as one.
        let id = if event.id.is_empty() { &event.key } else { &event.id };
        self.write_text(TIME_COLUMN, &to_the_second(&event.timestamp));
        self.write_text("EventId", id);
        self.write_text("EventKey", &event.key);
        self.write_text("EventType", &event.event_type);
        self.write_text("Severity", event.severity.pick(["Informational", "Low", "Medium", "High", "High"]));
        self.write_text("OriginalSeverity", event.severity.as_str());
        self.write_text("Organization", &event.organization);
        if let Some(project) = &event.project {
            self.write_text("Project", project);
        }
        self.write_text("Producer", &event.producer);
    }

    /// `Decision` is one of allowed, blocked, modified, flagged, failed and unknown, whatever the producer's word.
    fn write_facts(&mut self, facts: &Facts<'_>) {
        self.write_text("Decision", facts.decision().as_str());
        for (column, fact) in FACTS {
            if let Some(text) = facts.text(fact) {
                self.write_text(column, &text);
            }
        }
    }

    /// The host admits documents nested at most 64 deep, so the recursion is bounded. Null makes no column.
    fn write_members(&mut self, path: &mut String, outline: &Outline<'_>) {
        for member in outline.members() {
            let parent = path.len();
            if parent > 0 {
                path.push('_');
            }
            path.push_str(&member.key());
            let inner = Outline::new(if scan::is_object(member.value) { member.value } else { "{}" });
            if !inner.members().is_empty() {
                self.write_members(path, &inner);
            } else if member.value != "null" {
                self.write_member(path, member.value);
            }
            path.truncate(parent);
        }
    }

    fn write_member(&mut self, path: &str, value: &str) {
        if self.columns.count < MOST_COLUMNS {
            let name = self.columns.claim(path);
            write_value(self.object.plain_key(&name), value);
        } else if self.more.len() <= VALUE_BYTES {
            if !self.more.is_empty() {
                self.more.raw(",");
            }
            self.more.string(path);
            self.more.raw(":");
            self.more.raw(value);
        }
    }

    fn write_more(mut self) {
        let members = String::from_utf8(self.more.into_bytes()).unwrap_or_default();
        if !members.is_empty() {
            let text = format!("{{{members}}}");
            self.object.plain_key(MORE).string(&cut_bytes(&text, VALUE_BYTES));
        }
    }

    fn write_text(&mut self, name: &str, text: &str) {
        let name = self.columns.claim(name);
        self.object.plain_key(&name).string(&cut_bytes(text, VALUE_BYTES));
    }
}

/// A text, a number or a boolean; lists and empty objects are texts of JSON.
fn write_value(out: &mut Writer, value: &str) {
    match value.as_bytes().first() {
        Some(b't' | b'f') => out.raw(value),
        Some(b'-' | b'0'..=b'9') if is_double(value) => out.raw(value),
        _ => {
            let text = scan::text(value).unwrap_or(Cow::Borrowed(value));
            out.string(&cut_bytes(&text, VALUE_BYTES));
        }
    }
}

/// Whether a double holds the number: a larger integer would lose digits, and becomes a text.
fn is_double(number: &str) -> bool {
    if number.contains(['.', 'e', 'E']) {
        return number.parse::<f64>().is_ok_and(f64::is_finite);
    }
    number.trim_start_matches('-').parse::<u64>().is_ok_and(|integer| integer <= LARGEST_EXACT)
}

/// The form that the API documents, without a fraction: `2026-06-08T20:15:30Z`.
fn to_the_second(timestamp: &str) -> Cow<'_, str> {
    match timestamp.split_once('.') {
        Some((seconds, _)) => Cow::Owned(format!("{seconds}Z")),
        None => Cow::Borrowed(timestamp),
    }
}
