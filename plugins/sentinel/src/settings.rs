//! What an operator has to give, and what Azure would refuse.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::SettingProblem;
use siemaphore_sdk::facts::FactPlaces;

/// Which table the events go to, and how their columns are named.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The immutable id of the data collection rule: `dcr-` and 32 hexadecimal digits. It is in the rule's JSON view,
    /// and is neither the rule's name nor its resource id.
    #[schemars(regex(pattern = r"^dcr-[0-9a-f]{32}$"))]
    pub dcr_immutable_id: String,
    /// The stream as the data collection rule declares it: `Custom-` or `Microsoft-` and a name.
    #[schemars(regex(pattern = r"^(Custom|Microsoft)-[A-Za-z0-9_-]+$"))]
    pub stream: String,
    /// Whether the document's texts, numbers and booleans also get columns with the suffixes of the retired Data
    /// Collector API, such as `action_s`.
    #[serde(default)]
    pub suffixed_columns: SuffixedColumns,
    /// Where the document has what the columns ActorUserId, ActorEmail, EventOutcome, PolicyName, RuleName, ToolName and
    /// ModelName show.
    #[serde(default)]
    pub fields: FactPlaces,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SuffixedColumns {
    /// For producers whose published queries use them: keeptrusts.
    #[default]
    Auto,
    Always,
    Never,
}

impl SuffixedColumns {
    pub(crate) fn apply_to(self, producer: &str) -> bool {
        match self {
            SuffixedColumns::Auto => producer == "keeptrusts",
            SuffixedColumns::Always => true,
            SuffixedColumns::Never => false,
        }
    }
}

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        if !is_immutable_id(&self.dcr_immutable_id) {
            let message = format!(
                "{:?} is not an immutable id: copy `immutableId` from the JSON view of the data collection rule \
                 (dcr- and 32 hexadecimal digits)",
                self.dcr_immutable_id
            );
            problems.push(SettingProblem::at(["dcr_immutable_id"], message));
        }
        if !is_stream(&self.stream) {
            let message = format!(
                "{:?} is not a stream: write it as in `streamDeclarations` of the data collection rule, such as \
                 Custom-AiEvents_CL",
                self.stream
            );
            problems.push(SettingProblem::at(["stream"], message));
        }
        problems.extend(self.fields.problems("fields"));
        problems
    }
}

fn is_immutable_id(id: &str) -> bool {
    id.strip_prefix("dcr-").is_some_and(|digits| {
        digits.len() == 32
            && digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
    })
}

fn is_stream(stream: &str) -> bool {
    let name = stream.strip_prefix("Custom-").or_else(|| stream.strip_prefix("Microsoft-"));
    name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    })
}
