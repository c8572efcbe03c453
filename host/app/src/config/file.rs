//! What the operator writes: the shape of `siemaphore.toml`, nothing checked beyond types and names.

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A configuration file. Unknown keys are errors.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The folder for everything that must survive a restart.
    pub(crate) state: Option<String>,
    #[serde(default)]
    pub(crate) intake: Intake,
    #[serde(default)]
    pub(crate) admin: Admin,
    #[serde(default)]
    pub(crate) store: Store,
    #[serde(default)]
    pub(crate) plugins: Plugins,
    #[serde(default)]
    pub(crate) plugin: Vec<Plugin>,
    #[serde(default)]
    pub(crate) egress: Egress,
    #[serde(default)]
    pub(crate) log: Log,
    /// Producers that no shipped profile knows.
    #[serde(default)]
    pub(crate) profile: Vec<siemaphore_model::Profile>,
    #[serde(default)]
    pub(crate) source: Vec<Source>,
    #[serde(default)]
    pub(crate) destination: Vec<Destination>,
}

/// Where producers send events to.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Intake {
    pub(crate) listen: Option<String>,
    /// TLS ends at a proxy in front: allows an address other than loopback.
    #[serde(default)]
    pub(crate) behind_proxy: bool,
    /// The largest decompressed request body: `16 MiB`.
    pub(crate) body_limit: Option<String>,
}

/// Where health and metrics are served.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Admin {
    pub(crate) listen: Option<String>,
    #[serde(default)]
    pub(crate) behind_proxy: bool,
}

/// How much is kept on disk.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    /// `10 GiB`
    pub(crate) size_limit: Option<String>,
    /// How long delivered events are kept: `24h`.
    pub(crate) keep_for: Option<String>,
    /// How much of delivered events is kept: `1 GiB`.
    pub(crate) keep_size: Option<String>,
    /// Intake answers 503 below this much free space: `512 MiB`.
    pub(crate) disk_reserve: Option<String>,
}

/// Customers' formatters.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plugins {
    /// A folder of `.wasm` files, watched.
    pub(crate) folder: Option<String>,
    /// Memory of one guest: `64 MiB`.
    pub(crate) memory: Option<String>,
    /// CPU time of one call: `1s`.
    pub(crate) cpu: Option<String>,
    /// `immediate` or `manual`.
    pub(crate) policy: Option<String>,
    /// Ed25519 public keys: files, or their 32 bytes in base64. When there are any, files must be signed.
    #[serde(default)]
    pub(crate) trusted_keys: Vec<String>,
}

/// What is said about one plugin; the rest is as in `[plugins]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plugin {
    pub(crate) name: String,
    pub(crate) memory: Option<String>,
    pub(crate) cpu: Option<String>,
    pub(crate) policy: Option<String>,
    /// The SHA-256 of the only file that is taken.
    pub(crate) digest: Option<String>,
}

/// Which addresses beside public ones may be reached.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Egress {
    /// Networks: `10.0.0.0/8`.
    #[serde(default)]
    pub(crate) allow: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// `text` or `json`.
    pub(crate) format: Option<String>,
    /// `info`, `debug`, or directives such as `siemaphore_delivery=debug,info`.
    pub(crate) level: Option<String>,
}

/// Who may send events, or where the host gets them, and for which organisation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) organization: Option<String>,
    /// `http`, which is meant when it is left out: producers send. `file`: the host follows files. `sse`: it follows a
    /// stream. `pull`: it asks for an export.
    pub(crate) kind: Option<String>,
    /// A secret reference to the bearer token that producers send.
    pub(crate) token: Option<String>,
    /// In place of a token.
    pub(crate) signature: Option<Signature>,
    /// The files that are followed: `/var/log/app/*.jsonl`.
    pub(crate) path: Option<String>,
    /// Where files begin that are there at the first start: `beginning` or `end`. Where an export begins: `now`, or the
    /// cursor's first value.
    pub(crate) from: Option<String>,
    /// Whom the host asks: `https://producer.example.com/events`.
    pub(crate) url: Option<String>,
    /// A secret reference or several; shorthand for `authentication.secret`.
    pub(crate) secret: Option<SecretReferences>,
    pub(crate) authentication: Option<Authentication>,
    /// A PEM file of certificate authorities to trust for this source.
    pub(crate) ca_file: Option<String>,
    /// Plain http to a loopback address.
    pub(crate) allow_plaintext: Option<bool>,
    /// Types of the stream's events; everything when left out.
    pub(crate) events: Option<Vec<String>>,
    /// How long a stream may be silent: `5m`.
    pub(crate) idle_timeout: Option<String>,
    /// How often an export is asked for: `5m`.
    pub(crate) every: Option<String>,
    /// Where the events are in an answer: `/data`.
    pub(crate) items: Option<String>,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) pages: Option<Pages>,
    /// The most of one answer: `16 MiB`.
    pub(crate) body_limit: Option<String>,
    /// How events are read: `auto` or the name of a profile, shipped or written here.
    pub(crate) profile: Option<String>,
    /// A file with the JSON Schema that its events have to fit: `events.schema.json`.
    pub(crate) schema: Option<String>,
    /// What becomes of events of a version that their profile does not know: `accept` or `refuse`.
    pub(crate) unknown_schema_version: Option<String>,
    /// Remove prompts, responses, tool arguments and credentials before anything is stored.
    pub(crate) redact: Option<bool>,
    pub(crate) events_per_second: Option<u32>,
}

/// How far an export was read, as the next request says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cursor {
    /// Of the query: `since`.
    pub(crate) parameter: String,
    /// Where it is in each event: `/created_at`.
    pub(crate) item: Option<String>,
    /// Where it is in the answer: `/next_cursor`.
    pub(crate) answer: Option<String>,
    /// How much earlier a time is sent than it was: `5m`.
    pub(crate) overlap: Option<String>,
}

/// Where an answer names its next page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pages {
    /// `link` for the header, or a place in the answer: `/next`.
    pub(crate) next: String,
    /// What is there is sent back in this parameter of the query.
    pub(crate) parameter: Option<String>,
}

/// How a source signs its requests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signature {
    /// `standard-webhooks` or `hmac`.
    pub(crate) scheme: String,
    /// Secret references; any of them may have been used.
    pub(crate) secrets: Vec<String>,
    /// Of `hmac`: `X-Hub-Signature-256`.
    pub(crate) header: Option<String>,
    /// Of `hmac`, before the digits: `sha256=`.
    pub(crate) prefix: Option<String>,
}

/// One place to deliver to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    pub(crate) name: String,
    pub(crate) organization: Option<String>,
    pub(crate) formatter: String,
    pub(crate) endpoint: String,
    /// A secret reference or several; shorthand for `authentication.secret`.
    pub(crate) secret: Option<SecretReferences>,
    pub(crate) authentication: Option<Authentication>,
    #[serde(default)]
    pub(crate) settings: toml::Table,
    /// Patterns for event types; everything when left out.
    pub(crate) events: Option<Vec<String>>,
    pub(crate) minimum_severity: Option<String>,
    #[serde(default)]
    pub(crate) projects: Vec<String>,
    pub(crate) enabled: Option<bool>,
    /// A PEM file of certificate authorities to trust for this destination.
    pub(crate) ca_file: Option<String>,
    /// Public keys, one of which the server must have: `sha256//…`.
    #[serde(default)]
    pub(crate) certificate_pins: Vec<String>,
    /// A PEM file or a secret reference: what is shown to a server that demands a certificate.
    pub(crate) client_certificate: Option<String>,
    /// A secret reference to its private key, in PEM.
    pub(crate) client_key: Option<String>,
    /// Plain http to a loopback address.
    #[serde(default)]
    pub(crate) allow_plaintext: bool,
    /// Requests at the same time.
    pub(crate) concurrency: Option<u32>,
    /// The most events in one request, below the formatter's own limit.
    pub(crate) batch_events: Option<u32>,
    /// Events older than this are given up: `7d`.
    pub(crate) age_limit: Option<String>,
    /// How long one request may take: `30s`.
    pub(crate) timeout: Option<String>,
    /// Where a new destination begins: `now` or `beginning`.
    pub(crate) from: Option<String>,
    #[serde(default)]
    pub(crate) retry: Retry,
    /// The most that are sent on average.
    pub(crate) events_per_second: Option<u32>,
    /// What its dead letters may take: `1 GiB`.
    pub(crate) dead_letter_limit: Option<String>,
    /// `hold` or `expire-oldest`.
    pub(crate) when_dead_letters_are_full: Option<String>,
}

/// How long a destination is tried again.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retry {
    /// `three-retries`.
    pub(crate) preset: Option<String>,
    /// The first wait: `1s`.
    pub(crate) shortest: Option<String>,
    /// The wait that is never exceeded: `5m`.
    pub(crate) longest: Option<String>,
    /// How often an event is sent before it becomes a dead letter.
    pub(crate) give_up_attempts: Option<u32>,
    /// How long after it was stored an event becomes a dead letter: `12h`.
    pub(crate) give_up_age: Option<String>,
}

/// How requests prove who sends them. What is left out comes from the formatter's own hint.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Authentication {
    /// One of the schemes of docs/authentication.md.
    pub(crate) scheme: Option<String>,
    pub(crate) secret: Option<SecretReferences>,
    pub(crate) header: Option<String>,
    pub(crate) prefix: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) token_url: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) scope: Option<String>,
    /// The member of the body's object that holds the secret.
    pub(crate) field: Option<String>,
    pub(crate) workspace_id: Option<String>,
    /// What a managed identity's token is for.
    pub(crate) resource: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) access_key_id: Option<String>,
    /// A secret reference.
    pub(crate) session_token: Option<String>,
}

/// One secret reference in quotes, or a list of them while a secret is being replaced.
#[derive(Debug, Clone)]
pub(crate) enum SecretReferences {
    One(String),
    List(Vec<String>),
}

impl SecretReferences {
    pub(crate) fn as_slice(&self) -> &[String] {
        match self {
            SecretReferences::One(reference) => std::slice::from_ref(reference),
            SecretReferences::List(references) => references,
        }
    }
}

/// By hand, because what serde says of an enum without tags names neither the key nor the type.
impl<'de> Deserialize<'de> for SecretReferences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrList;

        impl<'de> Visitor<'de> for OneOrList {
            type Value = SecretReferences;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret reference in quotes or a list of them")
            }

            fn visit_str<E: de::Error>(self, reference: &str) -> Result<Self::Value, E> {
                Ok(SecretReferences::One(reference.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(SecretReferences::List)
            }
        }

        deserializer.deserialize_any(OneOrList)
    }
}
