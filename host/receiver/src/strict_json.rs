//! JSON that also tells which keys appear twice in one object.
//!
//! Every SIEM takes such an object and keeps one of the two values without a word. A formatter that splices a
//! producer's document into its own can make one easily, so it must be seen here.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A JSON value, and what a reader of it would lose.
pub(crate) struct Parsed {
    pub(crate) value: Value,
    pub(crate) repeated_keys: Vec<String>,
}

/// Parses exactly one JSON value.
pub(crate) fn parse(text: &str) -> Result<Parsed, serde_json::Error> {
    let mut repeated_keys = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Seed { repeated_keys: &mut repeated_keys }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(Parsed { value, repeated_keys })
}

/// What to say about the repeated keys of a record.
pub(crate) fn repetitions(repeated_keys: &[String]) -> impl Iterator<Item = String> {
    repeated_keys.iter().map(|key| format!("key '{key}' appears twice in one object"))
}

struct Seed<'a> {
    repeated_keys: &'a mut Vec<String>,
}

impl Seed<'_> {
    fn again(&mut self) -> Seed<'_> {
        Seed { repeated_keys: self.repeated_keys }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self.again())?;
            if map.contains_key(&key) {
                self.repeated_keys.push(key.clone());
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.again())? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_key_that_appears_twice_is_named_at_any_depth() {
        let parsed = parse(r#"{"a":1,"b":[{"c":1,"c":2}],"a":3}"#).unwrap();
        assert_eq!(parsed.repeated_keys, ["c", "a"]);
    }

    #[test]
    fn the_value_is_what_serde_json_reads() {
        let text = r#"{"s":"é\n","n":null,"t":true,"i":-1,"u":18446744073709551615,"f":1.5,"a":[]}"#;
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.value, serde_json::from_str::<serde_json::Value>(text).unwrap());
        assert!(parsed.repeated_keys.is_empty());
    }

    #[test]
    fn anything_after_the_value_is_an_error() {
        assert!(parse("{} {}").is_err());
    }

    #[test]
    fn nesting_without_end_is_an_error_and_not_a_crash() {
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
