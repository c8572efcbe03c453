//! Which events a destination wants.

use crate::{Event, Severity};

/// All three conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Patterns for the event type: `*` stands for any run of characters. Empty: no event at all.
    pub event_types: Vec<String>,
    /// This severity and above.
    pub minimum_severity: Severity,
    /// Empty: any project, and events without one.
    pub projects: Vec<String>,
}

impl Default for Subscription {
    /// Everything.
    fn default() -> Subscription {
        Subscription {
            event_types: vec!["*".to_owned()],
            minimum_severity: Severity::Informational,
            projects: Vec::new(),
        }
    }
}

impl Subscription {
    pub fn matches(&self, event: &Event<'_>) -> bool {
        event.severity() >= self.minimum_severity
            && self.wants_type(event.event_type())
            && (self.projects.is_empty()
                || event
                    .project()
                    .is_some_and(|project| self.projects.iter().any(|wanted| wanted == project)))
    }

    /// Every event, whatever is in it.
    pub fn is_everything(&self) -> bool {
        self.minimum_severity == Severity::Informational
            && self.projects.is_empty()
            && self.event_types.iter().any(|pattern| pattern == "*")
    }

    /// Whether any pattern matches. Severity and project are not asked.
    pub fn wants_type(&self, event_type: &str) -> bool {
        self.event_types.iter().any(|pattern| glob_matches(pattern, event_type))
    }
}

/// Linear in the text for each `*`: the pattern is the operator's, the text a stranger's.
pub(crate) fn glob_matches(pattern: &str, text: &str) -> bool {
    let Some((prefix, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(prefix) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        // The first place is as good as any later one when another `*` follows.
        let Some(at) = text.find(part) else { return false };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_people_expect() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "dlp.pii_blocked", true),
            ("dlp.*", "dlp.pii_blocked", true),
            ("dlp.*", "dlp", false),
            ("*.blocked", "tool_call.blocked", true),
            ("*blocked*", "dlp.pii_blocked", true),
            ("dlp.*_blocked", "dlp.pii_blocked", true),
            ("dlp.*_blocked", "dlp.pii_redacted", false),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("budget.exhausted", "budget.exhausted", true),
            ("budget.exhausted", "budget.exhausted2", false),
            ("", "", true),
        ] {
            assert_eq!(glob_matches(pattern, text), expected, "{pattern} against {text}");
        }
    }
}
