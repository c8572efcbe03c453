//! What an operator installs in Sentinel: a column for each field, in the table and in the stream, and queries that use
//! no other columns.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use siemaphore_formatter_sentinel::Sentinel;
use siemaphore_producers::content::{self, Token, Vocabulary, tokens};
use siemaphore_producers::samples;
use siemaphore_sdk::testkit;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");
const SETTINGS: &str =
    r#"{"dcr_immutable_id":"dcr-0123456789abcdef0123456789abcdef","stream":"Custom-AiEvents_CL"}"#;
const TABLE: &str = "AiEvents_CL";
const STREAM: &str = "Custom-AiEvents_CL";
const FUNCTION: &str = "SiemaphoreEvents";

/// Operators, functions and types of the query language, and time spans.
const KQL: [&str; 42] = [
    "ago",
    "and",
    "bin",
    "by",
    "coalesce",
    "contains",
    "datetime",
    "dcount",
    "dcountif",
    "default",
    "endswith",
    "expand",
    "extend",
    "from",
    "has",
    "iff",
    "in",
    "ingestion_time",
    "isnotempty",
    "let",
    "long",
    "make",
    "make_set",
    "matches",
    "max",
    "mv",
    "not",
    "now",
    "on",
    "or",
    "project",
    "regex",
    "series",
    "series_decompose_anomalies",
    "startswith",
    "step",
    "summarize",
    "take_any",
    "to",
    "tostring",
    "typeof",
    "where",
];

fn read(file: &str) -> Value {
    serde_json::from_str(&content::file(PACKAGE, file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The columns of every documented event with the types that hold all their values.
fn columns() -> Value {
    let mut types: BTreeMap<String, &str> = BTreeMap::new();
    for sample in samples() {
        let row: Value =
            serde_json::from_str(&testkit::configure::<Sentinel>(SETTINGS).unwrap().record(&sample.event))
                .unwrap();
        for (name, value) in row.as_object().unwrap() {
            let held = types.get(name).copied().unwrap_or("");
            types.insert(name.clone(), holding(held, type_of(name, value)));
        }
    }
    // A column that was never more than null may become a text.
    types
        .into_iter()
        .map(|(name, kind)| json!({ "name": name, "type": if kind.is_empty() { "string" } else { kind } }))
        .collect()
}

fn type_of(name: &str, value: &Value) -> &'static str {
    match value {
        Value::Null => "",
        Value::String(_) if name == "TimeGenerated" => "datetime",
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "real",
        Value::Number(_) => "long",
        Value::Array(_) | Value::Object(_) => "dynamic",
    }
}

fn holding<'a>(one: &'a str, other: &'a str) -> &'a str {
    match (one, other) {
        ("", kind) | (kind, "") => kind,
        (one, other) if one == other => one,
        ("long", "real") | ("real", "long") => "real",
        _ => "dynamic",
    }
}

/// The files are written anew with `INSTA_UPDATE=always`, as the snapshots are.
#[test]
fn table_and_stream_have_a_column_for_each_field() {
    let places = [
        ("table.json", "/properties/schema/columns"),
        ("data-collection-rule.json", "/properties/streamDeclarations/Custom-AiEvents_CL/columns"),
    ];
    let columns = columns();
    for (file, pointer) in places {
        let mut document = read(file);
        let written = document.pointer_mut(pointer).unwrap();
        if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") && *written != columns {
            *written = columns.clone();
            let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
            std::fs::write(Path::new(PACKAGE).join("content").join(file), text).unwrap();
            continue;
        }
        let set = |columns: &Value| {
            columns.as_array().unwrap().iter().map(Value::to_string).collect::<BTreeSet<_>>()
        };
        let (has, needs) = (set(written), set(&columns));
        let missing: Vec<_> = needs.difference(&has).collect();
        let unused: Vec<_> = has.difference(&needs).collect();
        assert!(
            missing.is_empty() && unused.is_empty(),
            "{file} lacks {missing:?} and has {unused:?}, which nothing emits: run with INSTA_UPDATE=always"
        );
    }
}

#[test]
fn columns_are_legal_and_the_rule_leads_from_the_stream_to_the_table() {
    for column in columns().as_array().unwrap() {
        let name = column["name"].as_str().unwrap();
        assert!(name.len() <= 45 && name.starts_with(|first: char| first.is_ascii_alphabetic()), "{name}");
        assert!(!["id", "title", "type", "tenantid", "uniqueid"].contains(&name.to_lowercase().as_str()));
    }
    assert_eq!(read("table.json")["properties"]["schema"]["name"], TABLE);
    let rule = &read("data-collection-rule.json")["properties"];
    assert_eq!(rule["streamDeclarations"].as_object().unwrap().keys().collect::<Vec<_>>(), [STREAM]);
    let flow = &rule["dataFlows"][0];
    assert_eq!(flow["streams"], json!([STREAM]));
    assert_eq!(flow["outputStream"], STREAM);
    assert_eq!(flow["transformKql"], "source");
    assert_eq!(flow["destinations"][0], rule["destinations"]["logAnalytics"][0]["name"]);
}

fn emitted() -> BTreeSet<String> {
    columns().as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap().to_owned()).collect()
}

/// Names before a single `=`.
fn defined_in(cut: &[Token]) -> BTreeSet<String> {
    cut.windows(3)
        .filter(|at| at[1].is_mark('=') && !at[2].is_mark('=') && !at[2].is_mark('~'))
        .filter_map(|at| at[0].name().map(str::to_owned))
        .filter(|name| name != "default")
        .collect()
}

fn function() -> String {
    read("function.json")["resources"][0]["properties"]["query"].as_str().unwrap().to_owned()
}

#[test]
fn every_name_in_a_query_is_a_column_or_made_by_the_query() {
    let mut vocabulary = Vocabulary::default();
    vocabulary.add(KQL);
    vocabulary.add(emitted());
    let function = tokens(&function(), "");
    vocabulary.add(defined_in(&function));
    let mut of_function = vocabulary.clone();
    of_function.add([TABLE]);
    of_function.check(FUNCTION, function.iter().filter_map(Token::name));

    vocabulary.add([FUNCTION]);
    for rule in read("analytics-rules.json")["resources"].as_array().unwrap() {
        let rule = &rule["properties"];
        let name = rule["displayName"].as_str().unwrap();
        let cut = tokens(rule["query"].as_str().unwrap(), "");
        let mut here = vocabulary.clone();
        here.add(defined_in(&cut));
        here.check(name, cut.iter().filter_map(Token::name));

        let shown: Vec<&str> = shown(&cut);
        for mapping in rule["entityMappings"].as_array().unwrap() {
            let column = mapping["fieldMappings"][0]["columnName"].as_str().unwrap();
            assert!(shown.contains(&column), "{name} maps {column}, and shows {shown:?}");
        }
    }
}

/// Names from the last `summarize` or `project` on.
fn shown(cut: &[Token]) -> Vec<&str> {
    let shaping = ["summarize", "project"];
    let from =
        cut.iter().rposition(|token| token.name().is_some_and(|name| shaping.contains(&name))).unwrap();
    cut[from..].iter().filter_map(Token::name).collect()
}

#[test]
fn values_that_queries_compare_exist() {
    let types: BTreeSet<String> = samples().into_iter().map(|sample| sample.event.event_type).collect();
    let decisions = ["allowed", "blocked", "modified", "flagged", "failed", "unknown"];
    let rules = read("analytics-rules.json");
    let queries = rules["resources"].as_array().unwrap().iter();
    let queries: Vec<String> = queries
        .map(|rule| rule["properties"]["query"].as_str().unwrap().to_owned())
        .chain([function()])
        .collect();
    for query in queries {
        let cut = tokens(&query, "");
        for (place, token) in cut.iter().enumerate() {
            let value = || cut[place + 1..].iter().take(3).find_map(Token::text).unwrap();
            match token.name() {
                Some("Decision") if cut[place + 1].is_mark('=') && cut[place + 2].is_mark('=') => {
                    assert!(decisions.contains(&value()), "{}", value());
                }
                Some("EventType") => match cut[place + 1].name() {
                    Some("startswith") => {
                        assert!(types.iter().any(|one| one.starts_with(value())), "{}", value());
                    }
                    Some("endswith") => {
                        assert!(types.iter().any(|one| one.ends_with(value())), "{}", value())
                    }
                    Some("has") => assert!(types.iter().any(|one| one.contains(value())), "{}", value()),
                    Some("in") => {
                        let list = cut[place + 3..].iter().take_while(|token| !token.is_mark(')'));
                        for value in list.filter_map(Token::text) {
                            assert!(types.contains(value), "{value}");
                        }
                    }
                    _ if cut[place + 1].is_mark('=') => assert!(types.contains(value()), "{}", value()),
                    _ => {}
                },
                _ => {}
            }
        }
    }
}

#[test]
fn each_rule_is_one_that_sentinel_takes() {
    let rules = read("analytics-rules.json");
    let rules = rules["resources"].as_array().unwrap();
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule["name"].as_str().unwrap()).collect();
    assert_eq!((rules.len(), names.len()), (5, 5));
    for rule in rules {
        let rule = &rule["properties"];
        assert!(["High", "Medium", "Low", "Informational"].contains(&rule["severity"].as_str().unwrap()));
        assert_eq!(rule["suppressionEnabled"], false, "it would silence the rule for all users");
        let entities: Vec<&str> = rule["entityMappings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|mapping| mapping["entityType"].as_str().unwrap())
            .collect();
        assert!(entities.contains(&"Account"), "{entities:?}");
    }
}
