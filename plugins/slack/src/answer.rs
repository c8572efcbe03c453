//! What Slack's answers mean.
//!
//! Slack answers with one word as plain text: `ok`, or what is wrong. The word counts more than the status, which has
//! changed over the years.

use siemaphore_sdk::{Response, Verdict};

pub(crate) fn interpret(response: &Response) -> Verdict {
    let text = response.text();
    let word = text.trim();
    match (response.status, word) {
        (200, "ok") => Verdict::Delivered(None),
        (200..300, _) => Verdict::hold(
            response.reason(),
            "Slack answers 200 with ok, so something else answers here: give the endpoint \
             https://hooks.slack.com/services/{secret}, and check proxies",
        ),
        (429, _) => Verdict::retry(format!(
            "{}; Slack takes one message a second for a channel: set `events_per_second = 1` and `concurrency = 1`, or raise \
             `minimum_severity`",
            response.reason()
        )),
        // The server's own faults pass.
        (408 | 500.., _) => Verdict::Standard,
        (_, word) => by_word(response, word),
    }
}

fn by_word(response: &Response, word: &str) -> Verdict {
    let hold = |hint: &str| Verdict::hold(response.reason(), hint);
    match word {
        "no_service" | "no_service_id" | "no_active_hooks" | "invalid_token" | "no_team"
        | "team_disabled" => hold(
            "the webhook was removed, or the secret is not what stands after /services/ in its URL: copy it again, or add \
             another webhook to the app",
        ),
        "channel_not_found" | "channel_is_archived" | "user_not_found" => hold(
            "the channel of this webhook is gone: restore it, or add a webhook for another channel and give its secret",
        ),
        "action_prohibited" | "posting_to_general_channel_denied" => hold(
            "the workspace's rules forbid this webhook to post: ask an administrator, or use another channel",
        ),
        // What Slack says of a body. All bodies are alike but for the event's texts.
        word if word.starts_with("invalid_")
            || word.starts_with("no_text")
            || word.starts_with("missing_text") =>
        {
            Verdict::rejected(
                response.reason(),
                "Slack will never take this event: report it with Slack's word",
            )
        }
        _ if (300..400).contains(&response.status) || matches!(response.status, 401..=406 | 410) => hold(
            "give the endpoint https://hooks.slack.com/services/{secret}, and as the secret what stands after /services/ in \
             the webhook's URL: T…/B…/…",
        ),
        _ => Verdict::Standard,
    }
}
