//! What an operator installs in Elasticsearch and Kibana fits what the formatter writes: every field that it names is
//! in a record of a documented event, and every rule finds the documented events that it is for.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use siemaphore_formatter_elasticsearch::Elasticsearch;
use siemaphore_producers::{PRODUCERS, paths, samples};
use siemaphore_sdk::testkit;

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("content").join(file)).unwrap()
}

fn read(file: &str) -> Value {
    serde_json::from_str(&text(file)).unwrap()
}

fn rules() -> Vec<Value> {
    text("detection-rules.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every documented event as `producer/name` with its document.
fn documents() -> Vec<(String, Value)> {
    let configured = testkit::configure::<Elasticsearch>("{}").unwrap();
    let document = |record: &str| serde_json::from_str(record.lines().nth(1).unwrap()).unwrap();
    let named = |sample: siemaphore_producers::Sample| {
        (format!("{}/{}", sample.producer, sample.name), document(&configured.record(&sample.event)))
    };
    samples().into_iter().map(named).collect()
}

fn written_fields() -> BTreeSet<String> {
    documents().iter().flat_map(|(_, document)| paths(document)).collect()
}

/// The fields that a mapping gives a type.
fn mapped(properties: &Value, parent: &str, fields: &mut BTreeSet<String>) {
    for (name, mapping) in properties.as_object().unwrap() {
        let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        match mapping.get("properties") {
            Some(inner) => mapped(inner, &path, fields),
            None => drop(fields.insert(path)),
        }
    }
}

fn mapped_fields() -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    mapped(&read("component-template.json")["template"]["mappings"]["properties"], "", &mut fields);
    fields
}

/// The fields that a rule looks at.
fn fields_of(rule: &Value) -> BTreeSet<String> {
    let lists = ["/threshold/field", "/new_terms_fields"].into_iter().filter_map(|place| rule.pointer(place));
    let listed =
        lists.flat_map(|list| list.as_array().unwrap()).map(|field| field.as_str().unwrap().to_owned());
    let query = rule["query"].as_str().unwrap();
    let words = query.split(|character: char| character.is_whitespace() || "(),".contains(character));
    let in_query: Vec<String> = match rule["language"].as_str().unwrap() {
        "kuery" => words.filter_map(|word| word.strip_suffix(':')).map(str::to_owned).collect(),
        // Names with a dot are fields; those without are the query's own, numbers and the index aside.
        "esql" => words
            .filter(|word| word.starts_with('@') || word.contains('.'))
            .filter(|word| word.parse::<f64>().is_err() && !word.contains('*'))
            .map(str::to_owned)
            .collect(),
        language => panic!("{language}"),
    };
    listed.chain(in_query).collect()
}

#[test]
fn every_field_of_the_template_is_written_and_every_field_that_is_written_has_a_type() {
    let (mapped, written) = (mapped_fields(), written_fields());
    let unwritten: Vec<_> = mapped.difference(&written).collect();
    assert!(unwritten.is_empty(), "the formatter does not write {unwritten:?}");
    let is_mapped = |field: &String| {
        // An object has no type of its own, and below a producer's name all is one flattened field.
        let is_object = mapped.iter().any(|one| one.starts_with(&format!("{field}.")));
        is_object
            || mapped.contains(field)
            || PRODUCERS.iter().any(|name| field.starts_with(&format!("{name}.")))
    };
    let untyped: Vec<_> = written.iter().filter(|field| !is_mapped(field)).collect();
    assert!(untyped.is_empty(), "no type for {untyped:?}");
}

#[test]
fn every_field_that_a_rule_looks_at_is_written_and_has_a_type() {
    let (mapped, written) = (mapped_fields(), written_fields());
    for rule in rules() {
        let fields = fields_of(&rule);
        assert!(!fields.is_empty(), "{rule}");
        for field in fields {
            assert!(written.contains(&field) && mapped.contains(&field), "{field} of {}", rule["rule_id"]);
        }
    }
}

#[test]
fn rules_find_the_documented_events_that_they_are_for() {
    let documents = documents();
    for (rule_id, found, passed) in [
        (
            "siemaphore-blocks-by-one-user",
            &["keeptrusts/blocked", "systemprompt/tool-call-blocked", "aegis/preflight-blocked"][..],
            &["keeptrusts/request", "keeptrusts/redacted", "systemprompt/tool-call-completed"][..],
        ),
        (
            "siemaphore-secret-detected",
            &[
                "systemprompt/secret-detected",
                "systemprompt/secret-blocked",
                "cloudevents/systemprompt-secret-detected",
            ],
            &["systemprompt/tool-call-blocked", "aisg/dlp-pii-blocked"],
        ),
        (
            "siemaphore-blocked-by-policy",
            &["keeptrusts/blocked", "systemprompt/tool-call-blocked", "aegis/preflight-blocked"],
            &["keeptrusts/escalated", "systemprompt/policy-evaluated"],
        ),
        (
            "siemaphore-scope-violation",
            &["systemprompt/policy-violation", "systemprompt/tool-call-blocked"],
            &["systemprompt/secret-blocked", "keeptrusts/blocked"],
        ),
        (
            "siemaphore-failed-authentications",
            &["systemprompt/authentication-failure", "authos/user-login-failed"],
            &["systemprompt/authentication-success", "systemprompt/tool-call-failed"],
        ),
        (
            "siemaphore-new-address",
            &["authos/user-login-succeeded"],
            &["authos/user-login-failed", "authos/member-role-updated"],
        ),
    ] {
        let rule = rules().into_iter().find(|rule| rule["rule_id"] == rule_id).unwrap();
        let query = Query::parse(rule["query"].as_str().unwrap());
        let finds = |name: &&str| query.finds(&documents.iter().find(|(one, _)| one == *name).expect(name).1);
        let missed: Vec<_> = found.iter().filter(|name| !finds(name)).collect();
        let wrong: Vec<_> = passed.iter().filter(|name| finds(name)).collect();
        assert!(missed.is_empty() && wrong.is_empty(), "{rule_id} misses {missed:?} and finds {wrong:?}");
    }
}

#[test]
fn rules_have_what_an_import_needs() {
    let mut ids = BTreeSet::new();
    for rule in rules() {
        assert!(ids.insert(rule["rule_id"].as_str().unwrap().to_owned()), "{rule}");
        for key in ["name", "description", "type", "language", "query", "interval", "from", "severity"] {
            assert!(rule[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {rule}");
        }
        let bands = [("low", 0..=21), ("medium", 22..=47), ("high", 48..=73), ("critical", 74..=100)];
        let (_, band) = bands.iter().find(|(severity, _)| rule["severity"] == *severity).unwrap();
        assert!(band.contains(&rule["risk_score"].as_u64().unwrap()), "{rule}");
        assert_eq!(rule["enabled"], false, "an operator switches rules on");
        let targets = [&rule["index"], &rule["query"]].map(Value::to_string).join(" ");
        assert!(targets.contains("logs-siemaphore.*-*"), "{rule}");
    }
}

#[test]
fn the_files_refer_to_each_other_by_the_names_they_are_installed_under() {
    let template = read("index-template.json");
    let installation = text("README.md");
    let policy = template["template"]["settings"]["index.lifecycle.name"].as_str().unwrap();
    let component = template["composed_of"][0].as_str().unwrap();
    assert!(installation.contains(&format!("_ilm/policy/{policy} ")), "{policy}");
    assert!(installation.contains(&format!("_component_template/{component} ")), "{component}");
    assert_eq!(template["index_patterns"], json!(["logs-siemaphore.*-*"]));
    assert!(template["data_stream"].is_object());
    let default = testkit::configure::<Elasticsearch>("{}").unwrap().profile.path;
    assert!(
        default.starts_with("/logs-siemaphore.") && default.trim_end_matches("/_bulk").contains('-'),
        "{default}"
    );
    let phases = &read("ilm-policy.json")["policy"]["phases"];
    let ages = ["warm", "cold", "delete"].map(|phase| phases[phase]["min_age"].as_str().unwrap());
    assert_eq!(ages, ["7d", "30d", "90d"]);
}

#[test]
fn opensearch_gets_the_same_types_and_ages() {
    let template = read("opensearch-index-template.json");
    let flattened = json!({ "type": "flattened", "depth_limit": 64, "ignore_above": 1024 }).to_string();
    let flat = json!({ "type": "flat_object" }).to_string();
    let expected =
        read("component-template.json")["template"]["mappings"].to_string().replace(&flattened, &flat);
    assert_eq!(template["template"]["mappings"], serde_json::from_str::<Value>(&expected).unwrap());

    let policy = &read("opensearch-ism-policy.json")["policy"];
    assert_eq!(policy["ism_template"][0]["index_patterns"], template["index_patterns"]);
    let states = policy["states"].as_array().unwrap();
    for pair in states.windows(2) {
        let [state, next] = pair else { panic!("{pair:?}") };
        let transition = &state["transitions"][0];
        assert_eq!(transition["state_name"], next["name"], "a state leads to the one below it");
        let phase = &read("ilm-policy.json")["policy"]["phases"][next["name"].as_str().unwrap()];
        assert_eq!(transition["conditions"]["min_rollover_age"], phase["min_age"], "{next}");
    }
    let installation = text("README.md");
    for file in ["opensearch-index-template.json", "opensearch-ism-policy.json"] {
        assert!(installation.contains(&format!(" {file}\n")), "{file}");
    }
    let target = template["index_patterns"][0].as_str().unwrap().trim_end_matches('*');
    let page = include_str!("../../../docs/destinations/elasticsearch.md");
    assert!(page.contains(&format!("target = \"{target}")), "the page's example is under the policy");
}

/// As much of Kibana's query language as the rules use: `and`, `or`, brackets, and fields with words or lists of them.
enum Query {
    All(Vec<Query>),
    Any(Vec<Query>),
    Field(String, Vec<String>),
}

impl Query {
    fn parse(text: &str) -> Query {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let mut words = spaced.split_whitespace().peekable();
        let query = Query::any(&mut words);
        assert!(words.next().is_none(), "{text}");
        query
    }

    fn any<'a>(words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> Query {
        let mut parts = vec![Query::all(words)];
        while words.next_if_eq(&"or").is_some() {
            parts.push(Query::all(words));
        }
        Query::Any(parts)
    }

    fn all<'a>(words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> Query {
        let mut parts = vec![Query::one(words)];
        while words.next_if_eq(&"and").is_some() {
            parts.push(Query::one(words));
        }
        Query::All(parts)
    }

    fn one<'a>(words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> Query {
        if words.next_if_eq(&"(").is_some() {
            let inner = Query::any(words);
            assert_eq!(words.next(), Some(")"));
            return inner;
        }
        let field = words.next().and_then(|word| word.strip_suffix(':')).expect("a field").to_owned();
        if words.next_if_eq(&"(").is_none() {
            return Query::Field(field, vec![words.next().unwrap().to_owned()]);
        }
        let values = words.by_ref().take_while(|word| *word != ")").filter(|word| *word != "or");
        Query::Field(field, values.map(str::to_owned).collect())
    }

    fn finds(&self, document: &Value) -> bool {
        match self {
            Query::All(parts) => parts.iter().all(|part| part.finds(document)),
            Query::Any(parts) => parts.iter().any(|part| part.finds(document)),
            Query::Field(field, patterns) => {
                let Some(value) = document.pointer(&format!("/{}", field.replace('.', "/"))) else {
                    return false;
                };
                let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                let matches =
                    |value: &Value| patterns.iter().any(|one| is_like(value.as_str().unwrap(), one));
                values.iter().any(matches)
            }
        }
    }
}

/// Whether a text is a pattern's, in which `*` stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len()).any(|cut| text.get(cut..).is_some_and(|tail| is_like(tail, rest)))
        }),
    }
}
