//! What Loki's answers mean.
//!
//! A 400 is about single lines: Loki has stored the others, and does not say which. Sending halves finds the culprits;
//! the lines that are there already arrive again as they were, with the same labels and the same time, and Loki keeps
//! one of them. Giving up the whole request would make dead letters of events that have arrived.

use siemaphore_sdk::{Response, Verdict};

pub(crate) fn interpret(response: &Response) -> Verdict {
    match response.status {
        204 => Verdict::Delivered(None),
        260 => Verdict::hold(
            response.reason(),
            "this Loki has been told to drop what it gets (block_ingestion_until): ask whoever runs it",
        ),
        200..300 => Verdict::hold(
            format!("status {}, and Loki accepts with 204", response.status),
            "something else answers at this endpoint: give Loki's own address, without /loki/api/v1/push, and check proxies",
        ),
        400 => refused(response),
        401 => Verdict::hold(
            response.reason(),
            "give the user and the token that Loki's gateway wants (Grafana Cloud: the user is the number of the instance, the token \
             may write logs); a Loki with tenants wants the setting tenant",
        ),
        403 => Verdict::hold(response.reason(), "the token may not write logs: give it the scope logs:write"),
        404 => Verdict::hold(
            response.reason(),
            "give Loki's own address: /loki/api/v1/push is appended to the endpoint",
        ),
        429 => over_the_rate(response),
        _ => Verdict::Standard,
    }
}

/// By Loki's words: the way out depends on what it is about, and some of it is about every line.
fn refused(response: &Response) -> Verdict {
    let text = response.text().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["structured metadata, but this feature is disallowed", "allow_structured_metadata"]) {
        return Verdict::hold(
            response.reason(),
            "set structured_metadata = false, or allow it in this Loki (allow_structured_metadata, schema v13)",
        );
    }
    if says(&["label names; limit", "has label name", "label value too long"]) {
        return Verdict::hold(
            response.reason(),
            "name fewer or shorter labels in the settings labels and event_labels",
        );
    }
    if says(&["no org id"]) {
        return Verdict::hold(response.reason(), "this Loki has tenants: set tenant");
    }
    let hint = if says(&["too far behind", "out of order"]) {
        "the line is more than an hour older than the newest of its stream: give events that come late labels of their own, such \
         as source"
    } else if says(&["too old"]) {
        "the line is older than reject_old_samples_max_age of this Loki: set max_age_hours to the same"
    } else if says(&["too new"]) {
        "the line's time is over 10 minutes ahead: check the clock of its producer"
    } else if says(&["max entry size", "line too long"]) {
        "the line is longer than max_line_size of this Loki: raise it to 256KB"
    } else {
        "Loki could not take a line"
    };
    Verdict::rejected(response.reason(), hint)
}

/// A request over the limit as a whole never passes, however long one waits.
fn over_the_rate(response: &Response) -> Verdict {
    let text = response.text();
    let limit = number_after(&text, "limit: ");
    let total = number_after(&text, "totaling '");
    match (limit, total) {
        (Some(limit), Some(total)) if total > limit && response.records > 1 => Verdict::Split,
        _ => Verdict::retry(response.reason()),
    }
}

fn number_after(text: &str, words: &str) -> Option<u64> {
    let (_, rest) = text.split_once(words)?;
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}
