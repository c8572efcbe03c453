//! Reading a body within its limits of size and time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::answer::RequestError;

/// Reads all of it, or stops at the first frame that goes beyond the limit.
pub(crate) async fn read(body: Body, limit: usize, timeout: Duration) -> Result<Bytes, RequestError> {
    match tokio::time::timeout(timeout, collect(body, limit)).await {
        Ok(result) => result,
        Err(_elapsed) => Err(RequestError::TooSlow(timeout)),
    }
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, RequestError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| RequestError::Interrupted)?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + all.len() + data.len() > limit {
            return Err(RequestError::BodyTooLarge { limit });
        }
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
