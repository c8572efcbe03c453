//! The client of one destination, and the certificate that it shows to its SIEM.
//!
//! Certificate and key are secret references, read as often as any other secret. When one of them has changed, the
//! client is made anew, with connections and TLS sessions of its own: those of the former certificate are not used
//! again. Certificate and key are two files, so one of them may be found replaced and the other not yet; the former
//! pair is shown until both fit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use siemaphore_http::{Client, ClientIdentity, IdentityError};
use siemaphore_secrets::{Secret, SecretError, SecretReference, Secrets};
use thiserror::Error;

use crate::age::Age;
use crate::attempt_error::AttemptError;

/// Where a client certificate and its key are, both in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate first, then those between it and its authority.
    pub certificate: SecretReference,
    pub key: SecretReference,
}

/// A client certificate that cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientCertificateError {
    #[error(transparent)]
    Certificate(SecretError),
    #[error(transparent)]
    Key(SecretError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl ClientCertificateError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            ClientCertificateError::Certificate(error) | ClientCertificateError::Key(error) => error.hint(),
            ClientCertificateError::Identity(error) => error.hint(),
        }
    }

    /// Whether the key is to blame, and not the certificate.
    pub fn is_of_key(&self) -> bool {
        match self {
            ClientCertificateError::Certificate(_) => false,
            ClientCertificateError::Key(_) => true,
            ClientCertificateError::Identity(error) => error.is_of_key(),
        }
    }
}

impl ClientCertificate {
    /// What would be shown at this moment, whatever its dates.
    pub async fn read(&self, secrets: &Secrets) -> Result<ClientIdentity, ClientCertificateError> {
        self.pair(secrets, Age::Usual).await?.identity()
    }

    async fn pair(&self, secrets: &Secrets, age: Age) -> Result<Pair, ClientCertificateError> {
        let certificate = age.read(secrets, &self.certificate).await;
        let certificate = certificate.map_err(ClientCertificateError::Certificate)?;
        let key = age.read(secrets, &self.key).await.map_err(ClientCertificateError::Key)?;
        Ok(Pair { certificate, key })
    }
}

/// A certificate and a key as they were read.
#[derive(Clone)]
struct Pair {
    certificate: Secret,
    key: Secret,
}

impl Pair {
    fn identity(&self) -> Result<ClientIdentity, ClientCertificateError> {
        Ok(ClientIdentity::from_pem(self.certificate.expose(), self.key.expose())?)
    }

    fn is(&self, other: &Pair) -> bool {
        self.certificate.same_value(&other.certificate) && self.key.same_value(&other.key)
    }
}

/// A client, and the certificate that it shows.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    shown: Option<(Pair, ClientIdentity)>,
}

/// Makes the connections of one destination.
pub(crate) struct Connector {
    /// The destination's name, for log lines.
    destination: String,
    /// Shows no certificate.
    client: Client,
    certificate: Option<ClientCertificate>,
    secrets: Arc<Secrets>,
    present: Mutex<Option<Connection>>,
    /// Why the pair that is in place is not shown, as it was logged; None while it is.
    passed_over: Mutex<Option<String>>,
}

impl Connector {
    pub(crate) fn new(
        destination: &str,
        client: Client,
        certificate: Option<ClientCertificate>,
        secrets: Arc<Secrets>,
    ) -> Self {
        Connector {
            destination: destination.to_owned(),
            client,
            certificate,
            secrets,
            present: Mutex::default(),
            passed_over: Mutex::default(),
        }
    }

    pub(crate) async fn connection(&self) -> Result<Connection, AttemptError> {
        self.got(Age::Usual).await
    }

    /// Another connection after the SIEM refused `refused`: with a certificate that was replaced since.
    pub(crate) async fn renewed(&self, refused: &Connection) -> Result<Option<Connection>, AttemptError> {
        let Some((shown, _)) = &refused.shown else { return Ok(None) };
        let connection = self.got(Age::Fresh).await?;
        let is_other = connection.shown.as_ref().is_some_and(|(pair, _)| !pair.is(shown));
        Ok(is_other.then_some(connection))
    }

    async fn got(&self, age: Age) -> Result<Connection, AttemptError> {
        let Some(certificate) = &self.certificate else {
            return Ok(Connection { client: self.client.clone(), shown: None });
        };
        let mut made = self.of(certificate.pair(&self.secrets, age).await?);
        if made.is_err() {
            made = self.of(certificate.pair(&self.secrets, Age::Fresh).await?);
        }
        let present = self.present().clone();
        match (made, present) {
            (Ok(connection), _) => {
                *self.passed_over.lock().unwrap_or_else(PoisonError::into_inner) = None;
                Ok(connection)
            }
            (Err(error), Some(present)) if present.is_valid() => {
                self.pass_over(&error);
                Ok(present)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Logs once why the pair that is in place cannot be shown: every request comes by here.
    fn pass_over(&self, error: &AttemptError) {
        let reason = Some(error.reason.clone());
        let mut known = self.passed_over.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != reason {
            let (destination, hint) = (&self.destination, &error.hint);
            tracing::warn!(destination, %error, hint, "the former client certificate is shown until the new one can be used");
            *known = reason;
        }
    }

    /// The present connection if it shows this pair, else one that does.
    fn of(&self, pair: Pair) -> Result<Connection, AttemptError> {
        let mut present = self.present();
        let same = present
            .as_ref()
            .filter(|present| present.shown.as_ref().is_some_and(|(shown, _)| shown.is(&pair)));
        let connection = match same {
            Some(connection) => connection.clone(),
            None => {
                let identity = pair.identity()?;
                let client = self.client.showing(&identity);
                let client = client.map_err(|error| AttemptError::tls(error.to_string(), error.hint()))?;
                Connection { client, shown: Some((pair, identity)) }
            }
        };
        connection.check_time()?;
        *present = Some(connection.clone());
        Ok(connection)
    }

    fn present(&self) -> MutexGuard<'_, Option<Connection>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn check_time(&self) -> Result<(), ClientCertificateError> {
        let Some((_, identity)) = &self.shown else { return Ok(()) };
        Ok(identity.check_time(SystemTime::now())?)
    }

    fn is_valid(&self) -> bool {
        self.check_time().is_ok()
    }
}
