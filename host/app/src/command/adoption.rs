//! Destinations that do not format with the active version of their formatter, and why.

use serde::{Deserialize, Serialize};

/// A destination's use of a formatter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Use {
    pub(crate) destination: String,
    /// What formats there now.
    pub(crate) version: Option<String>,
    pub(crate) digest: Option<String>,
    pub(crate) not_adopted: Option<NotAdopted>,
}

/// The active version, where the destination keeps another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NotAdopted {
    pub(crate) digest: String,
    pub(crate) reason: String,
    pub(crate) hint: String,
    /// An operator has to allow its request.
    pub(crate) waits_for_promotion: bool,
}

impl Use {
    /// Of a destination without a host, which has not looked at any version.
    pub(crate) fn of(destination: String) -> Use {
        Use { destination, version: None, digest: None, not_adopted: None }
    }

    /// Whether the destination has made up its mind about this version.
    pub(crate) fn has_judged(&self, digest: &str) -> bool {
        self.digest.as_deref() == Some(digest)
            || self.not_adopted.as_ref().is_some_and(|version| version.digest == digest)
    }

    /// Whether an operator has to allow the request of the active version.
    pub(crate) fn waits_for_promotion(&self) -> bool {
        self.not_adopted.as_ref().is_some_and(|version| version.waits_for_promotion)
    }

    /// What is to be said when it does not format with the active version.
    pub(crate) fn told(&self) -> Option<Told> {
        let NotAdopted { reason, hint, .. } = self.not_adopted.as_ref()?;
        let keeps = match &self.version {
            // Two builds may call themselves by the same version.
            Some(version) => {
                let digest: String = self.digest.iter().flat_map(|digest| digest.chars().take(12)).collect();
                format!("destination {} keeps version {version} ({digest})", self.destination)
            }
            None => format!("destination {} has no version", self.destination),
        };
        Some(Told { text: format!("{keeps}: {reason}"), hint: hint.clone() })
    }
}

/// A sentence, and what to do.
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) hint: String,
}
