//! For the fuzz targets: the way of a body to its events, without a connection; and schemas.

use bytes::Bytes;
use siemaphore_model::EventBuffer;
use siemaphore_model::normalise::{Context, Normaliser};

use crate::batch::Batch;
use crate::compression::Encoding;
use crate::door::Door;
use crate::items::Format;
use crate::schema::Schema;

/// The events of a body with these values of `Content-Encoding` and `Content-Type`; none when it is refused as a whole.
pub fn decode(
    encoding: &str,
    content_type: &str,
    body: &Bytes,
    normaliser: &Normaliser,
    context: &Context<'_>,
    body_limit: usize,
    event_limit: usize,
) -> Option<EventBuffer> {
    let encoding = Encoding::parse(encoding)?;
    let at_most = encoding.decompressed_at_most(body.len(), body_limit);
    let body = encoding.decompress(body, body_limit).ok()?;
    assert!(body.len() <= at_most, "more came out than room was reserved for");
    let format = Format::of_content_type(content_type);
    let door = Door { normaliser, schema: None, context: *context };
    Batch::decode(&body, format, &door, event_limit).ok().map(|batch| batch.events)
}

/// What is told of a JSON text that does not fit; none when it fits, or the schema cannot be used.
pub fn unfit(schema: &str, text: &str) -> Option<String> {
    let schema = Schema::compile(schema).ok()?;
    schema.check(text).err().map(|unfit| unfit.to_string())
}
