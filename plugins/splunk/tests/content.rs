//! What an operator installs in Splunk: it parses, every name in it is one that events or the content itself have, and
//! it finds each producer's user and decision.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use siemaphore_formatter_splunk::Splunk;
use siemaphore_producers::content::{self, Token, Vocabulary, fits, leaves, tokens};
use siemaphore_producers::{Sample, paths, samples};
use siemaphore_sdk::facts::{Fact, FactPlaces, Facts};
use siemaphore_sdk::json::Outline;
use siemaphore_sdk::testkit;

const CONF_FILES: [&str; 6] =
    ["props.conf", "transforms.conf", "macros.conf", "eventtypes.conf", "tags.conf", "savedsearches.conf"];
const PRODUCERS_STANZA: &str =
    "source::(aegis|aisg|authos|cloudevents|generic|keeptrusts|ocsf|otlp|systemprompt)";

/// Commands, their options and clauses, and functions of the search language.
const SPL: [&str; 43] = [
    "AND",
    "AS",
    "BY",
    "IN",
    "NOT",
    "OR",
    "_index_earliest",
    "_index_latest",
    "_time",
    "avg",
    "bin",
    "coalesce",
    "count",
    "dc",
    "dedup",
    "eval",
    "eventstats",
    "eventtype",
    "if",
    "index",
    "like",
    "lower",
    "match",
    "max",
    "mvfilter",
    "mvindex",
    "now",
    "null",
    "nullif",
    "perc50",
    "perc95",
    "perc99",
    "relative_time",
    "replace",
    "siemaphore",
    "sort",
    "span",
    "stats",
    "stdev",
    "table",
    "timechart",
    "values",
    "where",
];
/// Characters of names beside letters, digits and `_`: `details.entities_found{}`.
const NAME_CHARACTERS: &str = ".{}@";

type Stanza = BTreeMap<String, String>;

/// A Splunk configuration file. A line that ends with a backslash goes on in the next one.
fn conf(name: &str) -> BTreeMap<String, Stanza> {
    let text = content::file(env!("CARGO_MANIFEST_DIR"), name).replace("\\\n", " ");
    let mut stanzas: BTreeMap<String, Stanza> = BTreeMap::new();
    let mut current = None;
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if let Some(stanza) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            assert!(!stanzas.contains_key(stanza), "{name}: [{stanza}] stands there twice");
            stanzas.insert(stanza.to_owned(), Stanza::new());
            current = Some(stanza.to_owned());
        } else {
            let (key, value) =
                line.split_once('=').unwrap_or_else(|| panic!("{name}: {line:?} is no setting"));
            let stanza = current.as_ref().unwrap_or_else(|| panic!("{name}: {line:?} before any stanza"));
            let earlier =
                stanzas.get_mut(stanza).unwrap().insert(key.trim().to_owned(), value.trim().to_owned());
            assert_eq!(earlier, None, "{name}: [{stanza}] has {key:?} twice");
        }
    }
    stanzas
}

fn props() -> Stanza {
    conf("props.conf").remove(PRODUCERS_STANZA).unwrap()
}

/// The event as a search sees it: the document's fields, the indexed ones, and those of Splunk itself.
fn searchable(sample: &Sample) -> (Value, Value) {
    let record: Value =
        serde_json::from_str(&testkit::configure::<Splunk>("{}").unwrap().record(&sample.event)).unwrap();
    (record["event"].clone(), record["fields"].clone())
}

fn emitted() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = ["host", "source", "sourcetype"].map(str::to_owned).into();
    for sample in samples() {
        let (document, fields) = searchable(&sample);
        names.extend(paths(&document));
        names.extend(paths(&fields));
        // As Splunk calls a list's elements.
        let lists = leaves(&document).into_iter().filter(|(_, value)| value.is_array());
        names.extend(lists.map(|(path, _)| format!("{path}{{}}")));
    }
    names
}

/// What props.conf adds to every event.
fn added() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (key, value) in props() {
        if let Some(field) = key.strip_prefix("EVAL-") {
            names.insert(field.to_owned());
        } else if key.starts_with("FIELDALIAS-") {
            names.insert(value.split_once(" AS ").unwrap().1.to_owned());
        } else if key.starts_with("LOOKUP-") {
            names.extend(value.split_once(" OUTPUT ").unwrap().1.split_whitespace().map(str::to_owned));
        } else {
            panic!("{key} of props.conf is not looked at here");
        }
    }
    names
}

/// All searches with the place where they stand.
fn searches() -> Vec<(String, String)> {
    let mut searches = Vec::new();
    for file in ["eventtypes.conf", "savedsearches.conf"] {
        for (stanza, settings) in conf(file) {
            searches.push((format!("{file} [{stanza}]"), settings["search"].clone()));
        }
    }
    for (stanza, settings) in conf("macros.conf") {
        searches.push((format!("macros.conf [{stanza}]"), settings["definition"].clone()));
    }
    let dashboard = content::file(env!("CARGO_MANIFEST_DIR"), "siemaphore.xml");
    for query in dashboard.split("<query>").skip(1) {
        let query = query.split_once("</query>").unwrap().0;
        assert!(!query.contains(['<', '&']), "write {query} without XML's own characters");
        searches.push(("siemaphore.xml".to_owned(), query.to_owned()));
    }
    searches
}

/// Names that a search itself makes: `… AS name`, and `name=` in `eval`.
fn defined_in(cut: &[Token]) -> Vec<String> {
    let mut defined = Vec::new();
    let mut in_eval = false;
    for (place, token) in cut.iter().enumerate() {
        let previous = place.checked_sub(1).and_then(|previous| cut.get(previous));
        if token.is_mark('|') {
            in_eval = false;
        } else if previous.is_some_and(|previous| previous.is_mark('|')) {
            in_eval = token.name() == Some("eval");
        }
        let Some(name) = token.name() else { continue };
        let of_as = previous.and_then(Token::name) == Some("AS");
        let of_eval = in_eval && cut.get(place + 1).is_some_and(|next| next.is_mark('='));
        if of_as || of_eval {
            defined.push(name.to_owned());
        }
    }
    defined
}

/// Names outside of double quotes; in single ones stand names that `eval` would cut.
fn names(cut: &[Token]) -> impl Iterator<Item = &str> {
    cut.iter().filter_map(|token| match token {
        Token::Text { quote: '\'', text } => Some(text.as_str()),
        token => token.name(),
    })
}

#[test]
fn every_name_in_a_search_is_one_that_events_have() {
    let mut everywhere = Vocabulary::default();
    everywhere.add(SPL);
    everywhere.add(emitted());
    everywhere.add(added());
    for (place, search) in searches() {
        let cut = tokens(&search, NAME_CHARACTERS);
        let mut here = everywhere.clone();
        here.add(defined_in(&cut));
        here.check(&place, names(&cut));
    }
}

#[test]
fn every_name_in_props_is_one_that_events_have() {
    let mut vocabulary = Vocabulary::default();
    vocabulary.add(SPL);
    vocabulary.add(emitted());
    for (key, value) in props() {
        if key.starts_with("EVAL-") {
            vocabulary.check(&key, names(&tokens(&value, NAME_CHARACTERS)));
        } else if key.starts_with("FIELDALIAS-") {
            vocabulary.check(&key, [value.split_once(" AS ").unwrap().0]);
        } else {
            assert_eq!(value, "siemaphore_decisions word AS vendor_action OUTPUT decision action");
        }
    }
}

#[test]
fn suppression_is_by_fields_that_the_alert_shows() {
    for (stanza, settings) in conf("savedsearches.conf") {
        let cut = tokens(&settings["search"], NAME_CHARACTERS);
        let by = cut.iter().rposition(|token| token.name() == Some("BY")).unwrap();
        let grouped: Vec<&str> =
            cut[by + 1..].iter().take_while(|token| !token.is_mark('|')).filter_map(Token::name).collect();
        for field in settings["alert.suppress.fields"].split(',') {
            assert!(
                grouped.contains(&field),
                "[{stanza}] is suppressed by {field}, and grouped by {grouped:?}"
            );
        }
    }
}

/// `field="value"` and `field IN ("value", …)`.
fn compared(cut: &[Token], field: &str) -> Vec<String> {
    let mut values = Vec::new();
    for (place, token) in cut.iter().enumerate() {
        if token.name() != Some(field) {
            continue;
        }
        match &cut[place + 1..] {
            [Token::Mark('='), value, ..] => values.extend(value.text().map(str::to_owned)),
            [Token::Word(word), Token::Mark('('), list @ ..] if word == "IN" => {
                let list = list.iter().take_while(|token| !token.is_mark(')'));
                values.extend(list.filter_map(Token::text).map(str::to_owned));
            }
            _ => {}
        }
    }
    values
}

#[test]
fn values_that_searches_look_for_exist() {
    let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for sample in samples() {
        known.entry("event_type").or_default().insert(sample.event.event_type);
        known.entry("source").or_default().insert(sample.producer.to_owned());
    }
    let rows = decisions();
    known.insert("decision", rows.iter().map(|row| row.decision.clone()).collect());
    known.insert("action", rows.into_iter().map(|row| row.action).collect());
    known.insert("eventtype", conf("eventtypes.conf").into_keys().collect());
    for (place, search) in searches() {
        let cut = tokens(&search, NAME_CHARACTERS);
        for (field, values) in &known {
            for pattern in compared(&cut, field) {
                let found = values.iter().any(|value| fits(&pattern, value));
                assert!(found, "{place}: no {field} is like {pattern:?}, there are {values:?}");
            }
        }
    }
    for stanza in conf("tags.conf").keys() {
        assert!(known["eventtype"].contains(stanza.strip_prefix("eventtype=").unwrap()), "{stanza}");
    }
}

struct Row {
    word: String,
    decision: String,
    action: String,
}

fn decisions() -> Vec<Row> {
    let text = content::file(env!("CARGO_MANIFEST_DIR"), "siemaphore_decisions.csv");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("word,decision,action"));
    lines
        .map(|line| {
            let [word, decision, action] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("{line:?}")
            };
            Row { word: word.to_owned(), decision: decision.to_owned(), action: action.to_owned() }
        })
        .collect()
}

/// The value of a `coalesce` of props.conf, for which the document's fields are enough.
fn first_of(field: &str, document: &BTreeMap<String, Value>) -> Option<String> {
    let expression = props().remove(&format!("EVAL-{field}")).unwrap();
    let cut = tokens(&expression, NAME_CHARACTERS);
    let value = names(&cut).find_map(|name| document.get(name))?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

#[test]
fn props_find_the_same_user_tool_and_decision_as_the_other_formatters() {
    let places = FactPlaces::default();
    let rows = decisions();
    for sample in samples() {
        let outline = Outline::new(&sample.event.document);
        let facts = Facts::new(&sample.event, &outline, &places);
        let text = |fact| facts.text(fact).map(std::borrow::Cow::into_owned);
        let here = format!("{}/{}", sample.producer, sample.name);
        let document = leaves(&searchable(&sample).0);
        assert_eq!(first_of("user", &document), text(Fact::UserEmail).or(text(Fact::UserId)), "{here}");
        assert_eq!(first_of("object", &document), text(Fact::Tool), "{here}");
        assert_eq!(first_of("policy", &document), text(Fact::Policy), "{here}");
        assert_eq!(first_of("rule", &document), text(Fact::Rule), "{here}");
        assert_eq!(first_of("src", &document), text(Fact::SourceIp), "{here}");
        assert_eq!(first_of("agent", &document), text(Fact::AgentName).or(text(Fact::AgentId)), "{here}");

        let of_type = sample.event.event_type.rsplit('.').next().unwrap().to_owned();
        let mut document = document;
        // The last resort of the expression is made from it.
        document.remove("event_type");
        let word = first_of("vendor_action", &document).unwrap_or(of_type).to_lowercase();
        let row = rows.iter().find(|row| fits(&row.word, &word)).unwrap();
        assert_eq!(row.decision, facts.decision().as_str(), "{here}: {word}");
    }
}

#[test]
fn the_dashboards_elements_are_closed_in_order() {
    let dashboard = content::file(env!("CARGO_MANIFEST_DIR"), "siemaphore.xml");
    let mut open = Vec::new();
    for tag in dashboard.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{dashboard}"),
            None => open.push(tag.split_whitespace().next().unwrap()),
        }
        let attributes = tag.split_whitespace().skip(1);
        assert!(attributes.clone().all(|one| one.contains('=') || one.ends_with('"')), "{tag}");
    }
    assert!(open.is_empty(), "{open:?} are open");
}

#[test]
fn every_file_parses_and_the_readme_names_it() {
    let readme = content::file(env!("CARGO_MANIFEST_DIR"), "README.md");
    for file in CONF_FILES {
        assert!(!conf(file).is_empty());
    }
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/content")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || readme.contains(&format!("`{name}`")), "{name}");
    }
    for producer in siemaphore_producers::PRODUCERS {
        assert!(PRODUCERS_STANZA.contains(producer), "props.conf does not know the source {producer}");
    }
    let lookup = conf("transforms.conf").remove("siemaphore_decisions").unwrap();
    assert_eq!(lookup["filename"], "siemaphore_decisions.csv");
}
