//! Types of fields, as dynamic mapping finds them: the first value decides, and what disagrees later is refused.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use super::document::Refused;

/// `index.mapping.depth.limit` and `index.mapping.total_fields.limit`.
const MAX_DEPTH: usize = 20;
const MAX_FIELDS: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Object,
    Text,
    Number,
    Boolean,
    Address,
}

/// The fields of all indices: a test has one, and what conflicts in one would in the other.
pub(super) struct Mapping {
    kinds: BTreeMap<String, Kind>,
}

/// Fields that a document would add.
pub(super) struct Additions(BTreeMap<String, Kind>);

impl Default for Mapping {
    /// What Elasticsearch's own template knows of ECS and guessing would get wrong.
    fn default() -> Mapping {
        let addresses = ["source.ip", "client.ip", "host.ip"].map(|field| (field, Kind::Address));
        let numbers =
            ["event.severity", "event.duration", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"];
        let numbers = numbers.map(|field| (field, Kind::Number));
        let known = addresses.into_iter().chain(numbers);
        Mapping { kinds: known.map(|(field, kind)| (field.to_owned(), kind)).collect() }
    }
}

impl Mapping {
    pub(super) fn check(&self, document: &Value) -> Result<Additions, Refused> {
        let mut additions = Additions(BTreeMap::new());
        self.walk(document, "", 0, &mut additions)?;
        if self.kinds.len() + additions.0.len() > MAX_FIELDS {
            return Err(Refused::illegal_argument(format!(
                "Limit of total fields [{MAX_FIELDS}] has been exceeded"
            )));
        }
        Ok(additions)
    }

    pub(super) fn add(&mut self, additions: Additions) {
        self.kinds.extend(additions.0);
    }

    fn walk(
        &self,
        value: &Value,
        path: &str,
        depth: usize,
        additions: &mut Additions,
    ) -> Result<(), Refused> {
        match value {
            Value::Null => Ok(()),
            Value::Array(elements) => {
                elements.iter().try_for_each(|element| self.walk(element, path, depth, additions))
            }
            Value::Object(members) => {
                if depth > MAX_DEPTH {
                    let reason = format!(
                        "Limit of mapping depth [{MAX_DEPTH}] has been exceeded due to object field [{path}]"
                    );
                    return Err(Refused::illegal_argument(reason));
                }
                if !path.is_empty() {
                    self.expect(path, Kind::Object, value, additions)?;
                }
                members
                    .iter()
                    .try_for_each(|(name, value)| self.walk_member(path, name, value, depth, additions))
            }
            Value::String(_) => self.expect(path, Kind::Text, value, additions),
            Value::Number(_) => self.expect(path, Kind::Number, value, additions),
            Value::Bool(_) => self.expect(path, Kind::Boolean, value, additions),
        }
    }

    /// A dot in a name opens an object, as a nested one does.
    fn walk_member(
        &self,
        parent: &str,
        name: &str,
        value: &Value,
        depth: usize,
        additions: &mut Additions,
    ) -> Result<(), Refused> {
        if name.trim().is_empty() {
            return Err(Refused::parsing("field name cannot be an empty string"));
        }
        let mut path = parent.to_owned();
        let mut depth = depth;
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            if part.trim().is_empty() {
                let reason = format!(
                    "field name starting or ending with a [.] makes object resolution ambiguous: [{name}]"
                );
                return Err(Refused::parsing(reason));
            }
            path = if path.is_empty() { part.to_owned() } else { format!("{path}.{part}") };
            depth += 1;
            if parts.peek().is_some() {
                self.expect(&path, Kind::Object, value, additions)?;
            }
        }
        self.walk(value, &path, depth, additions)
    }

    fn expect(
        &self,
        path: &str,
        given: Kind,
        value: &Value,
        additions: &mut Additions,
    ) -> Result<(), Refused> {
        let known = self.kinds.get(path).or_else(|| additions.0.get(path)).copied();
        let Some(known) = known else {
            additions.0.insert(path.to_owned(), given);
            return Ok(());
        };
        if (known == Kind::Object) != (given == Kind::Object) {
            let reason = format!(
                "object mapping for [{path}] tried to parse field [{path}] as object, but found a concrete value"
            );
            return Err(Refused::parsing(reason));
        }
        let text = value.as_str();
        let fits = match known {
            Kind::Object | Kind::Text => true,
            Kind::Number => given == Kind::Number || text.is_some_and(|text| text.parse::<f64>().is_ok()),
            Kind::Boolean => given == Kind::Boolean || matches!(text, Some("true" | "false" | "")),
            Kind::Address => text.is_some_and(|text| text.parse::<IpAddr>().is_ok()),
        };
        if fits {
            return Ok(());
        }
        let kind = format!("{known:?}").to_lowercase();
        Err(Refused::parsing(format!("failed to parse field [{path}] of type [{kind}]: {value}")))
    }
}
