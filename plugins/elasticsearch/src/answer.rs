//! What Elasticsearch's answers mean.
//!
//! A bulk request is answered with 200 whatever became of its documents: each has a status of its own, in the order
//! sent. Documents are created under their event's key, so sending any of them again is safe.

use serde::Deserialize;
use siemaphore_sdk::{Fate, Note, Partial, Response, Run, Verdict};

use crate::settings::{Service, Settings};

/// A bulk request's answer, as far as `filter_path` lets it through.
#[derive(Debug, Deserialize)]
struct Bulk {
    errors: bool,
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    create: Created,
}

#[derive(Debug, Deserialize)]
struct Created {
    status: u16,
    #[serde(default)]
    error: Option<Problem>,
    #[serde(default)]
    failure_store: Option<String>,
}

/// Why a document or a request was refused.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    reason: String,
    caused_by: Option<Cause>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: String,
}

/// The answer to a request that was refused as a whole. Elasticsearch, Kibana and Amazon each have their form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: Option<Words>,
    #[serde(rename = "statusCode")]
    kibana_status: Option<u16>,
    #[serde(alias = "Message")]
    message: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Words {
    Text(String),
    Structured(Problem),
}

/// What became of one document, where that says more than the contract's fates.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Stored,
    Known,
    Again(String),
    Rejected(String),
    /// It fails as every other would, until somebody changes something.
    Held {
        reason: String,
        hint: String,
    },
}

pub(crate) fn interpret(response: &Response, settings: &Settings) -> Verdict {
    if response.is_success() { taken(response, settings) } else { refused(response, settings) }
}

fn taken(response: &Response, settings: &Settings) -> Verdict {
    if response.truncated {
        // What was cut off is known again from smaller answers.
        return Verdict::Split;
    }
    match serde_json::from_slice::<Bulk>(&response.body) {
        Ok(bulk) if bulk.items.len() == response.records as usize => judge(&bulk, settings),
        _ => Verdict::hold(
            format!("status {} without the answer to a bulk request", response.status),
            "something else than Elasticsearch answers: use its own address (port 9200, or 443 and the .es. host on Elastic \
             Cloud), not Kibana's (5601), and look for proxies on the way",
        ),
    }
}

fn judge(bulk: &Bulk, settings: &Settings) -> Verdict {
    let outcomes: Vec<Outcome> = bulk.items.iter().map(|item| outcome(&item.create, settings)).collect();
    let redirected =
        bulk.items.iter().filter(|item| item.create.failure_store.as_deref() == Some("used")).count();
    let note = (redirected > 0).then(|| Note {
        reason: format!("{redirected} documents went to the failure store of {}", settings.target),
        hint: format!(
            "their mapping or pipeline failed: see GET {}::failures/_search, and install the template of `siemaphore content \
             elasticsearch`",
            settings.target
        ),
        pause_ms: None,
    });
    if outcomes.iter().all(|outcome| *outcome == Outcome::Stored) && !bulk.errors {
        return Verdict::Delivered(note);
    }
    let settles =
        |outcome: &Outcome| matches!(outcome, Outcome::Stored | Outcome::Known | Outcome::Rejected(_));
    let waiting = outcomes.iter().find(|outcome| !settles(outcome));
    if !outcomes.iter().any(settles) {
        match held(&outcomes).or(waiting) {
            Some(Outcome::Held { reason, hint }) => return Verdict::hold(reason, hint),
            Some(Outcome::Again(reason)) => return Verdict::retry(reason),
            _ => {}
        }
    }
    let note = match held(&outcomes).or(waiting) {
        // The others are settled first; when these come again alone, they hold the destination.
        Some(Outcome::Held { reason, hint }) => {
            Some(Note { reason: reason.clone(), hint: hint.clone(), pause_ms: None })
        }
        Some(Outcome::Again(reason)) => Some(Note {
            reason: reason.clone(),
            hint: "the cluster cannot keep up: those documents are sent again".to_owned(),
            pause_ms: None,
        }),
        _ => note,
    };
    Verdict::Partial(Partial { runs: runs(outcomes), rest: Fate::Delivered, note })
}

fn held(outcomes: &[Outcome]) -> Option<&Outcome> {
    outcomes.iter().find(|outcome| matches!(outcome, Outcome::Held { .. }))
}

fn outcome(created: &Created, settings: &Settings) -> Outcome {
    let reason = || item_reason(created);
    match created.status {
        200..300 => Outcome::Stored,
        409 => Outcome::Known,
        429 | 500..600 => Outcome::Again(reason()),
        status => match item_hint(status, created.error.as_ref(), settings) {
            Some(hint) => Outcome::Held { reason: reason(), hint },
            None => Outcome::Rejected(reason()),
        },
    }
}

/// For what is wrong with the target or the credential, not with the document.
fn item_hint(status: u16, problem: Option<&Problem>, settings: &Settings) -> Option<String> {
    let kind = problem.map_or("", |problem| problem.kind.as_str());
    let reason = problem.map_or("", |problem| problem.reason.as_str());
    match status {
        401 => Some(credential_hint(settings.service).to_owned()),
        403 if kind == "cluster_block_exception" => Some(
            "the target is read-only: free disk space or remove its block (index.blocks.*)".to_owned(),
        ),
        403 => Some(permission_hint(settings)),
        404 => Some(format!(
            "{} does not exist and is not created by itself: install the template of `siemaphore content elasticsearch`, or \
             grant the credential `auto_configure` on it",
            settings.target
        )),
        400 if kind == "invalid_index_name_exception" => {
            Some("change the setting `target`; names are in lowercase, also those of {organization} and {producer}".to_owned())
        }
        400 if reason.contains("pipeline with id") => {
            Some("create that ingest pipeline, or change the setting `pipeline`".to_owned())
        }
        _ => None,
    }
}

fn item_reason(created: &Created) -> String {
    match &created.error {
        None => format!("status {}", created.status),
        Some(problem) => format!("status {}: {}", created.status, problem.words()),
    }
}

impl Problem {
    fn words(&self) -> String {
        let cause = self.caused_by.as_ref().map_or("", |cause| cause.reason.as_str());
        let parts = [self.kind.as_str(), &self.reason, cause];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
    }
}

/// Neighbours with the same fate become one run; what is stored needs none.
fn runs(outcomes: Vec<Outcome>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (place, outcome) in (0_u32..).zip(outcomes) {
        let fate = match outcome {
            Outcome::Stored => continue,
            Outcome::Known => Fate::Duplicate,
            Outcome::Again(_) | Outcome::Held { .. } => Fate::Retry,
            Outcome::Rejected(reason) => Fate::Rejected(reason),
        };
        match runs.last_mut() {
            Some(last) if last.fate == fate && last.first + last.count == place => last.count += 1,
            _ => runs.push(Run { first: place, count: 1, fate }),
        }
    }
    runs
}

fn refused(response: &Response, settings: &Settings) -> Verdict {
    let answer: Refused = serde_json::from_slice(&response.body).unwrap_or_default();
    let reason = answer.reason(response.status);
    if answer.kibana_status.is_some() || response.header("kbn-name").is_some() {
        return Verdict::hold(
            reason,
            "this is Kibana: give the address of Elasticsearch (port 9200, or the .es. host on Elastic Cloud)",
        );
    }
    match response.status {
        400 => bad_request(reason),
        401 => Verdict::hold(reason, credential_hint(settings.service)),
        403 => Verdict::hold(reason, permission_hint(settings)),
        404 => Verdict::hold(
            reason,
            "give the endpoint with the prefix of a proxy, if there is one, and without an index or `_bulk`",
        ),
        405 => {
            Verdict::hold(reason, "something on the way does not let POST to `_bulk` through: check proxies")
        }
        406 | 415 => Verdict::hold(
            reason,
            "a proxy on the way changes the content type: let application/x-ndjson pass as it is",
        ),
        413 => Verdict::Split,
        429 | 500..600 => Verdict::retry(reason),
        _ => Verdict::Standard,
    }
}

fn bad_request(reason: String) -> Verdict {
    if reason.contains("no handler found") || reason.contains("invalid_index_name") {
        return Verdict::hold(reason, "check the path of the endpoint and the setting `target`");
    }
    Verdict::rejected(reason, "Elasticsearch could not read the lines of the request")
}

fn credential_hint(service: Service) -> &'static str {
    match service {
        Service::Elasticsearch => {
            "use the `encoded` value that was shown when the API key was made, with the prefix `ApiKey `; neither its id nor \
             its `api_key` alone works, and an expired or invalidated key has to be made again"
        }
        Service::Opensearch => {
            "OpenSearch has no API keys: use the scheme `basic` with an internal user, or `aws-sigv4` on Amazon"
        }
    }
}

fn permission_hint(settings: &Settings) -> String {
    let target = &settings.target;
    match settings.service {
        Service::Elasticsearch => {
            format!("grant the API key or role `create_doc` and `auto_configure` on the index {target}")
        }
        Service::Opensearch => format!(
            "map the user to a role with `crud` and `create_index` on {target}, and let the domain's access policy pass it"
        ),
    }
}

impl Refused {
    fn reason(&self, status: u16) -> String {
        let words = match &self.error {
            Some(Words::Text(text)) if self.message.is_empty() => text.clone(),
            Some(Words::Structured(problem)) => problem.words(),
            _ => self.message.clone(),
        };
        if words.is_empty() { format!("status {status}") } else { format!("status {status}: {words}") }
    }
}
