//! Profiles: how one producer's JSON becomes an envelope. Data, not code, so that a new producer is a new file.
//!
//! A profile says where the fields are (JSON Pointers, the first that holds a value wins), how severity follows when
//! the event does not say it, which members hold content to redact, and how `auto` recognises the producer's events.
//! In a pointer, a segment `*` stands for any member and any element.
//!
//! The organisation is not among the fields: it comes from the token of the source, so that no event can choose whose
//! it is.

use serde::Deserialize;

use crate::Severity;

/// The profile name that stands for "look at each event and decide".
pub const AUTO: &str = "auto";

/// The shipped files, in the order in which `auto` tries them: the most distinctive shape first.
const SHIPPED: [(&str, &str); 5] = [
    ("aegis", include_str!("../profiles/aegis.toml")),
    ("systemprompt", include_str!("../profiles/systemprompt.toml")),
    ("keeptrusts", include_str!("../profiles/keeptrusts.toml")),
    ("aisg", include_str!("../profiles/aisg.toml")),
    ("generic", include_str!("../profiles/generic.toml")),
];

/// Every name that a source may use.
pub fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once(AUTO).chain(SHIPPED.into_iter().map(|(name, _)| name))
}

/// The profiles that a source with this setting tries, in order.
pub(crate) fn candidates(name: &str) -> Result<Vec<Profile>, ProfileError> {
    let wanted = |shipped: &str| name == AUTO || name == shipped;
    let files: Vec<_> = SHIPPED.into_iter().filter(|(shipped, _)| wanted(shipped)).collect();
    if files.is_empty() {
        let known = names().collect::<Vec<_>>().join(", ");
        return Err(ProfileError::Unknown { name: name.to_owned(), known });
    }
    files.into_iter().map(|(name, text)| Profile::parse(name, text)).collect()
}

/// Why a source cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    #[error("there is no profile {name:?}; the profiles are {known}")]
    Unknown { name: String, known: String },
    #[error("the profile {name:?} cannot be read: {problem}")]
    Unreadable { name: String, problem: String },
    #[error(
        "{pointer:?} is not a JSON Pointer: it begins with \"/\", and \"~\" is written \"~0\", \"/\" in a name \"~1\""
    )]
    Pointer { pointer: String },
    #[error(
        "the redaction rule for the key {key:?} can match nothing: a key has at least one letter or digit"
    )]
    Key { key: String },
}

/// One profile as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) name: String,
    /// The event type when the event has none.
    pub(crate) default_type: String,
    /// Alternatives; within one, all tests must hold. None: the profile never recognises an event by itself.
    pub(crate) detect: Vec<Vec<Test>>,
    pub(crate) envelope: Pointers,
    pub(crate) severity: SeverityRules,
    pub(crate) redact: Redact,
}

/// A pointer that must hold a value; with `is`, text that matches this glob.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Test {
    pub(crate) at: String,
    pub(crate) is: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pointers {
    pub(crate) id: Vec<String>,
    #[serde(rename = "type")]
    pub(crate) event_type: Vec<String>,
    pub(crate) time: Vec<String>,
    pub(crate) project: Vec<String>,
}

/// The first field that can be read decides; then the first rule of the first table that matches; else informational.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeverityRules {
    pub(crate) fields: Vec<SeverityField>,
    #[serde(default)]
    pub(crate) tables: Vec<SeverityTable>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeverityField {
    pub(crate) at: String,
    /// Words of this producer, beside those that every profile knows.
    #[serde(default)]
    pub(crate) words: Vec<(String, Severity)>,
    /// The lowest number of each severity, ascending. Without it a number says nothing: scales run both ways.
    #[serde(default)]
    pub(crate) numbers: Vec<(f64, Severity)>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeverityTable {
    /// `type` for the event type, else a pointer.
    pub(crate) of: String,
    /// Globs and what they mean; the first that matches decides.
    pub(crate) rules: Vec<(String, Severity)>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redact {
    /// Members to drop, beside those with a name in [`redaction`](crate::redaction)'s list.
    pub(crate) pointers: Vec<String>,
}

impl Profile {
    fn parse(name: &str, text: &str) -> Result<Profile, ProfileError> {
        toml::from_str(text)
            .map_err(|error| ProfileError::Unreadable { name: name.to_owned(), problem: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_profile_can_be_read_and_bears_the_name_it_is_listed_by() {
        let profiles = candidates(AUTO).unwrap();
        assert_eq!(profiles.len(), SHIPPED.len());
        for (profile, (name, _)) in profiles.iter().zip(SHIPPED) {
            assert_eq!(profile.name, name);
        }
    }

    #[test]
    fn an_unknown_profile_is_named_with_the_known_ones() {
        let error = candidates("splunk").unwrap_err().to_string();
        assert!(error.contains("\"splunk\"") && error.contains("auto, aegis"), "{error}");
    }
}
