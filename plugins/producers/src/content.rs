//! For tests of what comes with a formatter for its SIEM: each name in a query has to be one that the formatter emits,
//! that the content defines, or a word of the query's language. A name that is misspelt finds nothing in the SIEM and
//! says nothing about it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

/// A file of a formatter's `content`. `package` is the formatter's `env!("CARGO_MANIFEST_DIR")`.
///
/// # Panics
///
/// When there is no such file.
pub fn file(package: &str, name: &str) -> String {
    let path = Path::new(package).join("content").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The values of a record that hold no others, by path as [`paths`](crate::paths) writes it. Null says nothing.
pub fn leaves(record: &Value) -> BTreeMap<String, Value> {
    let mut leaves = BTreeMap::new();
    collect_leaves(record, String::new(), &mut leaves);
    leaves
}

fn collect_leaves(value: &Value, path: String, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect_leaves(value, path, leaves);
            }
        }
        Value::Null => {}
        value => {
            leaves.insert(path, value.clone());
        }
    }
}

/// A part of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A name, a keyword or a number.
    Word(String),
    /// What stands in quotes, without them.
    Text {
        quote: char,
        text: String,
    },
    Mark(char),
}

impl Token {
    pub fn is_mark(&self, mark: char) -> bool {
        *self == Token::Mark(mark)
    }

    /// A word that is not a number.
    pub fn name(&self) -> Option<&str> {
        match self {
            Token::Word(word) if !word.starts_with(|first: char| first.is_ascii_digit()) => Some(word),
            _ => None,
        }
    }

    /// What stands between double quotes.
    pub fn text(&self) -> Option<&str> {
        match self {
            Token::Text { quote: '"', text } => Some(text),
            _ => None,
        }
    }
}

/// Cuts a query. Words are of letters, digits, `_` and the characters of `also`.
pub fn tokens(query: &str, also: &str) -> Vec<Token> {
    let of_a_word =
        |character: char| character.is_alphanumeric() || character == '_' || also.contains(character);
    let mut tokens = Vec::new();
    let mut rest = query.chars().peekable();
    while let Some(character) = rest.next() {
        if character.is_whitespace() {
            continue;
        }
        if matches!(character, '"' | '\'') {
            let text = rest.by_ref().take_while(|next| *next != character).collect();
            tokens.push(Token::Text { quote: character, text });
        } else if of_a_word(character) {
            let mut word = String::from(character);
            while let Some(next) = rest.next_if(|next| of_a_word(*next)) {
                word.push(next);
            }
            tokens.push(Token::Word(word));
        } else {
            tokens.push(Token::Mark(character));
        }
    }
    tokens
}

/// The names that queries may use.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary(BTreeSet<String>);

impl Vocabulary {
    pub fn add(&mut self, names: impl IntoIterator<Item = impl Into<String>>) {
        self.0.extend(names.into_iter().map(Into::into));
    }

    /// The names that are not of the vocabulary.
    pub fn unknown<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        names.into_iter().filter(|name| !self.0.contains(*name)).collect()
    }

    /// # Panics
    ///
    /// When a name is not of the vocabulary; `place` says where it stands.
    pub fn check<'a>(&self, place: &str, names: impl IntoIterator<Item = &'a str>) {
        let unknown = self.unknown(names);
        assert!(
            unknown.is_empty(),
            "{place}: nothing emits or defines {unknown:?}, and the language has no such word"
        );
    }
}

/// Whether a value fits a pattern in which `*` stands for anything.
pub fn fits(pattern: &str, value: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = value.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_cut_into_words_texts_and_marks() {
        let cut = tokens(r#"a.b="x y" | eval 'c d'=1h"#, ".");
        let text = |quote, text: &str| Token::Text { quote, text: text.to_owned() };
        let word = |word: &str| Token::Word(word.to_owned());
        let expected = [
            word("a.b"),
            Token::Mark('='),
            text('"', "x y"),
            Token::Mark('|'),
            word("eval"),
            text('\'', "c d"),
            Token::Mark('='),
            word("1h"),
        ];
        assert_eq!(cut, expected);
        assert_eq!(cut.iter().filter_map(Token::name).collect::<Vec<_>>(), ["a.b", "eval"]);
    }

    #[test]
    fn patterns_fit_whole_values() {
        for (pattern, value, expected) in [
            ("secret.*", "secret.detected", true),
            ("secret.*", "io.secret.detected", false),
            ("*.secret.*", "io.secret.detected", true),
            ("*den*", "denied", true),
            ("blocked", "blocked", true),
            ("blocked", "unblocked", false),
            ("*blocked", "unblocked", true),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, value), expected, "{pattern} {value}");
        }
    }

    #[test]
    fn names_that_nobody_knows_are_found() {
        let mut vocabulary = Vocabulary::default();
        vocabulary.add(["known"]);
        assert_eq!(vocabulary.unknown(["known", "misspelt"]), BTreeSet::from(["misspelt"]));
    }
}
