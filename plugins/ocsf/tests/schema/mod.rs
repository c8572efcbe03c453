//! The part of OCSF that the formatter uses, as the schema has it at 1.3.0 and 1.8.0: a strict validator.
//!
//! An attribute that is not in the table of its object is refused, as strict consumers do. Enumerations that grew
//! between the releases have their values for each.

#![allow(clippy::indexing_slicing, reason = "a member that is not there is null, and a problem")]

use serde_json::{Map, Value};

#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// A whole number that is not negative.
    Number,
    /// Milliseconds since 1970, of this century.
    Time,
    Flag,
    /// Any object.
    Anything,
    Address,
    Email,
    Texts,
    /// Numbers at 1.3.0, and those that came until 1.8.0.
    Enumeration(&'static [u64], &'static [u64]),
    One(&'static str),
    Many(&'static str),
}

use Kind::{Address, Anything, Email, Enumeration, Flag, Many, Number, One, Text, Texts, Time};

struct Attribute {
    object: &'static str,
    name: &'static str,
    kind: Kind,
    required: bool,
    /// The minor release that it came with.
    since: u32,
}

const fn optional(object: &'static str, name: &'static str, kind: Kind) -> Attribute {
    Attribute { object, name, kind, required: false, since: 0 }
}

const fn required(object: &'static str, name: &'static str, kind: Kind) -> Attribute {
    Attribute { object, name, kind, required: true, since: 0 }
}

const fn since(minor: u32, attribute: Attribute) -> Attribute {
    Attribute { since: minor, ..attribute }
}

const BASE: &str = "base_event";
const FINDING: &str = "detection_finding";
const ACTIVITY: &str = "api_activity";

const ATTRIBUTES: &[Attribute] = &[
    required(BASE, "activity_id", Number),
    optional(BASE, "activity_name", Text),
    required(BASE, "category_uid", Number),
    optional(BASE, "category_name", Text),
    required(BASE, "class_uid", Number),
    optional(BASE, "class_name", Text),
    required(BASE, "type_uid", Number),
    optional(BASE, "type_name", Text),
    required(BASE, "metadata", One("metadata")),
    required(BASE, "severity_id", Enumeration(&[0, 1, 2, 3, 4, 5, 6, 99], &[])),
    optional(BASE, "severity", Text),
    required(BASE, "time", Time),
    optional(BASE, "message", Text),
    optional(BASE, "status", Text),
    optional(BASE, "unmapped", Anything),
    // The profile security_control, listed in every event's metadata.
    required(BASE, "action_id", Enumeration(&[0, 1, 2], &[3, 4])),
    optional(BASE, "action", Text),
    optional(
        BASE,
        "disposition_id",
        Enumeration(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 99], &[]),
    ),
    optional(BASE, "disposition", Text),
    since(5, optional(BASE, "is_alert", Flag)),
    since(5, optional(BASE, "policy", One("policy"))),
    required(FINDING, "finding_info", One("finding_info")),
    optional(FINDING, "status_id", Enumeration(&[0, 1, 2, 3, 4, 99], &[5, 6])),
    optional(FINDING, "evidences", Many("evidences")),
    optional(FINDING, "resources", Many("resource_details")),
    required(ACTIVITY, "actor", One("actor")),
    required(ACTIVITY, "api", One("api")),
    required(ACTIVITY, "src_endpoint", One("network_endpoint")),
    optional(ACTIVITY, "status_id", Enumeration(&[0, 1, 2, 99], &[])),
    since(8, optional(ACTIVITY, "ai_model", One("ai_model"))),
    since(8, optional(ACTIVITY, "message_context", One("message_context"))),
    required("metadata", "version", Text),
    required("metadata", "product", One("product")),
    optional("metadata", "uid", Text),
    optional("metadata", "profiles", Texts),
    optional("metadata", "event_code", Text),
    optional("metadata", "log_name", Text),
    optional("metadata", "original_time", Text),
    optional("metadata", "logged_time", Time),
    optional("metadata", "tenant_uid", Text),
    optional("metadata", "correlation_uid", Text),
    required("product", "name", Text),
    required("product", "vendor_name", Text),
    required("finding_info", "uid", Text),
    required("finding_info", "title", Text),
    optional("finding_info", "desc", Text),
    optional("finding_info", "created_time", Time),
    optional("finding_info", "analytic", One("analytic")),
    required("analytic", "type_id", Enumeration(&[0, 1, 2, 3, 4, 99], &[])),
    optional("analytic", "type", Text),
    optional("analytic", "name", Text),
    optional("analytic", "uid", Text),
    optional("evidences", "actor", One("actor")),
    optional("evidences", "api", One("api")),
    optional("evidences", "src_endpoint", One("network_endpoint")),
    optional("resource_details", "name", Text),
    optional("resource_details", "type", Text),
    optional("actor", "app_name", Text),
    optional("actor", "app_uid", Text),
    optional("actor", "session", One("session")),
    optional("actor", "user", One("user")),
    optional("session", "uid", Text),
    optional("user", "uid", Text),
    optional("user", "name", Text),
    optional("user", "email_addr", Email),
    required("api", "operation", Text),
    optional("api", "service", One("service")),
    optional("api", "request", One("request")),
    optional("service", "name", Text),
    optional("service", "uid", Text),
    required("request", "uid", Text),
    optional("network_endpoint", "name", Text),
    optional("network_endpoint", "ip", Address),
    optional("policy", "name", Text),
    required("ai_model", "ai_provider", Text),
    required("ai_model", "name", Text),
    optional("message_context", "service", One("service")),
    optional("message_context", "application", One("application")),
    optional("message_context", "uid", Text),
    optional("message_context", "prompt_tokens", Number),
    optional("message_context", "completion_tokens", Number),
    optional("application", "name", Text),
];

/// Objects of which at least one of some attributes has to be there.
const AT_LEAST_ONE: &[(&str, &[&str])] = &[
    ("actor", &["process", "user", "invoked_by", "session", "app_name", "app_uid"]),
    ("user", &["account", "name", "uid"]),
    ("network_endpoint", &["ip", "uid", "name", "hostname", "svc_name", "instance_uid"]),
    ("message_context", &["application", "service"]),
    ("evidences", &["actor", "api", "src_endpoint"]),
    ("service", &["name", "uid"]),
    ("policy", &["name", "uid"]),
    ("resource_details", &["name", "uid"]),
];

/// What is wrong with an event; nothing when it conforms to the release that it names.
pub(crate) fn problems(event: &Value) -> Vec<String> {
    let Some(object) = event.as_object() else { return vec!["it is no object".to_owned()] };
    let minor = match event["metadata"]["version"].as_str() {
        Some("1.3.0") => 3,
        Some("1.8.0") => 8,
        version => return vec![format!("metadata.version is {version:?}")],
    };
    let mut checker = Checker { minor, problems: Vec::new() };
    match class(event) {
        Ok(class) => checker.object(object, &[BASE, class], class),
        Err(problem) => checker.problems.push(problem),
    }
    checker.problems.extend(profiles(event));
    checker.problems
}

fn class(event: &Value) -> Result<&'static str, String> {
    let number = |name: &str| event[name].as_u64().unwrap_or(u64::MAX);
    let (class, category, activities): (_, _, &[u64]) = match number("class_uid") {
        2004 => (FINDING, 2, &[0, 1, 2, 3, 99]),
        6003 => (ACTIVITY, 6, &[0, 1, 2, 3, 4, 99]),
        class => return Err(format!("class_uid is {class}")),
    };
    let activity = number("activity_id");
    if number("category_uid") != category {
        return Err(format!("category_uid is not {category}"));
    }
    if !activities.contains(&activity) {
        return Err(format!("activity_id {activity} is not one of {activities:?}"));
    }
    if number("type_uid") != number("class_uid") * 100 + activity {
        return Err(format!("type_uid is {}", event["type_uid"]));
    }
    if activity == 99 && event["activity_name"].as_str().is_none_or(|name| name.is_empty() || name == "Other")
    {
        return Err("activity 99 without the source's own name".to_owned());
    }
    Ok(class)
}

fn profiles(event: &Value) -> Option<String> {
    let listed = |name: &str| {
        event["metadata"]["profiles"].as_array().is_some_and(|profiles| profiles.contains(&Value::from(name)))
    };
    let uses_model = event.get("ai_model").is_some() || event.get("message_context").is_some();
    (!listed("security_control") || listed("ai_operation") != uses_model)
        .then(|| format!("the profiles are {}", event["metadata"]["profiles"]))
}

struct Checker {
    minor: u32,
    problems: Vec<String>,
}

impl Checker {
    fn object(&mut self, object: &Map<String, Value>, kinds: &[&str], path: &str) {
        let minor = self.minor;
        let attributes = || ATTRIBUTES.iter().filter(|one| kinds.contains(&one.object) && one.since <= minor);
        let missing: Vec<_> = attributes()
            .filter(|one| one.required && !object.contains_key(one.name))
            .map(|one| format!("{path}.{} is missing", one.name))
            .collect();
        for (name, value) in object {
            match attributes().find(|one| one.name == name) {
                Some(attribute) => self.value(value, attribute.kind, &format!("{path}.{name}")),
                None => self.problems.push(format!("{path}.{name} is not in 1.{}.0", self.minor)),
            }
        }
        self.problems.extend(missing);
        for (_, names) in AT_LEAST_ONE.iter().filter(|(kind, _)| kinds.contains(kind)) {
            if !names.iter().any(|name| object.contains_key(*name)) {
                self.problems.push(format!("{path} has none of {names:?}"));
            }
        }
    }

    fn value(&mut self, value: &Value, kind: Kind, path: &str) {
        let fits = match kind {
            Text => value.is_string(),
            Number => value.is_u64(),
            Time => value.as_u64().is_some_and(|time| (946_684_800_000..4_102_444_800_000).contains(&time)),
            Flag => value.is_boolean(),
            Anything => value.is_object(),
            Address => value.as_str().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
            Email => value
                .as_str()
                .is_some_and(|text| text.split('@').filter(|part| !part.is_empty()).count() == 2),
            Texts => {
                value.as_array().is_some_and(|texts| !texts.is_empty() && texts.iter().all(Value::is_string))
            }
            Enumeration(old, new) => value
                .as_u64()
                .is_some_and(|number| old.contains(&number) || (self.minor >= 8 && new.contains(&number))),
            One(object) => return self.one(value, object, path),
            Many(object) => match value.as_array() {
                Some(items) if !items.is_empty() => {
                    items.iter().for_each(|item| self.one(item, object, path));
                    true
                }
                _ => false,
            },
        };
        if !fits {
            self.problems.push(format!("{path} is {value}"));
        }
    }

    fn one(&mut self, value: &Value, kind: &str, path: &str) {
        match value.as_object() {
            Some(object) => self.object(object, &[kind], path),
            None => self.problems.push(format!("{path} is no object")),
        }
    }
}
