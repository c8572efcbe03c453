//! What `describe` says: its name, its version, its settings. The sandbox has capped and cleaned it.

use serde_json::Value;
use siemaphore_model::formatter::Description;
use siemaphore_sandbox::Configuration;

use crate::law::Law;
use crate::schema::Schema;
use crate::trial::{Stop, Trial};

pub(crate) fn check(trial: &mut Trial<'_>) -> Result<(), Stop> {
    let description = trial.formatter.description().clone();
    for problem in problems(&description) {
        trial.broken(Law::Description, None, problem)?;
    }
    trial.finish(Law::Description);
    settings(trial, &description)
}

fn problems(description: &Description) -> Vec<String> {
    let Description { name, version, authentication, .. } = description;
    let mut problems = Vec::new();
    if !is_name(name) {
        problems.push(format!("the name {name:?} is not of lowercase letters, digits and hyphens"));
    }
    if !is_version(version) {
        problems.push(format!("the version {version:?} is not one of Semantic Versioning, as `1.0.0` is"));
    }
    for hint in authentication {
        if !serde_json::from_str(&hint.parameters).is_ok_and(|parameters: Value| parameters.is_object()) {
            let parameters = &hint.parameters;
            problems.push(format!(
                "the parameters of the authentication `{}` are not a JSON object: {parameters:?}",
                hint.scheme
            ));
        }
    }
    problems
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Three numbers, and what a hyphen or a plus sign adds.
fn is_version(version: &str) -> bool {
    let (numbers, more) = version.split_at(version.find(['-', '+']).unwrap_or(version.len()));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
    numbers.split('.').count() == 3
        && numbers.split('.').all(is_number)
        && more.len() != 1
        && more.bytes().all(plain)
}

fn settings(trial: &mut Trial<'_>, description: &Description) -> Result<(), Stop> {
    if let Err(problem) = example(description) {
        trial.broken(Law::Settings, None, problem)?;
    }
    let example = &description.settings_example;
    if trial.settings().settings == *example {
        // `configure` is asked about these next, in any case.
        return Ok(());
    }
    let destination = trial.settings().destination.clone();
    let configuration = Configuration { settings: example.clone(), destination };
    if let Err(problem) = trial.configured(&configuration)? {
        trial.broken(Law::Settings, None, format!("with its own example, {problem}"))?;
    }
    Ok(())
}

fn example(description: &Description) -> Result<(), String> {
    let schema = Schema::read(&description.settings_schema)?;
    let example: Value = serde_json::from_str(&description.settings_example)
        .map_err(|error| format!("the settings example is not JSON: {error}"))?;
    if !example.is_object() {
        return Err(format!("the settings example is not a JSON object: {example}"));
    }
    schema
        .check(&example)
        .map_err(|problem| format!("the settings example does not fit the schema: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_semantic_versioning() {
        for version in ["1.0.0", "0.10.200", "1.0.0-rc.1", "1.0.0+build-5", "1.0.0-a.b+c"] {
            assert!(is_version(version), "{version}");
        }
        for version in ["", "1", "1.0", "1.0.0.0", "v1.0.0", "1..0", "1.0.0-", "1.0.0 ", "1.0.x"] {
            assert!(!is_version(version), "{version}");
        }
    }

    #[test]
    fn names_are_lowercase_words() {
        assert!(is_name("acme-siem-2"));
        for name in ["", "Acme", "acme_siem", "acme siem", "äcme"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
