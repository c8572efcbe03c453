//! Outcomes in every producer's words, brought down to a few.

/// What became of what was attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// It went ahead as it was.
    Allowed,
    /// It was stopped.
    Blocked,
    /// It went ahead after something was taken out or masked.
    Modified,
    /// It was noticed, and perhaps shown to a person; whether it went ahead is another matter.
    Flagged,
    /// It was tried and did not work: a failed login, a tool that returned an error.
    Failed,
    /// The event says nothing that is known here.
    Unknown,
}

/// Parts of words, the first that is found decides: ALLOWED_WITH_MASKING is masking, REQUIRES_APPROVAL no approval.
const WORDS: [(Decision, &[&str]); 5] = [
    (Decision::Modified, &["mask", "redact", "modif", "sanitiz", "rewrit", "anonymi"]),
    (Decision::Blocked, &["block", "den", "reject", "kill", "prevent", "exhaust", "quarantin", "terminat"]),
    (Decision::Failed, &["fail", "error", "timeout", "timed_out"]),
    (
        Decision::Flagged,
        &[
            "escalat",
            "review",
            "approval",
            "warn",
            "alert",
            "detect",
            "flag",
            "exceed",
            "violat",
            "challenge",
        ],
    ),
    (
        Decision::Allowed,
        &["allow", "permit", "success", "succeed", "approved", "accept", "pass", "complet", "grant"],
    ),
];

impl Decision {
    /// What a producer's word means, in any case.
    pub fn of(word: &str) -> Decision {
        let word = word.to_ascii_lowercase();
        let meant = WORDS.iter().find(|(_, parts)| parts.iter().any(|part| word.contains(part)));
        meant.map_or(Decision::Unknown, |(decision, _)| *decision)
    }

    /// The lowercase word: `allowed`, `blocked`, `modified`, `flagged`, `failed`, `unknown`.
    pub fn as_str(self) -> &'static str {
        self.pick(["allowed", "blocked", "modified", "flagged", "failed", "unknown"])
    }

    /// The SIEM's own words or numbers, in the order of the variants.
    pub fn pick<T>(self, [allowed, blocked, modified, flagged, failed, unknown]: [T; 6]) -> T {
        match self {
            Decision::Allowed => allowed,
            Decision::Blocked => blocked,
            Decision::Modified => modified,
            Decision::Flagged => flagged,
            Decision::Failed => failed,
            Decision::Unknown => unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_producers_words_are_known() {
        for (word, decision) in [
            ("allowed", Decision::Allowed),
            ("ALLOWED_WITH_MASKING", Decision::Modified),
            ("BLOCKED", Decision::Blocked),
            ("blocked", Decision::Blocked),
            ("denied", Decision::Blocked),
            ("killed", Decision::Blocked),
            ("redact", Decision::Modified),
            ("escalate", Decision::Flagged),
            ("REQUIRES_APPROVAL", Decision::Flagged),
            ("tool_call.approved", Decision::Allowed),
            ("failure", Decision::Failed),
            ("threshold_warning", Decision::Flagged),
            ("session.started", Decision::Unknown),
            ("", Decision::Unknown),
        ] {
            assert_eq!(Decision::of(word), decision, "{word}");
        }
    }
}
