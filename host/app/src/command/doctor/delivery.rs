//! The destinations that a running host cannot deliver to just now.

use serde::Deserialize;

use crate::command::destination_name::DestinationName;
use crate::command::doctor::finding::Finding;
use crate::control::Client;
use crate::print;

/// What the running host says of a destination.
#[derive(Deserialize)]
struct Destination {
    #[serde(flatten)]
    name: DestinationName,
    /// None of one that is disabled.
    status: Option<Status>,
}

#[derive(Deserialize)]
struct Status {
    state: String,
    last_error: Option<LastError>,
}

#[derive(Deserialize)]
struct LastError {
    at_ms: u64,
    reason: String,
    hint: String,
}

/// One finding for each that holds or fails, whatever a probe from here has found.
pub(crate) async fn check(host: &Client) -> Vec<Finding> {
    let destinations: Vec<Destination> = match host.get("/v1/destinations").await {
        Ok(destinations) => destinations,
        Err(error) => return vec![Finding::error("delivery", &error, "see the log of the host")],
    };
    let now_ms = print::now_ms();
    destinations.iter().filter_map(|destination| trouble(destination, now_ms)).collect()
}

fn trouble(destination: &Destination, now_ms: u64) -> Option<Finding> {
    let Status { state, last_error } = destination.status.as_ref()?;
    if !matches!(state.as_str(), "failing" | "holding") {
        return None;
    }
    let check = format!("delivery {}", destination.name.id());
    let log = "see the log of the host";
    let Some(LastError { at_ms, reason, hint }) = last_error else {
        return Some(Finding::failed(check, state, log));
    };
    let finding = format!("{state}, {} ago: {reason}", print::ago(now_ms, *at_ms));
    Some(Finding::failed(check, finding, if hint.is_empty() { log } else { hint }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(status: serde_json::Value) -> Option<(String, Option<String>)> {
        let destination =
            json!({ "organization": "acme", "name": "siem", "status": status, "formatter": "x" });
        let finding = trouble(&serde_json::from_value(destination).unwrap(), 5_000)?;
        assert_eq!(finding.check, "delivery acme/siem");
        Some((finding.finding, finding.fix))
    }

    #[test]
    fn only_what_holds_or_fails_is_told_with_the_reason_and_what_to_do() {
        for state in ["active", "idle"] {
            assert_eq!(found(json!({ "state": state, "last_error": null })), None);
        }
        assert_eq!(found(json!(null)), None);
        let error = json!({ "at_ms": 2_000, "reason": "403", "hint": "give it a token" });
        let told = ("holding, 3 s ago: 403".to_owned(), Some("give it a token".to_owned()));
        assert_eq!(found(json!({ "state": "holding", "last_error": error })), Some(told));
        let error = json!({ "at_ms": 2_000, "reason": "503", "hint": "" });
        let told = ("failing, 3 s ago: 503".to_owned(), Some("see the log of the host".to_owned()));
        assert_eq!(found(json!({ "state": "failing", "last_error": error })), Some(told));
    }
}
