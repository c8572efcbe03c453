//! `Authorization: Bearer …` with a token that the operator has.

use http::header::AUTHORIZATION;
use siemaphore_secrets::Secret;

use super::{Credential, header};
use crate::attempt_error::AttemptError;

pub(super) fn credential(secret: Secret) -> Result<Credential, AttemptError> {
    header::credential(&AUTHORIZATION, "Bearer ", secret)
}
