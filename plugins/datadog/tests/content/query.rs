//! As much of Datadog's search syntax as the content uses: attributes and tags with values, `*`, groups, AND, OR and `-`.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::vec::IntoIter;

use serde_json::Value;
use siemaphore_producers::content::{Token, fits, tokens};

#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) source: String,
    pub(crate) attributes: BTreeMap<String, Value>,
}

#[derive(Debug)]
pub(crate) enum Query {
    All(Vec<Query>),
    Any(Vec<Query>),
    Not(Box<Query>),
    /// An attribute, `@` before its name, or a tag; and patterns of which one has to fit.
    Has {
        key: String,
        patterns: Vec<String>,
    },
}

impl Query {
    /// # Panics
    ///
    /// When the text has something else in it.
    pub(crate) fn parse(text: &str) -> Query {
        let mut rest = tokens(text, "@.*").into_iter().peekable();
        let query = any(&mut rest);
        assert_eq!(rest.next(), None, "cannot read all of {text}");
        query
    }

    pub(crate) fn finds(&self, log: &Log) -> bool {
        match self {
            Query::All(parts) => parts.iter().all(|part| part.finds(log)),
            Query::Any(parts) => parts.iter().any(|part| part.finds(log)),
            Query::Not(part) => !part.finds(log),
            Query::Has { key, patterns } => {
                let values = log.values(key);
                values.iter().any(|value| patterns.iter().any(|pattern| fits(pattern, value)))
            }
        }
    }

    pub(crate) fn attributes(&self) -> Vec<&str> {
        self.all().into_iter().filter_map(|(key, _)| key.strip_prefix('@')).collect()
    }

    pub(crate) fn tags(&self) -> Vec<&str> {
        self.all().into_iter().map(|(key, _)| key).filter(|key| !key.starts_with('@')).collect()
    }

    pub(crate) fn comparisons(&self) -> Vec<(&str, &str)> {
        let attributes =
            self.all().into_iter().filter_map(|(key, patterns)| Some((key.strip_prefix('@')?, patterns)));
        attributes
            .flat_map(|(key, patterns)| patterns.iter().map(move |pattern| (key, pattern.as_str())))
            .collect()
    }

    fn all(&self) -> Vec<(&str, &[String])> {
        match self {
            Query::All(parts) | Query::Any(parts) => parts.iter().flat_map(Query::all).collect(),
            Query::Not(part) => part.all(),
            Query::Has { key, patterns } => vec![(key, patterns)],
        }
    }
}

impl Log {
    fn values(&self, key: &str) -> Vec<String> {
        let Some(attribute) = key.strip_prefix('@') else { return vec![self.source.clone()] };
        match self.attributes.get(attribute) {
            None => Vec::new(),
            Some(Value::Array(elements)) => elements.iter().map(as_text).collect(),
            Some(value) => vec![as_text(value)],
        }
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

type Rest = Peekable<IntoIter<Token>>;

fn any(rest: &mut Rest) -> Query {
    let mut parts = vec![all(rest)];
    while rest.next_if(|token| token.name() == Some("OR")).is_some() {
        parts.push(all(rest));
    }
    Query::Any(parts)
}

fn all(rest: &mut Rest) -> Query {
    let mut parts = Vec::new();
    while rest.peek().is_some_and(|token| !token.is_mark(')') && token.name() != Some("OR")) {
        if rest.next_if(|token| token.name() == Some("AND")).is_none() {
            parts.push(one(rest));
        }
    }
    assert!(!parts.is_empty(), "a query without a term");
    Query::All(parts)
}

fn one(rest: &mut Rest) -> Query {
    match rest.next() {
        Some(Token::Mark('-')) => Query::Not(Box::new(one(rest))),
        Some(Token::Mark('(')) => {
            let group = any(rest);
            assert_eq!(rest.next(), Some(Token::Mark(')')));
            group
        }
        Some(Token::Word(key)) => {
            assert_eq!(rest.next(), Some(Token::Mark(':')), "after {key}");
            Query::Has { key, patterns: patterns(rest) }
        }
        other => panic!("a term begins with {other:?}"),
    }
}

/// `value` or `(value OR value)`.
fn patterns(rest: &mut Rest) -> Vec<String> {
    let Some(Token::Mark('(')) = rest.peek() else { return vec![pattern(rest)] };
    rest.next();
    let mut patterns = vec![pattern(rest)];
    while rest.next_if(|token| token.name() == Some("OR")).is_some() {
        patterns.push(pattern(rest));
    }
    assert_eq!(rest.next(), Some(Token::Mark(')')));
    patterns
}

fn pattern(rest: &mut Rest) -> String {
    match rest.next() {
        Some(Token::Word(word)) => word,
        other => panic!("a value begins with {other:?}"),
    }
}
