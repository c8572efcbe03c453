//! `Authorization: Bearer …` with a token that the operator has, or one that was got for a secret.

use http::header::AUTHORIZATION;
use siemaphore_http::Request;
use siemaphore_secrets::Secret;

use super::header;
use crate::attempt_error::AttemptError;

pub(super) fn apply(secret: &Secret, request: &mut Request) -> Result<Vec<Secret>, AttemptError> {
    header::apply(&AUTHORIZATION, "Bearer ", secret, request)
}
