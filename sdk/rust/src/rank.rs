//! Severities as words and numbers.

use crate::Severity;

impl Severity {
    pub const ALL: [Severity; 5] =
        [Severity::Informational, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The lowercase word: `informational`, `low`, `medium`, `high`, `critical`.
    pub fn as_str(self) -> &'static str {
        self.pick(["informational", "low", "medium", "high", "critical"])
    }

    /// The SIEM's own words or numbers, given from informational to critical.
    pub fn pick<T>(self, [informational, low, medium, high, critical]: [T; 5]) -> T {
        match self {
            Severity::Informational => informational,
            Severity::Low => low,
            Severity::Medium => medium,
            Severity::High => high,
            Severity::Critical => critical,
        }
    }
}
