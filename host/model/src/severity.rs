//! How serious an event is: five ranks, the ones that every SIEM can tell apart.

use serde::{Deserialize, Serialize};

/// The order is the rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    #[default]
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    pub const ALL: [Severity; 5] =
        [Severity::Informational, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The lowercase word: `informational`, `low`, `medium`, `high`, `critical`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Informational => "informational",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The rank as a number, 0 to 4, as it is stored.
    pub fn rank(self) -> u8 {
        match self {
            Severity::Informational => 0,
            Severity::Low => 1,
            Severity::Medium => 2,
            Severity::High => 3,
            Severity::Critical => 4,
        }
    }

    /// What producers and loggers call it, in any case: `warn`, `fatal`, `notice`.
    pub fn from_word(word: &str) -> Option<Severity> {
        let known = WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        known.map(|(_, severity)| *severity)
    }

    pub fn from_rank(rank: u8) -> Option<Severity> {
        Severity::ALL.get(usize::from(rank)).copied()
    }
}

/// The words of the ranks themselves, of syslog, of common loggers and of alerting tools.
const WORDS: [(&str, Severity); 35] = [
    ("informational", Severity::Informational),
    ("information", Severity::Informational),
    ("info", Severity::Informational),
    ("notice", Severity::Informational),
    ("debug", Severity::Informational),
    ("trace", Severity::Informational),
    ("verbose", Severity::Informational),
    ("none", Severity::Informational),
    ("normal", Severity::Informational),
    ("ok", Severity::Informational),
    ("low", Severity::Low),
    ("minor", Severity::Low),
    ("medium", Severity::Medium),
    ("med", Severity::Medium),
    ("moderate", Severity::Medium),
    ("average", Severity::Medium),
    ("warning", Severity::Medium),
    ("warn", Severity::Medium),
    ("high", Severity::High),
    ("important", Severity::High),
    ("major", Severity::High),
    ("severe", Severity::High),
    ("error", Severity::High),
    ("err", Severity::High),
    ("critical", Severity::Critical),
    ("crit", Severity::Critical),
    ("fatal", Severity::Critical),
    ("alert", Severity::Critical),
    ("emergency", Severity::Critical),
    ("emerg", Severity::Critical),
    ("panic", Severity::Critical),
    ("disaster", Severity::Critical),
    ("urgent", Severity::Critical),
    ("very high", Severity::Critical),
    ("very_high", Severity::Critical),
];

impl std::fmt::Display for Severity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
