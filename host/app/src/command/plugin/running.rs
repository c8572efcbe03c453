//! A formatter of the running host, by the name that a person typed.

use anyhow::{Result, anyhow};
use serde::Deserialize;

use crate::command::adoption::Use;
use crate::config::nearest;
use crate::control::Client;

/// As much of a formatter as decides what may be asked for it.
#[derive(Debug, Deserialize)]
pub(crate) struct Running {
    name: String,
    state: String,
    version: Option<String>,
    destinations: Vec<Use>,
}

/// What the host has under this name.
pub(crate) async fn find(client: &Client, name: &str) -> Result<Running> {
    let all: Vec<Running> = client.get("/v1/plugins").await?;
    let names: Vec<&str> = all.iter().map(|plugin| plugin.name.as_str()).collect();
    let unknown = unknown(name, &names);
    all.into_iter().find(|plugin| plugin.name == name).ok_or(unknown)
}

/// There is nothing of this name among these.
pub(crate) fn unknown(name: &str, known: &[&str]) -> anyhow::Error {
    let hint = match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`? `siemaphore plugin list` shows every plugin"),
        None => "`siemaphore plugin list` shows every plugin".to_owned(),
    };
    anyhow!("there is no plugin `{name}`\n  hint: {hint}")
}

impl Running {
    /// A version that was sent back is read again from its file. A changed request is allowed without one.
    pub(crate) fn check_file_is_there(&self) -> Result<()> {
        let Running { name, state, version, destinations } = self;
        if state != "draining" || destinations.iter().any(Use::waits_for_promotion) {
            return Ok(());
        }
        Err(anyhow!(
            "the file of plugin `{name}` is gone, so there is no other version to use: version {} goes on, and nothing \
             was changed\n  hint: put the file back into the plugin folder, then promote it",
            version.as_deref().unwrap_or_default()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_there_is_told_with_the_nearest() {
        let told = |name| unknown(name, &["my-siem", "splunk"]).to_string();
        assert!(told("my-seim").contains("did you mean `my-siem`?"), "{}", told("my-seim"));
        assert!(!told("quite-another").contains("did you mean"), "{}", told("quite-another"));
    }

    #[test]
    fn without_its_file_only_a_changed_request_can_be_promoted() {
        let plugin = |state: &str, waits: bool| {
            let not_adopted =
                serde_json::json!({ "digest": "", "reason": "", "hint": "", "waits_for_promotion": waits });
            let used = serde_json::json!({ "destination": "acme/siem", "not_adopted": not_adopted });
            let plugin =
                serde_json::json!({ "name": "x", "state": state, "version": "1", "destinations": [used] });
            serde_json::from_value::<Running>(plugin).unwrap()
        };
        assert!(plugin("active", false).check_file_is_there().is_ok());
        assert!(plugin("draining", true).check_file_is_there().is_ok());
        let error = plugin("draining", false).check_file_is_there().unwrap_err().to_string();
        assert!(error.contains("is gone") && error.contains("nothing was changed"), "{error}");
    }
}
