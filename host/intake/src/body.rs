//! Reading a body within its limits of size, time and memory.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::answer::RequestError;
use crate::memory::Arriving;

/// Reads all of it, or stops at the first frame that goes beyond a limit.
pub(crate) async fn read(
    body: Body,
    limit: usize,
    timeout: Duration,
    room: &mut Arriving<'_>,
) -> Result<Bytes, RequestError> {
    match tokio::time::timeout(timeout, collect(body, limit, room)).await {
        Ok(result) => result,
        Err(_elapsed) => Err(RequestError::TooSlow(timeout)),
    }
}

async fn collect(mut body: Body, limit: usize, room: &mut Arriving<'_>) -> Result<Bytes, RequestError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| RequestError::Interrupted)?;
        let Ok(data) = frame.into_data() else { continue };
        let arrived = first.len() + all.len() + data.len();
        if arrived > limit {
            return Err(RequestError::BodyTooLarge { limit });
        }
        room.grow(arrived).await?;
        // A body of one frame, as most are, is not copied.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}
