//! Elasticsearch's and OpenSearch's `_bulk`, with the mapping that grows from the documents themselves.
//!
//! A bulk request is answered with 200 whatever becomes of its documents, one item for each in their order. Here every
//! name that begins with `logs-` is a data stream, as Elasticsearch's own template has it, and no other template is
//! installed: a field gets the type of its first value, and a document that disagrees is refused. Values that ECS does
//! not list are stored without a word, so they are violations.

mod document;
mod ecs;
mod filter;
mod mapping;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};

use self::document::Refused;
use self::mapping::Mapping;
use crate::answer::{Answer, Record, Rules};
use crate::aws_signature::AwsKey;
use crate::request::{BodyError, BodyLimits, Encoding, Request};
use crate::siem::{Playing, Siem};

/// `http.max_content_length`, of the decompressed body.
const ELASTICSEARCH_BODY_BYTES: usize = 100 * 1024 * 1024;
/// With `x-ndjson` or `json` behind it, and `compatible-with=9` as its parameter: what Elastic's clients send and ask for.
const VENDOR_TYPE: &str = "application/vnd.elasticsearch+";
const PRODUCT: HeaderName = HeaderName::from_static("x-elastic-product");

/// What Amazon's small nodes take.
const OPENSEARCH_BODY_BYTES: usize = 10 * 1024 * 1024;

impl Siem {
    /// Elasticsearch with an API key, as its `encoded` form.
    pub fn elasticsearch(encoded_api_key: &str) -> Siem {
        let authorization = Authorization::Header(format!("ApiKey {encoded_api_key}"));
        Siem::new(move |config| {
            Playing::by(Search {
                authorization: authorization.clone(),
                product: Product::Elasticsearch,
                who_am_i: "/_security/_authenticate",
                max_body_bytes: config.max_body_bytes.unwrap_or(ELASTICSEARCH_BODY_BYTES),
                indices: Mutex::default(),
            })
        })
    }

    /// OpenSearch with an internal user.
    pub fn opensearch(user: &str, password: &str) -> Siem {
        let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        Self::opensearch_by(Authorization::Header(basic))
    }

    /// Amazon OpenSearch Service with an IAM key, whose requests are signed.
    pub fn amazon_opensearch(key: AwsKey) -> Siem {
        Self::opensearch_by(Authorization::Signature(key))
    }

    fn opensearch_by(authorization: Authorization) -> Siem {
        Siem::new(move |config| {
            Playing::by(Search {
                authorization: authorization.clone(),
                product: Product::OpenSearch,
                who_am_i: "/_plugins/_security/authinfo",
                max_body_bytes: config.max_body_bytes.unwrap_or(OPENSEARCH_BODY_BYTES),
                indices: Mutex::default(),
            })
        })
    }
}

/// Who may ask.
#[derive(Clone)]
enum Authorization {
    /// With this value of the header.
    Header(String),
    /// With a signature of this key.
    Signature(AwsKey),
}

struct Search {
    authorization: Authorization,
    product: Product,
    who_am_i: &'static str,
    max_body_bytes: usize,
    indices: Mutex<Indices>,
}

#[derive(Clone, Copy, PartialEq)]
enum Product {
    Elasticsearch,
    OpenSearch,
}

/// What is stored, as far as it decides about the next document.
#[derive(Default)]
struct Indices {
    ids: BTreeSet<(String, String)>,
    mapping: Mapping,
}

/// A document to store.
struct Operation<'a> {
    create: bool,
    index: String,
    id: String,
    source: &'a str,
}

struct Refusal {
    status: StatusCode,
    body: Value,
    detail: String,
}

impl Rules for Search {
    fn limits(&self) -> BodyLimits {
        BodyLimits { encodings: &[Encoding::Gzip], max_bytes: self.max_body_bytes }
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut answer = self
            .handle(request)
            .unwrap_or_else(|refusal| Answer::json(refusal.status, &refusal.body).refused(refusal.detail));
        if self.product == Product::Elasticsearch {
            signature(request, &mut answer);
        }
        answer
    }
}

impl Search {
    fn handle(&self, request: &Request) -> Result<Answer, Refusal> {
        self.authorize(request)?;
        if request.path == self.who_am_i && request.method == Method::GET {
            return Ok(Answer::json(StatusCode::OK, &json!({ "username": "siemaphore", "enabled": true })));
        }
        let target = bulk_target(request)?;
        content_type(request, self.product)?;
        let body = request.body.as_ref().map_err(unreadable)?;
        let operations = operations(body, target)?;
        let mut answer = self.bulk(&operations);
        if let Some(patterns) = request.query_value("filter_path") {
            let body = serde_json::from_str(&answer.body).unwrap_or_default();
            answer.body = filter::keep(body, &patterns).to_string();
        }
        Ok(answer)
    }

    fn authorize(&self, request: &Request) -> Result<(), Refusal> {
        let right = match &self.authorization {
            Authorization::Header(right) => right,
            // AWS answers before the search engine sees anything.
            Authorization::Signature(key) => {
                return key.verify(request).map_err(|error| Refusal {
                    status: StatusCode::FORBIDDEN,
                    body: json!({ "message": error.to_string() }),
                    detail: error.to_string(),
                });
            }
        };
        let reason = match request.header(AUTHORIZATION) {
            Some(shown) if shown == right => return Ok(()),
            Some(_) => {
                "unable to authenticate with provided credentials and anonymous access is not allowed for this request"
            }
            None => "missing authentication credentials for REST request",
        };
        Err(refuse(StatusCode::UNAUTHORIZED, "security_exception", reason))
    }

    fn bulk(&self, operations: &[Operation<'_>]) -> Answer {
        let mut indices = self.indices.lock().unwrap_or_else(PoisonError::into_inner);
        let mut items = Vec::with_capacity(operations.len());
        let mut taken = Answer::empty(StatusCode::OK);
        let mut errors = false;
        for (place, operation) in operations.iter().enumerate() {
            let name = if operation.create { "create" } else { "index" };
            let mut item = json!({ "_index": operation.index, "_id": operation.id });
            match indices.store(operation) {
                Ok(stored) => {
                    merge(
                        &mut item,
                        json!({ "result": "created", "status": 201, "_version": 1, "_seq_no": place }),
                    );
                    taken.violations.extend(stored.spoiled.into_iter().map(|reason| (place, reason)));
                    taken.records.push(stored.record);
                }
                Err(refused) => {
                    errors = true;
                    let error = json!({ "type": refused.kind, "reason": refused.reason });
                    merge(&mut item, json!({ "status": refused.status, "error": error }));
                }
            }
            items.push(json!({ name: item }));
        }
        let body = json!({ "took": 3, "errors": errors, "items": items });
        Answer { records: taken.records, violations: taken.violations, ..Answer::json(StatusCode::OK, &body) }
    }
}

/// A document as it was stored, and what ECS would not have.
struct Stored {
    record: Record,
    spoiled: Vec<String>,
}

impl Indices {
    fn store(&mut self, operation: &Operation<'_>) -> Result<Stored, Refused> {
        let Operation { index, id, source, .. } = operation;
        document::check_index_name(index)?;
        let is_data_stream = index.starts_with("logs-");
        if is_data_stream && !operation.create {
            let reason = "only write ops with an op_type of create are allowed in data streams";
            return Err(Refused::illegal_argument(reason));
        }
        let value = document::read(source)?;
        document::check_timestamp(&value, is_data_stream)?;
        let additions = self.mapping.check(&value)?;
        let key = (index.clone(), id.clone());
        if operation.create && self.ids.contains(&key) {
            let reason = format!("[{id}]: version conflict, document already exists (current version [1])");
            return Err(Refused { status: 409, kind: "version_conflict_engine_exception", reason });
        }
        self.ids.insert(key);
        self.mapping.add(additions);
        let spoiled = ecs::illegal_values(&value);
        Ok(Stored { record: Record { value, raw: (*source).to_owned() }, spoiled })
    }
}

/// The index of the path; none when every action has to name one.
fn bulk_target(request: &Request) -> Result<Option<&str>, Refusal> {
    let path = request.path.strip_suffix("/_bulk").and_then(|rest| match rest.strip_prefix('/') {
        None => rest.is_empty().then_some(None),
        Some(target) => (!target.is_empty() && !target.contains('/')).then_some(Some(target)),
    });
    let (method, uri) = (&request.method, &request.path);
    let Some(target) = path else {
        let detail = format!("no handler found for uri [{uri}] and method [{method}]");
        return Err(refuse_in_words(StatusCode::BAD_REQUEST, detail));
    };
    if !matches!(*method, Method::POST | Method::PUT) {
        let detail =
            format!("Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [POST, PUT]");
        return Err(refuse_in_words(StatusCode::METHOD_NOT_ALLOWED, detail));
    }
    Ok(target)
}

/// Elastic's clients refuse a server that does not name the product, or that answers in another type than they asked
/// for.
fn signature(request: &Request, answer: &mut Answer) {
    answer.header(PRODUCT, HeaderValue::from_static("Elasticsearch"));
    let accepted = request.header(ACCEPT).unwrap_or_default();
    if accepted.starts_with(VENDOR_TYPE)
        && let Ok(accepted) = HeaderValue::from_str(accepted)
    {
        answer.header(CONTENT_TYPE, accepted);
    }
}

fn content_type(request: &Request, product: Product) -> Result<(), Refusal> {
    let given = request.header(CONTENT_TYPE).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    let versioned = essence.strip_prefix(VENDOR_TYPE).filter(|_| product == Product::Elasticsearch);
    if matches!(essence, "application/x-ndjson" | "application/json")
        || matches!(versioned, Some("x-ndjson" | "json"))
    {
        return Ok(());
    }
    let detail = format!("Content-Type header [{given}] is not supported");
    Err(refuse_in_words(StatusCode::NOT_ACCEPTABLE, detail))
}

/// Pairs of lines. One that is malformed refuses the whole request, before any document is looked at.
fn operations<'a>(body: &'a [u8], target: Option<&str>) -> Result<Vec<Operation<'a>>, Refusal> {
    if body.is_empty() {
        return Err(refuse(StatusCode::BAD_REQUEST, "parse_exception", "request body is required"));
    }
    let text = std::str::from_utf8(body).map_err(|error| malformed(error.to_string()))?;
    let Some(text) = text.strip_suffix('\n') else {
        return Err(malformed(r"The bulk request must be terminated by a newline [\n]"));
    };
    let mut operations = Vec::new();
    let mut lines = text.split('\n');
    while let Some(action) = lines.next() {
        let number = operations.len() * 2 + 1;
        let (create, metadata) = read_action(action, number)?;
        let Some(source) = lines.next() else {
            return Err(malformed(format!("Malformed action/metadata line [{number}]: no source follows")));
        };
        let text = |key: &str| metadata.get(key).and_then(Value::as_str).map(str::to_owned);
        let Some(index) = text("_index").or_else(|| target.map(str::to_owned)) else {
            return Err(malformed("Validation Failed: 1: index is missing;"));
        };
        let id = text("_id").unwrap_or_else(|| format!("generated-{number}"));
        operations.push(Operation { create, index, id, source });
    }
    Ok(operations)
}

fn read_action(line: &str, number: usize) -> Result<(bool, Map<String, Value>), Refusal> {
    let malformed_line =
        || malformed(format!("Malformed action/metadata line [{number}], expected START_OBJECT"));
    let mut action: Map<String, Value> = serde_json::from_str(line).map_err(|_| malformed_line())?;
    let create = action.remove("create");
    let is_create = create.is_some();
    let metadata = create.or_else(|| action.remove("index"));
    let Some(Value::Object(metadata)) = metadata.filter(|_| action.is_empty()) else {
        return Err(malformed_line());
    };
    let known =
        |key: &String| matches!(key.as_str(), "_index" | "_id" | "routing" | "pipeline" | "require_alias");
    match metadata.keys().find(|key| !known(key)) {
        Some(key) => {
            Err(malformed(format!("Action/metadata line [{number}] contains an unknown parameter [{key}]")))
        }
        None => Ok((is_create, metadata)),
    }
}

fn merge(item: &mut Value, more: Value) {
    if let (Value::Object(item), Value::Object(more)) = (item, more) {
        item.extend(more);
    }
}

fn unreadable(error: &BodyError) -> Refusal {
    match error {
        BodyError::TooLarge(bytes) => {
            let message = format!("Request size exceeded {bytes} bytes");
            Refusal {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                body: json!({ "Message": message }),
                detail: message,
            }
        }
        other => malformed(other.to_string()),
    }
}

fn malformed(reason: impl Into<String>) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, "illegal_argument_exception", reason)
}

fn refuse(status: StatusCode, kind: &str, reason: impl Into<String>) -> Refusal {
    let reason = reason.into();
    let cause = json!({ "type": kind, "reason": reason });
    let error = json!({ "root_cause": [cause], "type": kind, "reason": reason });
    Refusal { status, body: json!({ "error": error, "status": status.as_u16() }), detail: reason }
}

fn refuse_in_words(status: StatusCode, detail: String) -> Refusal {
    Refusal { status, body: json!({ "error": detail, "status": status.as_u16() }), detail }
}
