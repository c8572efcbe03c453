//! What a formatter's author writes.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{AuthenticationHint, Event, RequestProfile, Response, SettingProblem, Verdict, Writer};

/// One destination's formatter, made from its settings.
///
/// The host makes a fresh one for every batch: prepare in [`configure`](Formatter::configure) what all records share,
/// and keep nothing between events, or the records depend on where a batch was cut.
pub trait Formatter: Sized + Send + Sync + 'static {
    /// The settings as the operator writes them. Their JSON Schema comes from this type: doc comments become the
    /// descriptions that forms show. Use `#[serde(default, deny_unknown_fields)]`.
    type Settings: DeserializeOwned + JsonSchema;

    /// What this formatter is.
    fn describe() -> Product;

    /// Checks the settings and says what a request looks like.
    ///
    /// `destination` is an opaque name, the same for as long as the destination exists.
    fn configure(
        settings: Self::Settings,
        destination: &str,
    ) -> Result<(Self, RequestProfile), Vec<SettingProblem>>;

    /// Writes the record of one event. What was written is taken back when the event is rejected.
    fn format(&self, event: &Event, record: &mut Writer) -> Result<(), Rejected>;

    /// Reads the SIEM's answer. By default the host judges by the status alone.
    fn interpret(&self, response: &Response) -> Verdict {
        let _ = response;
        Verdict::Standard
    }
}

/// What people and forms need to know about a formatter. The schema of the settings is added from their type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Lowercase letters, digits and hyphens.
    pub name: &'static str,
    /// `env!("CARGO_PKG_VERSION")`, as a rule.
    pub version: &'static str,
    pub vendor: &'static str,
    /// The name of the SIEM, for people.
    pub title: &'static str,
    /// One sentence about what arrives where.
    pub summary: &'static str,
    /// Settings that `configure` accepts, as a JSON object. The laws are checked with them.
    pub settings_example: &'static str,
    pub endpoint_example: &'static str,
    /// What the SIEM calls its secret.
    pub secret_name: &'static str,
    /// The usual way first.
    pub authentication: Vec<AuthenticationHint>,
}

impl AuthenticationHint {
    /// `parameters` is a JSON object with the scheme's non-secret parameters.
    pub fn new(scheme: &str, parameters: &str) -> AuthenticationHint {
        AuthenticationHint { scheme: scheme.to_owned(), parameters: parameters.to_owned() }
    }
}

/// An event that the SIEM could never take, and why. It is dead-lettered with that reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected(pub String);

impl<T: Into<String>> From<T> for Rejected {
    fn from(reason: T) -> Rejected {
        Rejected(reason.into())
    }
}
