//! How old a secret may be when it is used.

use siemaphore_secrets::{Secret, SecretError, SecretReference, Secrets};

#[derive(Clone, Copy)]
pub(crate) enum Age {
    Usual,
    /// After a refusal.
    Fresh,
}

impl Age {
    pub(crate) async fn read(
        self,
        secrets: &Secrets,
        reference: &SecretReference,
    ) -> Result<Secret, SecretError> {
        match self {
            Age::Usual => secrets.resolve(reference).await,
            Age::Fresh => secrets.refresh(reference).await,
        }
    }
}
