//! Which table the events go to.

use schemars::JsonSchema;
use serde::Deserialize;
use siemaphore_sdk::SettingProblem;
use siemaphore_sdk::facts::FactPlaces;

/// Which table the events go to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name of the table without `_CL`, which is appended: letters, digits and `_`, at most 100.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_]{1,100}$"))]
    pub log_type: String,
    /// Where the facts behind columns such as `ActorUserId` stand in the document.
    #[serde(default)]
    pub fields: FactPlaces,
}

const LONGEST_LOG_TYPE: usize = 100;

impl Settings {
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = self.fields.problems("fields");
        let log_type = &self.log_type;
        let is_legal = !log_type.is_empty()
            && log_type.len() <= LONGEST_LOG_TYPE
            && log_type.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_legal {
            let message = format!("{log_type:?} cannot be a table: use letters, digits and _, at most 100");
            problems.push(SettingProblem::at(["log_type"], message));
        } else if log_type.ends_with("_CL") {
            let message = format!("write {log_type:?} without _CL, which Azure appends");
            problems.push(SettingProblem::at(["log_type"], message));
        }
        problems
    }
}
