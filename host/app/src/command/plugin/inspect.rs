//! `siemaphore plugin inspect`: what a formatter's file is, and what the formatter says of itself.

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use siemaphore_model::formatter::{Description, RequestProfile};
use siemaphore_registry::signature::TrustedKeys;
use siemaphore_sandbox::{Configuration, Language, Outside, memory_at_start, memory_for};

use crate::cli::Inspect;
use crate::command::Failure;
use crate::command::plugin::offline::{self, Named};
use crate::command::plugin::schema::{self, Setting};
use crate::command::plugin::signed::{self, Signed};
use crate::print;

pub(crate) async fn run(command: Inspect) -> Result<(), Failure> {
    let keys = signed::read_keys(&command.key)?;
    let inspected = tokio::task::spawn_blocking(move || Inspected::of(&command.plugin, &keys)).await??;
    if command.json {
        return Ok(print::json(&inspected.as_json())?);
    }
    inspected.show();
    Ok(())
}

struct Inspected {
    named: Named,
    outside: Outside,
    /// None for a built-in formatter: it is part of the host.
    signed: Option<Signed>,
    description: Description,
    profile: RequestProfile,
}

impl Inspected {
    fn of(plugin: &str, keys: &TrustedKeys) -> Result<Inspected> {
        let named = offline::find(plugin)?;
        let signed = match &named.path {
            None => None,
            Some(path) => {
                let beside = signed::read_beside(path)?;
                Some(Signed::of(path, &named.component, beside.as_deref(), keys)?)
            }
        };
        let outside = siemaphore_sandbox::outside(&named.name, &named.component);
        let outside = outside.map_err(|error| anyhow!("{error}\n  hint: {}", error.hint()))?;
        let formatter = named.load()?;
        let description = formatter.description().clone();
        let configuration = Configuration {
            settings: description.settings_example.clone(),
            destination: "inspect".to_owned(),
        };
        let profile = formatter.configure(&configuration);
        let profile =
            profile.map_err(|error| anyhow!("{error}")).context("the formatter refuses its own example")?;
        Ok(Inspected { named, outside, signed, description, profile })
    }

    fn as_json(&self) -> Value {
        json!({
            "name": self.named.name,
            "file": self.named.path,
            "size_bytes": self.named.component.len(),
            "digest": self.named.digest(),
            "language": Language::of(&self.named.component).as_str(),
            "memory_at_start_bytes": memory_at_start(&self.named.component),
            "memory_needed_bytes": memory_for(&self.named.component),
            "contract": self.outside.contract,
            "imports": self.outside.imports,
            "signature": self.signed,
            "description": self.description,
            "example_request": self.profile,
        })
    }

    fn show(&self) {
        let Description { name, version, vendor, title, summary, .. } = &self.description;
        print::line(format_args!("{title}\n{summary}\n"));
        print::line(format_args!("formatter       {name} {version} by {vendor}"));
        self.show_file();
        self.show_request();
        show_settings(&serde_json::from_str(&self.description.settings_schema).unwrap_or_default());
        print::line(format_args!("\nexample settings\n{}", pretty(&self.description.settings_example)));
    }

    fn show_file(&self) {
        let Inspected { named, outside, signed, .. } = self;
        let size = print::size(named.component.len() as u64);
        print::line(format_args!("file            {named}, {size}"));
        print::line(format_args!("digest          {}", named.digest()));
        print::line(format_args!("language        {}", Language::of(&named.component).as_str()));
        // A limit that should do: what calls really take depends on the events, and `check` measures it.
        let limit = print::size(memory_for(&named.component));
        let start = print::size(memory_at_start(&named.component));
        print::line(format_args!(
            "memory          starts with {start}; a limit of {limit} leaves room for calls"
        ));
        print::line(format_args!("contract        siemaphore:formatter@{}", outside.contract));
        match outside.imports.as_slice() {
            [] => print::line("imports         nothing"),
            imports => print::line(format_args!("imports         {}", imports.join("\n                "))),
        }
        match signed {
            None => {}
            Some(Signed::No) => print::line("signature       none"),
            Some(Signed::Unverified) => {
                print::line("signature       there is one; --key FILE says whether it is of that public key");
            }
            Some(Signed::By { fingerprint, .. }) => {
                print::line(format_args!("signature       by the key {fingerprint}"));
            }
        }
    }

    fn show_request(&self) {
        let Inspected { description, profile, .. } = self;
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
    }
}

fn show_settings(schema: &Value) {
    let mut table = print::table(&["setting", "type", "default", "what it does"]);
    for Setting { name, kind, required, default, summary } in schema::settings(schema) {
        let default = match default {
            _ if required => "(required)".to_owned(),
            None | Some(Value::Null) => String::new(),
            Some(value) => value.to_string(),
        };
        table.add_row([name, kind, default, summary].map(print::cell));
    }
    print::line("");
    print::show(&table);
}

fn pretty(json: &str) -> String {
    let parsed = serde_json::from_str::<Value>(json).and_then(|value| serde_json::to_string_pretty(&value));
    parsed.unwrap_or_else(|_| json.to_owned())
}
