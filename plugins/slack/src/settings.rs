//! What an operator can set, and what Slack would not understand.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::facts::FactPlaces;
use siemaphore_sdk::{SettingProblem, Severity};

/// What a message has beside what happened. Everything has a default.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Show the event's document, up to 3,000 characters of it. Without it a message has who, what and why.
    pub document: bool,
    /// Whom a message calls, by how serious the event is.
    pub mentions: Mentions,
    /// Where documents have users, policies, tools and the like.
    pub fields: FactPlaces,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { document: true, mentions: Mentions::default(), fields: FactPlaces::default() }
    }
}

/// `<!here>`, `<!channel>`, `<!everyone>`, a member as `<@U024BE7LH>` or a user group as `<!subteam^SAZ94GDB8>`; several
/// with a space between them. By default nobody.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mentions {
    pub critical: Option<String>,
    pub high: Option<String>,
    pub medium: Option<String>,
    pub low: Option<String>,
    pub informational: Option<String>,
}

/// A line for a notification has to have room beside them.
const LONGEST_MENTIONS: usize = 500;

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        for severity in Severity::ALL {
            let Some(mentions) = self.mentions.of(severity) else { continue };
            if mentions.len() > LONGEST_MENTIONS || !mentions.split(' ').all(is_mention) {
                let message = format!(
                    "{mentions:?} mentions nobody: write <!here>, <!channel>, <@U024BE7LH> for a member or \
                     <!subteam^SAZ94GDB8> for a group, at most {LONGEST_MENTIONS} characters"
                );
                problems.push(SettingProblem::at(["mentions", severity.as_str()], message));
            }
        }
        problems.extend(self.fields.problems("fields"));
        problems
    }
}

impl Mentions {
    pub(crate) fn of(&self, severity: Severity) -> Option<&str> {
        let Mentions { critical, high, medium, low, informational } = self;
        severity.pick([informational, low, medium, high, critical]).as_deref()
    }
}

fn is_mention(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) else { return false };
    if matches!(inner, "!here" | "!channel" | "!everyone") {
        return true;
    }
    let id = inner.strip_prefix('@').or_else(|| inner.strip_prefix("!subteam^")).unwrap_or_default();
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
