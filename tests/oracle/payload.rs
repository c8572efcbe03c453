//! Events that are a function of their id, and the way back from what a SIEM received.
//!
//! An event has the shape of a gateway's, and a filler whose length and bytes follow from the id: mostly a few hundred
//! bytes, sometimes tens of kilobytes, so that batches are cut by count and by size. No value is one that redaction
//! removes or that a SIEM cuts.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Whose an event is. Destinations see those of their organisation only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Organization {
    Acme,
    Umbra,
}

impl Organization {
    pub(crate) const ALL: [Organization; 2] = [Organization::Acme, Organization::Umbra];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Organization::Acme => "acme",
            Organization::Umbra => "umbra",
        }
    }

    /// The source of its producers.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Organization::Acme => "acme-gateway",
            Organization::Umbra => "umbra-gateway",
        }
    }
}

/// Counted from 0 within an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct EventId {
    pub(crate) organization: Organization,
    pub(crate) number: u32,
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.organization.name(), self.number)
    }
}

impl FromStr for EventId {
    type Err = ();

    fn from_str(text: &str) -> Result<EventId, ()> {
        let (name, number) = text.split_once('-').ok_or(())?;
        let organization = Organization::ALL.into_iter().find(|one| one.name() == name).ok_or(())?;
        Ok(EventId { organization, number: number.parse().map_err(|_| ())? })
    }
}

const TYPES: [(&str, &str); 4] = [
    ("dlp.pii_blocked", "high"),
    ("dlp.injection_blocked", "critical"),
    ("dlp.pii_redacted", "medium"),
    ("loop.detected", "high"),
];

/// The events of one run. SIEMs drop or re-time what is old, so times count from the run's beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payloads {
    /// Since 1970.
    pub(crate) began: Duration,
}

impl Payloads {
    pub(crate) fn event(&self, id: EventId) -> Value {
        let number = u64::from(id.number);
        let (event_type, severity) = TYPES[id.number as usize % TYPES.len()];
        let time = std::time::UNIX_EPOCH + self.began + Duration::from_micros(number * 100);
        json!({
            "event_type": event_type,
            "project_id": format!("proj_{}", number % 7),
            "request_id": id.to_string(),
            "severity": severity,
            "source": "aisg",
            "timestamp": humantime::format_rfc3339_micros(time).to_string(),
            "details": { "action": "blocked", "number": number, "filler": filler(number) },
        })
    }

    /// An event that the intake refuses: a type that is no text.
    pub(crate) fn refused(&self, id: EventId) -> Value {
        let mut event = self.event(id);
        event["event_type"] = true.into();
        event
    }

    /// The key by which a SIEM can tell that it has an event already, worked out here a second time.
    pub(crate) fn key(&self, id: EventId) -> String {
        let (id_text, document) = (id.to_string(), self.event(id).to_string());
        let mut hasher = Sha256::new();
        for part in [id.organization.name(), id.organization.source(), &id_text, &document] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Which event a record is, and whether it is whole. `Err` when it is none of ours.
    pub(crate) fn recognise(&self, record: &Value) -> Result<(EventId, bool), ()> {
        let places = [&record["event"]["request_id"], &record["request_id"]];
        let id: EventId = places.into_iter().find_map(Value::as_str).ok_or(())?.parse()?;
        Ok((id, self.is_whole(id, record)))
    }

    /// Splunk has the document in `event`, Datadog has its members beside its own, Sentinel has them as columns.
    fn is_whole(&self, id: EventId, record: &Value) -> bool {
        let event = self.event(id);
        let key = self.key(id);
        if record.get("event").is_some() {
            return record["event"] == event && record["fields"]["event_key"] == key;
        }
        let members = ["event_type", "project_id", "request_id", "severity", "timestamp"];
        if members.iter().any(|member| record[*member] != event[*member]) {
            return false;
        }
        if record.get("details").is_some() {
            return record["details"] == event["details"] && record["event_key"] == key;
        }
        record["details_filler"] == event["details"]["filler"]
            && record["details_number"] == event["details"]["number"]
            && record["EventKey"] == key
    }
}

/// Hexadecimal digits that look random, as identifiers do: they compress to a half and not to nothing.
fn filler(number: u64) -> String {
    let dice = scrambled(number, 0);
    let words = match dice % 400 {
        0 => 3_000,
        1..=8 => 200 + dice / 400 % 1_000,
        _ => 2 + dice / 400 % 40,
    };
    (0..words).map(|word| format!("{:016x}", scrambled(number, word + 1))).collect()
}

/// SplitMix64.
fn scrambled(number: u64, salt: u64) -> u64 {
    let mut mixed = (number << 20 ^ salt).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYLOADS: Payloads = Payloads { began: Duration::from_secs(1_795_000_000) };

    fn id(number: u32) -> EventId {
        EventId { organization: Organization::Umbra, number }
    }

    #[test]
    fn an_event_follows_from_its_id_and_names_it() {
        assert_eq!(PAYLOADS.event(id(7)), PAYLOADS.event(id(7)));
        assert_ne!(PAYLOADS.event(id(7))["details"]["filler"], PAYLOADS.event(id(8))["details"]["filler"]);
        assert_eq!("umbra-7".parse(), Ok(id(7)));
        assert_eq!("umbra-".parse::<EventId>(), Err(()));
    }

    #[test]
    fn sizes_vary_from_hundreds_to_tens_of_thousands_of_bytes() {
        let sizes: Vec<usize> = (0..2_000).map(|number| filler(number).len()).collect();
        assert!(sizes.iter().any(|size| *size < 100) && sizes.contains(&48_000), "{:?}", sizes.iter().max());
        assert!(sizes.iter().sum::<usize>() / sizes.len() < 2_000);
    }

    #[test]
    fn a_record_with_one_changed_character_is_not_whole() {
        let mut record =
            json!({ "event": PAYLOADS.event(id(7)), "fields": { "event_key": PAYLOADS.key(id(7)) } });
        assert_eq!(PAYLOADS.recognise(&record), Ok((id(7), true)));
        record["event"]["details"]["filler"] = "0".into();
        assert_eq!(PAYLOADS.recognise(&record), Ok((id(7), false)));
        assert_eq!(PAYLOADS.recognise(&json!({ "event": {} })), Err(()));
    }
}
