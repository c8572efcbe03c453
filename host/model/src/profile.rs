//! Profiles: how one producer's JSON becomes an envelope. Data, not code, so that a new producer is a new file.
//!
//! A profile says where the fields are (JSON Pointers, the first that holds a value wins), how severity follows when
//! the event does not say it, which members hold content to redact, and how `auto` recognises the producer's events.
//! In a pointer, a segment `*` stands for any member and any element.
//!
//! Operators write profiles of their own in the same form. They are tried before the shipped ones, and cannot take a
//! shipped one's name: what a name means is the same on every host.
//!
//! The organisation is not among the fields: it comes from the token of the source, so that no event can choose whose
//! it is.

mod problems;

use serde::Deserialize;

use crate::Severity;

pub use self::problems::ProfileProblem;

/// The profile name that stands for "look at each event and decide".
pub const AUTO: &str = "auto";

/// The profiles that `auto` recognises, in the order in which it tries them: the most distinctive shape first.
///
/// What wraps another's event goes before what may be inside it.
const RECOGNISABLE: [(&str, &str); 8] = [
    ("cloudevents", include_str!("../profiles/cloudevents.toml")),
    ("otlp", include_str!("../profiles/otlp.toml")),
    ("ocsf", include_str!("../profiles/ocsf.toml")),
    ("aegis", include_str!("../profiles/aegis.toml")),
    ("systemprompt", include_str!("../profiles/systemprompt.toml")),
    ("keeptrusts", include_str!("../profiles/keeptrusts.toml")),
    ("authos", include_str!("../profiles/authos.toml")),
    ("aisg", include_str!("../profiles/aisg.toml")),
];

/// What `auto` takes an event for that it does not recognise.
const GENERIC: (&str, &str) = ("generic", include_str!("../profiles/generic.toml"));

/// Every name that a source may use without profiles of the operator's own.
pub fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once(AUTO).chain(RECOGNISABLE.into_iter().chain([GENERIC]).map(|(name, _)| name))
}

/// The profiles of one source.
#[derive(Debug)]
pub(crate) struct Candidates {
    /// In the order of trial.
    pub(crate) recognisable: Vec<Profile>,
    /// For every event that none of those recognises.
    pub(crate) fallback: Profile,
}

impl Candidates {
    pub(crate) fn of(name: &str, own: &[Profile]) -> Result<Candidates, ProfileError> {
        if name == AUTO {
            let shipped = RECOGNISABLE.into_iter().map(Profile::parse);
            let recognisable = own.iter().cloned().map(Ok).chain(shipped).collect::<Result<_, _>>()?;
            return Ok(Candidates { recognisable, fallback: Profile::parse(GENERIC)? });
        }
        if let Some(chosen) = own.iter().find(|profile| profile.name == name) {
            return Ok(Candidates { recognisable: Vec::new(), fallback: chosen.clone() });
        }
        let chosen = RECOGNISABLE.into_iter().chain([GENERIC]).find(|(shipped, _)| *shipped == name);
        let chosen = chosen.ok_or_else(|| {
            let mut known: Vec<&str> = names().collect();
            known.extend(own.iter().map(|profile| profile.name.as_str()));
            let known = known.join(", ");
            ProfileError::Unknown { name: name.to_owned(), known }
        })?;
        Ok(Candidates { recognisable: Vec::new(), fallback: Profile::parse(chosen)? })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Profile> {
        self.recognisable.iter().chain([&self.fallback])
    }
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

/// One profile as it is written, in a shipped file or in the operator's configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Also what an event's `producer` is.
    pub name: String,
    /// The event type when the event has none.
    #[serde(default = "default_type")]
    pub(crate) default_type: String,
    /// Alternatives; within one, all tests must hold. None: the profile never recognises an event by itself.
    #[serde(default)]
    pub(crate) detect: Vec<Vec<Test>>,
    #[serde(default)]
    pub(crate) envelope: Pointers,
    #[serde(default)]
    pub(crate) severity: SeverityRules,
    /// Which versions of the producer's schema the profile was written for. None: events say none, or any will do.
    #[serde(default)]
    pub(crate) version: Option<Version>,
    #[serde(default)]
    pub(crate) redact: Redact,
}

fn default_type() -> String {
    "event".to_owned()
}

/// A pointer that must hold a value; with `is`, text that matches this glob.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Test {
    pub(crate) at: String,
    pub(crate) is: Option<String>,
}

/// The first pointer of each is the documented place: an event that holds there what is neither text nor a number is
/// refused, unless another place has a value.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pointers {
    pub(crate) id: Vec<String>,
    #[serde(rename = "type")]
    pub(crate) event_type: Vec<String>,
    pub(crate) time: Vec<String>,
    pub(crate) project: Vec<String>,
}

/// The first field that can be read decides; then the first rule of the first table that matches; else informational.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SeverityRules {
    pub(crate) fields: Vec<SeverityField>,
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

/// An event without a version is taken for one of a known version.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    pub(crate) at: String,
    /// Major versions: what comes after the first number makes no difference.
    pub(crate) known: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Redact {
    /// Members to drop, beside those with a name in [`redaction`](crate::redaction)'s list.
    pub(crate) pointers: Vec<String>,
}

impl Profile {
    fn parse((name, text): (&str, &str)) -> Result<Profile, ProfileError> {
        toml::from_str(text)
            .map_err(|error| ProfileError::Unreadable { name: name.to_owned(), problem: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_profile_can_be_read_and_bears_the_name_it_is_listed_by() {
        let candidates = Candidates::of(AUTO, &[]).unwrap();
        let read: Vec<_> =
            std::iter::once(AUTO).chain(candidates.all().map(|profile| profile.name.as_str())).collect();
        assert_eq!(read, names().collect::<Vec<_>>());
    }

    #[test]
    fn an_unknown_profile_is_named_with_the_known_ones() {
        let error = Candidates::of("splunk", &[]).unwrap_err().to_string();
        assert!(error.contains("\"splunk\"") && error.contains("auto, cloudevents"), "{error}");
    }
}
