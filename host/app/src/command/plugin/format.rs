//! `siemaphore plugin format`: the exact requests that a formatter makes of events, without sending them.

#![allow(clippy::indexing_slicing, reason = "what is missing in a JSON value reads as null")]

use std::fmt;

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use http::HeaderName;
use serde_json::{Value, json};
use siemaphore_delivery::{Authentication, GrantedProfile, Group, RequestHead, frame, shown_url};
use siemaphore_model::Event;
use siemaphore_model::formatter::RequestProfile;
use siemaphore_sandbox::{Configuration, Formatter};
use url::Url;

use crate::cli::Format;
use crate::command::Failure;
use crate::command::plugin::offline;
use crate::command::plugin::outcome::{Outcome, Trial};
use crate::command::reading::{self, Taken};
use crate::print;

/// What would go over the wire, and what would not.
#[derive(Default)]
pub(crate) struct Requests {
    requests: Vec<Request>,
    /// In the order of their places.
    unsent: Vec<Unsent>,
    /// Values that redaction removed.
    redacted: usize,
}

/// An event that is in no request.
struct Unsent {
    /// Its place in the file, from 1.
    event: usize,
    /// None for what is no event: it was refused at the door.
    key: Option<String>,
    reason: String,
    /// What to do about a formatter that broke on it; none for an event that was rejected as it should be.
    defect: Option<&'static str>,
}

struct Request {
    head: RequestHead,
    /// The header that carries the secret, as `Authorization: Splunk [secret]`.
    credential: Option<(String, String)>,
    compressed: bool,
    /// Before compression.
    body: Bytes,
}

pub(crate) async fn run(command: Format) -> Result<(), Failure> {
    let as_json = command.json;
    let normaliser = reading::normaliser(&command.reading)?;
    let chosen = Chosen::by(&command)?;
    let examples = chosen.examples();
    let make = move || make(&command, &chosen, reading::read(&command.events, &normaliser)?);
    let requests = tokio::task::spawn_blocking(make).await??;
    if let Some(examples) = examples {
        print::aside(format_args!(
            "{examples} the formatter's own example; --destination NAME takes those of a destination\n"
        ));
    }
    if as_json {
        let shown: Vec<Value> = requests.requests.iter().map(Request::as_json).collect();
        let rejected: Vec<Value> = requests.unsent.iter().map(Unsent::as_json).collect();
        print::json(&json!({ "requests": shown, "rejected": rejected, "redacted": requests.redacted }))?;
    } else {
        let mut text = Vec::new();
        requests.requests.iter().for_each(|request| request.write(&mut text));
        print::bytes(&text);
        requests.unsent.iter().for_each(print::aside);
        if let Some(hint) = requests.hint() {
            print::aside(format_args!("  hint: {hint}"));
        }
        print::aside(reading::redacted(requests.redacted));
    }
    if requests.unsent.is_empty() { Ok(()) } else { Err(Failure::Said) }
}

/// What a person chose; the rest is the formatter's example.
struct Chosen {
    settings: Option<String>,
    endpoint: Option<String>,
}

impl Chosen {
    fn by(command: &Format) -> Result<Chosen, Failure> {
        let Some(name) = &command.destination else {
            return Ok(Chosen { settings: command.settings.clone(), endpoint: command.endpoint.clone() });
        };
        let destination = reading::destination(&command.reading, name)?;
        Ok(Chosen { settings: Some(destination.settings), endpoint: Some(destination.endpoint.to_string()) })
    }

    /// What is an example, as the beginning of a sentence.
    fn examples(&self) -> Option<&'static str> {
        match (&self.settings, &self.endpoint) {
            (None, None) => Some("settings and endpoint are"),
            (None, Some(_)) => Some("the settings are"),
            (Some(_), None) => Some("the endpoint is"),
            (Some(_), Some(_)) => None,
        }
    }
}

fn make(command: &Format, chosen: &Chosen, taken: Taken) -> Result<Requests> {
    let formatter = offline::load(&command.plugin)?;
    requests(&formatter, chosen.settings.as_deref(), chosen.endpoint.as_deref(), taken)
}

/// The requests that a formatter makes of events; with its own examples where settings and endpoint are left out.
pub(crate) fn requests(
    formatter: &Formatter,
    settings: Option<&str>,
    endpoint: Option<&str>,
    taken: Taken,
) -> Result<Requests> {
    let description = formatter.description();
    let settings = settings.unwrap_or(&description.settings_example).to_owned();
    let endpoint = endpoint.unwrap_or(&description.endpoint_example);
    let endpoint = Url::parse(endpoint).with_context(|| format!("`{endpoint}` is not a URL"))?;
    let configuration = Configuration { settings, destination: "format".to_owned() };
    let asked = formatter.configure(&configuration).map_err(|error| anyhow!("{error}"))?;
    let granted = grant(&asked, &endpoint)?;
    // The same request without compression: what a person wants to read.
    let readable = grant(&RequestProfile { compression: Vec::new(), ..asked }, &endpoint)?;
    let plan = Plan { granted, readable, endpoint, credential: credential(formatter) };
    let mut requests = plan.requests(&taken, Trial::new(formatter.clone(), configuration))?;
    requests.redacted = taken.redacted;
    let at_the_door = taken.refused.into_iter();
    requests.unsent.extend(at_the_door.map(|(event, reason)| Unsent {
        event,
        key: None,
        reason,
        defect: None,
    }));
    requests.unsent.sort_by_key(|unsent| unsent.event);
    Ok(requests)
}

impl fmt::Display for Unsent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unsent { event, key, reason, defect } = self;
        match (key, defect) {
            (Some(key), Some(_)) => write!(formatter, "event {event} ({key}) would not be sent: {reason}"),
            _ => write!(formatter, "event {event} would not be sent: {reason}"),
        }
    }
}

impl Unsent {
    fn as_json(&self) -> Value {
        let Unsent { event, key, reason, defect } = self;
        json!({ "event": event, "event_key": key, "reason": reason, "hint": defect })
    }
}

impl Requests {
    /// All that a person sees of them: each request, then what is in none.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        self.requests.iter().for_each(|request| request.write(&mut text));
        for unsent in &self.unsent {
            text.extend_from_slice(print::visible(&unsent.to_string()).as_bytes());
            text.push(b'\n');
        }
        text
    }

    /// The events that the formatter broke on, a line each; none where it did what it is for.
    pub(crate) fn defects(&self) -> Option<String> {
        let broken = self.unsent.iter().filter(|unsent| unsent.defect.is_some());
        let lines: Vec<String> = broken.map(Unsent::to_string).collect();
        self.hint().map(|hint| format!("{}\n  hint: {hint}", lines.join("\n")))
    }

    fn hint(&self) -> Option<&'static str> {
        self.unsent.iter().find_map(|unsent| unsent.defect)
    }
}

pub(super) fn grant(asked: &RequestProfile, endpoint: &Url) -> Result<GrantedProfile> {
    GrantedProfile::check(asked, &Authentication::shown_at(endpoint), endpoint)
        .map_err(|error| anyhow!("{error}\n  hint: {}", error.hint()))
}

/// How requests are made of records.
struct Plan {
    granted: GrantedProfile,
    readable: GrantedProfile,
    endpoint: Url,
    credential: Option<(String, String)>,
}

impl Plan {
    fn requests(&self, taken: &Taken, mut trial: Trial) -> Result<Requests> {
        let events: Vec<Event<'_>> = taken.events.iter().collect();
        let mut made = Requests::default();
        let mut sendable = Vec::new();
        let unsent = |place: usize, event: &Event<'_>, reason: String, defect| {
            let key = Some(event.key().to_string());
            Unsent { event: place, key, reason, defect }
        };
        let outcomes = trial.outcomes(&events)?;
        for ((event, &place), outcome) in events.iter().zip(&taken.places).zip(outcomes) {
            match outcome {
                Outcome::Record(record) => sendable.push((place, event, record)),
                Outcome::Rejected(reason) => made.unsent.push(unsent(place, event, reason, None)),
                Outcome::Broken { problem, hint } => {
                    made.unsent.push(unsent(place, event, problem, Some(hint)));
                }
            }
        }
        let group = |event: &Event<'_>| Group::of(&self.granted, event);
        // Neighbours of the same group go together, as they do in a pipeline.
        for neighbours in sendable.chunk_by(|(_, left, _), (_, right, _)| group(left) == group(right)) {
            let Some((_, first, _)) = neighbours.first() else { continue };
            let bodies: Vec<&[u8]> = neighbours.iter().map(|(_, _, record)| record.as_slice()).collect();
            let frames = frame(&self.granted, &bodies);
            made.unsent.extend(frames.too_large.iter().filter_map(|record| {
                let (place, event, _) = neighbours.get(record.index)?;
                Some(unsent(*place, event, record.to_string(), None))
            }));
            let readable = frame(&self.readable, &bodies).bodies;
            let head = self.granted.head(&self.endpoint, &group(first));
            made.requests.extend(frames.bodies.into_iter().zip(readable).map(|(sent, readable)| Request {
                head: head.clone(),
                credential: self.credential.clone(),
                compressed: sent.body.encoding.is_some(),
                body: readable.body.bytes,
            }));
        }
        Ok(made)
    }
}

/// The formatter's first suggestion, with the secret's place in it; none where that is no header.
fn credential(formatter: &Formatter) -> Option<(String, String)> {
    let hint = formatter.description().authentication.first()?;
    let parameters: Value = serde_json::from_str(&hint.parameters).unwrap_or_default();
    let parameter = |name: &str, fallback: &str| parameters[name].as_str().unwrap_or(fallback).to_owned();
    let authorization = |value: &str| Some(("authorization".to_owned(), value.to_owned()));
    match hint.scheme.as_str() {
        "header" | "hmac" => {
            Some((parameter("header", "authorization"), format!("{}[secret]", parameter("prefix", ""))))
        }
        "basic" => authorization("Basic [secret]"),
        "standard-webhooks" => Some(("webhook-signature".to_owned(), "v1,[secret]".to_owned())),
        "azure-shared-key" => authorization("SharedKey WORKSPACE:[secret]"),
        "aws-sigv4" => authorization("AWS4-HMAC-SHA256 Credential=[secret]"),
        "none" | "url-path" | "body-field" => None,
        _ => authorization("Bearer [secret]"),
    }
}

impl Request {
    fn headers(&self) -> Vec<(String, String)> {
        let shown = |name: &HeaderName, value: &http::HeaderValue| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let mut headers: Vec<_> = self.head.headers.iter().map(|(name, value)| shown(name, value)).collect();
        if self.compressed {
            headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
        }
        headers.extend(self.credential.clone());
        headers
    }

    fn write(&self, text: &mut Vec<u8>) {
        let mut head = format!("{} {}\n", self.head.method, shown_url(&self.head.url));
        for (name, value) in self.headers() {
            head.push_str(&format!("{name}: {value}\n"));
        }
        text.extend_from_slice(print::visible(&head).as_bytes());
        text.push(b'\n');
        // As it would go over the wire, whatever is in it.
        text.extend_from_slice(&self.body);
        text.extend_from_slice(b"\n\n");
    }

    fn as_json(&self) -> Value {
        let headers: serde_json::Map<String, Value> =
            self.headers().into_iter().map(|(name, value)| (name, value.into())).collect();
        json!({
            "method": self.head.method.as_str(),
            "url": shown_url(&self.head.url),
            "headers": headers,
            "body": String::from_utf8_lossy(&self.body),
        })
    }
}
