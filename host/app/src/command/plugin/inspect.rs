//! `siemaphore plugin inspect`: what a formatter says of itself.

use anyhow::{Context, anyhow};
use serde_json::{Value, json};
use siemaphore_model::formatter::{Description, RequestProfile};
use siemaphore_sandbox::Configuration;

use crate::command::Failure;
use crate::command::plugin::offline;
use crate::print;

pub(crate) async fn run(plugin: String, as_json: bool) -> Result<(), Failure> {
    let (description, profile) = tokio::task::spawn_blocking(move || {
        let formatter = offline::load(&plugin)?;
        let description = formatter.description().clone();
        let configuration = Configuration {
            settings: description.settings_example.clone(),
            destination: "inspect".to_owned(),
        };
        let profile = formatter.configure(&configuration);
        let profile =
            profile.map_err(|error| anyhow!("{error}")).context("the formatter refuses its own example")?;
        anyhow::Ok((description, profile))
    })
    .await??;
    if as_json {
        return Ok(print::json(&json!({ "description": description, "example_request": profile }))?);
    }
    show(&description, &profile);
    Ok(())
}

fn show(description: &Description, profile: &RequestProfile) {
    let Description { name, version, vendor, title, summary, .. } = description;
    print::line(format_args!("{title}\n{summary}\n"));
    print::line(format_args!("formatter       {name} {version} by {vendor}"));
    print::line(format_args!("endpoint        {}", description.endpoint_example));
    print::line(format_args!("secret          {}", description.secret_name));
    for hint in &description.authentication {
        print::line(format_args!("authentication  {} {}", hint.scheme, hint.parameters));
    }
    let limits = profile.limits;
    print::line(format_args!("request         {} {}", profile.method.as_str(), profile.path));
    print::line(format_args!(
        "limits          {}, {} a request, {} a record",
        print::count(u64::from(limits.records), "record"),
        print::size(u64::from(limits.body_bytes)),
        print::size(u64::from(limits.record_bytes))
    ));
    let schema: Value = serde_json::from_str(&description.settings_schema).unwrap_or_default();
    settings(&schema);
    print::line(format_args!("\nexample settings\n{}", pretty(&description.settings_example)));
}

fn settings(schema: &Value) {
    let mut table = print::table(&["setting", "type", "default", "what it does"]);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let required = schema["required"].as_array().is_some_and(|required| required.contains(&json!(name)));
        let default = match &property["default"] {
            Value::Null if required => "(required)".to_owned(),
            Value::Null => String::new(),
            value => value.to_string(),
        };
        let summary = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        table.add_row([name.clone(), kind(property), default, summary].map(print::cell));
    }
    print::line("");
    print::show(&table);
}

/// `string`, or `string or null` as `string`.
fn kind(property: &Value) -> String {
    match &property["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let named = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            named.collect::<Vec<_>>().join(" or ")
        }
        _ => "see schema".to_owned(),
    }
}

fn pretty(json: &str) -> String {
    let parsed = serde_json::from_str::<Value>(json).and_then(|value| serde_json::to_string_pretty(&value));
    parsed.unwrap_or_else(|_| json.to_owned())
}
