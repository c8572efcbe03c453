//! A source's own JSON Schema: what its producer promises to send.
//!
//! It is asked of the event as it was received, before anything is redacted: redaction puts text where numbers and
//! objects were, and a schema that the producer publishes knows nothing of that. Of OpenTelemetry, whose records are no
//! JSON on the wire, it is asked of the document that is made of a record.
//!
//! A schema is the operator's and an event is a stranger's, so together they must not hang the host. Nothing is fetched,
//! the schema's size is limited, patterns are matched in linear time and paid for by their size ([`patterns`]), and every
//! check has a budget of steps and of stack ([`budget`]), whatever the schema's references and alternatives multiply to.

mod budget;
mod charged;
mod patterns;
mod told;
mod ways;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use self::budget::Charge;
use self::charged::{Alternatives, Charged};
use self::patterns::Patterns;

/// The largest schema, as text.
pub const SCHEMA_BYTES: usize = 1024 * 1024;

/// The most schemas inside it: one in `properties` counts, and so does each element of `allOf`.
pub(crate) const SUBSCHEMAS: usize = 20_000;

/// The most ways through one schema that asks for what is unevaluated, and through all such schemas together.
pub(crate) const UNEVALUATED_WAYS: u64 = 256;
pub(crate) const ALL_UNEVALUATED_WAYS: u64 = 4096;

/// The compiled size of one pattern. Matching may cost as many steps a byte as these are KiB.
pub(crate) const PATTERN_BYTES: usize = 64 * 1024;

/// What a pattern may keep of the states that it went through.
const CACHE_BYTES: usize = 1024 * 1024;

/// The compiler follows references one inside the other. The thread for it ends with it.
const COMPILER_STACK_BYTES: usize = 256 * 1024 * 1024;

/// What a check may cost, whatever the event; and what more by its length.
const STEPS: u64 = 100_000;
const STEPS_A_BYTE: u64 = 16;

/// A schema that was compiled.
#[derive(Debug)]
pub struct Schema {
    /// What the outermost schema costs by itself.
    root: Charge,
    judge: Validator,
    /// Finds one cause to tell. None: the judge can do it.
    teller: Option<Validator>,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    #[error("the schema has more than {SCHEMA_BYTES} bytes")]
    TooLarge,
    #[error("the schema has more than {SUBSCHEMAS} schemas inside")]
    TooMany,
    #[error(
        "there are {most} ways through a schema with `unevaluatedProperties` or `unevaluatedItems`, {all} through all of them; the limits are {UNEVALUATED_WAYS} and {ALL_UNEVALUATED_WAYS}"
    )]
    TooManyWays { most: u64, all: u64 },
    #[error("the schema is not JSON: {0}")]
    NotJson(String),
    #[error("the schema refers to {0}, which is not in it")]
    Reference(String),
    #[error("the schema does not compile: at {place}: {problem}")]
    Invalid { place: String, problem: String },
}

impl SchemaError {
    pub fn hint(&self) -> &'static str {
        match self {
            SchemaError::TooLarge | SchemaError::TooMany => "keep what is about this source's events",
            SchemaError::TooManyWays { .. } => {
                "use `additionalProperties` or `items`, or fewer `allOf`, `anyOf` and references beside it"
            }
            SchemaError::NotJson(_) => "write a JSON Schema: one JSON object",
            SchemaError::Reference(_) => {
                "nothing is fetched: copy what it refers to into `$defs`, and refer to \"#/$defs/NAME\""
            }
            SchemaError::Invalid { .. } => {
                "mend it there; it is read as draft 2020-12 unless `$schema` names another, and a pattern cannot look around, refer back or count far: `maxLength` limits the length of a text"
            }
        }
    }
}

/// Why an event does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    /// Where in the event, and what is expected there.
    #[error("{0}")]
    Told(String),
    #[error("the event does not fit the schema of the source")]
    Untold,
    #[error("it takes too long to check the event against the schema of the source")]
    TooCostly,
    #[error("the event cannot be checked against the schema of the source: {0}")]
    Unreadable(String),
}

impl Schema {
    /// Takes time and a thread for as long.
    pub fn compile(text: &str) -> Result<Schema, SchemaError> {
        if text.len() > SCHEMA_BYTES {
            return Err(SchemaError::TooLarge);
        }
        let written: Value =
            serde_json::from_str(text).map_err(|error| SchemaError::NotJson(error.to_string()))?;
        on_a_thread(move || Schema::build(&written))
    }

    fn build(written: &Value) -> Result<Schema, SchemaError> {
        let (most, all) = ways::unevaluated(written);
        if most > UNEVALUATED_WAYS || all > ALL_UNEVALUATED_WAYS {
            return Err(SchemaError::TooManyWays { most, all });
        }
        let mut patterns = Patterns::new(most);
        let judging =
            charged::charged(written, Alternatives::Kept, &mut patterns).ok_or(SchemaError::TooMany)?;
        // Only for its errors, which name places of the schema as it is written.
        build(written)?;
        let (root, judge) = (Charge::of(written, &mut patterns), build(&judging.schema)?);
        if !judging.has_alternatives {
            return Ok(Schema { root, judge, teller: None });
        }
        let telling = charged::charged(written, Alternatives::Closed, &mut patterns);
        let teller = telling.and_then(|Charged { schema, .. }| build(&schema).ok());
        Ok(Schema { root, judge, teller })
    }

    /// Whether a JSON text fits. To be called on a thread for blocking work.
    pub(crate) fn check(&self, text: &str) -> Result<(), Unfit> {
        let event: Value =
            serde_json::from_str(text).map_err(|error| Unfit::Unreadable(told::unreadable(&error)))?;
        let steps = STEPS + STEPS_A_BYTE * text.len() as u64;
        match budget::within(steps, || self.root.pay(&event) && self.judge.is_valid(&event)) {
            Some(true) => Ok(()),
            Some(false) => Err(self.why(&event, steps)),
            None => Err(Unfit::TooCostly),
        }
    }

    fn why(&self, event: &Value, steps: u64) -> Unfit {
        let teller = self.teller.as_ref().unwrap_or(&self.judge);
        let told = budget::within(steps, || teller.validate(event).map_err(|error| told::text(&error)));
        match told {
            Some(Err(text)) => Unfit::Told(text),
            Some(Ok(())) | None => Unfit::Untold,
        }
    }
}

fn build(schema: &Value) -> Result<Validator, SchemaError> {
    build_within(schema, PATTERN_BYTES)
}

/// No pattern may become larger than that.
fn build_within(schema: &Value, pattern_bytes: usize) -> Result<Validator, SchemaError> {
    let built = jsonschema::options()
        .with_pattern_options(PatternOptions::regex().size_limit(pattern_bytes).dfa_size_limit(CACHE_BYTES))
        .with_keyword(budget::KEYWORD, |_, charge, _| Ok(Box::new(Charge::read(charge))))
        .offline()
        .build(schema);
    built.map_err(|error| told::invalid(&error))
}

fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SchemaError> + Send + 'static,
) -> Result<T, SchemaError> {
    let failed = |problem: &str| SchemaError::Invalid { place: "/".to_owned(), problem: problem.to_owned() };
    let thread = std::thread::Builder::new().stack_size(COMPILER_STACK_BYTES).spawn(work);
    let thread = thread.map_err(|error| failed(&error.to_string()))?;
    thread.join().unwrap_or_else(|_| Err(failed("the compiler gave up")))
}

#[cfg(test)]
mod tests;
