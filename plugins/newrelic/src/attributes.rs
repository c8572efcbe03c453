//! The attributes of one log, within what New Relic keeps.

use std::borrow::Cow;

use siemaphore_sdk::Writer;
use siemaphore_sdk::json::{Names, Object, Outline, cut, scan};

/// New Relic keeps 255 attributes of a log; its time, its message and the rest of the others are among them.
const MOST_ATTRIBUTES: usize = 252;

/// New Relic refuses a longer name.
pub(crate) const LONGEST_NAME_CHARACTERS: usize = 255;

/// New Relic keeps 128 KB of a value and cuts what is longer. We cut first, so that the cut shows.
const LONGEST_VALUE_BYTES: usize = 127_000;

/// New Relic's queries see so much of a value.
const QUERYABLE_BYTES: usize = 4_000;

/// Holds, as JSON, what was too many.
const REST: &str = "siemaphore.rest";

pub(crate) struct Attributes<'a> {
    object: Object<'a>,
    names: Names<'static>,
    free: usize,
    rest: Writer,
}

impl<'a> Attributes<'a> {
    /// `common` is how many attributes all logs of a request share.
    pub(crate) fn new(object: Object<'a>, common: usize) -> Attributes<'a> {
        let free = MOST_ATTRIBUTES.saturating_sub(common);
        Attributes { object, names: Names::default(), free, rest: Writer::default() }
    }

    /// Writes an attribute of ours, of which each is there once.
    pub(crate) fn own(&mut self, name: &'static str, value: &str) {
        self.names.insert(name);
        self.free = self.free.saturating_sub(1);
        self.object.key(name).string(value);
    }

    /// A fact about the event: `value` is JSON. Facts repeat what the document says, so as much as a query sees is
    /// enough of one.
    pub(crate) fn fact(&mut self, name: &str, value: &str) {
        self.write(&format!("siemaphore.{name}"), &cut(value, QUERYABLE_BYTES));
    }

    /// Writes the members of a document, those of objects within it under names with dots. The host admits documents
    /// nested at most 64 deep, so the recursion is bounded.
    pub(crate) fn document(&mut self, path: &mut String, object: &str) {
        for member in Outline::new(object).members() {
            self.member(path, &member.key(), member.value);
        }
    }

    pub(crate) fn member(&mut self, path: &mut String, key: &str, value: &str) {
        let parent = path.len();
        if parent > 0 {
            path.push('.');
        }
        path.push_str(key);
        match value.as_bytes().first() {
            Some(b'{') => self.document(path, value),
            Some(b'[') if scan::items(value).next().is_some() => self.write(path, &joined(value)),
            // Null and an empty list say nothing, and New Relic has no way to write them.
            Some(b'[' | b'n') | None => {}
            Some(_) => self.write(path, value),
        }
        path.truncate(parent);
    }

    fn write(&mut self, name: &str, value: &str) {
        if self.free == 0 {
            self.write_rest(name, value);
            return;
        }
        let name = self.free_name(name);
        self.object.key(&name).raw(&cut(value, LONGEST_VALUE_BYTES));
        self.names.insert(name);
        self.free -= 1;
    }

    fn write_rest(&mut self, name: &str, value: &str) {
        // What is over the limit already is cut, and says so.
        if self.rest.len() <= LONGEST_VALUE_BYTES {
            self.rest.raw(if self.rest.is_empty() { "{" } else { "," });
            self.rest.string(first_characters(name));
            self.rest.raw(":");
            self.rest.raw(value);
        }
    }

    pub(crate) fn finish(mut self) {
        if !self.rest.is_empty() {
            self.rest.raw("}");
            let mut text = Writer::default();
            text.string(&String::from_utf8_lossy(&self.rest.into_bytes()));
            let text = text.into_bytes();
            self.object.key(REST).raw(&cut(&String::from_utf8_lossy(&text), LONGEST_VALUE_BYTES));
        }
    }

    /// A name that New Relic takes, and that no attribute has yet.
    fn free_name(&self, name: &str) -> String {
        let mut free = first_characters(if name.is_empty() { "_" } else { name }).to_owned();
        if is_reserved(&free) || self.names.contains(&free) {
            free = first_characters(&format!("original_{name}")).to_owned();
        }
        // Numbers that count down are not used twice.
        let mut number = self.free;
        while self.names.contains(&free) {
            free = first_characters(&format!("original_{number}_{name}")).to_owned();
            number += MOST_ATTRIBUTES;
        }
        free
    }
}

/// What New Relic drops, must not be given, or has elsewhere.
pub(crate) fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "accountId"
            | "eventType"
            | "entity.guid"
            | "entity.name"
            | "entity.type"
            | "timestamp"
            | "message"
            | REST
    ) || name.starts_with("instrumentation.")
}

fn first_characters(name: &str) -> &str {
    let end = name.char_indices().nth(LONGEST_NAME_CHARACTERS).map_or(name.len(), |(end, _)| end);
    name.get(..end).unwrap_or(name)
}

/// A list as text: `SSN,CREDIT_CARD`. One that commas would not tell apart stays as JSON, in a text.
fn joined(list: &str) -> String {
    let text = scan::items(list).map(plain).collect::<Option<Vec<_>>>().map(|items| items.join(","));
    let mut quoted = Writer::default();
    quoted.string(text.as_deref().unwrap_or(list));
    String::from_utf8_lossy(&quoted.into_bytes()).into_owned()
}

fn plain(item: &str) -> Option<Cow<'_, str>> {
    let text = match item.as_bytes().first()? {
        b'"' => scan::text(item)?,
        b'{' | b'[' => return None,
        _ => Cow::Borrowed(item),
    };
    (!text.contains(',')).then_some(text)
}
