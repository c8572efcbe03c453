//! What a check has found.

use std::fmt;

use siemaphore_sandbox::Figures;

use crate::law::Law;

/// The findings about one formatter with one configuration.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// In the order found; a check ends after a few.
    pub broken: Vec<Broken>,
    /// The laws that were checked to their end.
    pub(crate) finished: Vec<Law>,
    /// How many events of the corpus were formatted one by one.
    pub events: usize,
    /// How many of them got a rejection instead of a record.
    pub rejected: usize,
    /// How many records are larger than the request profile allows: the host would set them apart.
    pub too_large: usize,
    /// How many instances were started.
    pub calls: usize,
    /// The most of each that one call has used, with its start and `configure`; not all by the same call.
    pub worst: Figures,
}

impl Report {
    pub fn is_lawful(&self) -> bool {
        self.broken.is_empty() && Law::ALL.iter().all(|law| self.finished.contains(law))
    }

    /// What breaks this law. Empty when it holds, and when it was not checked.
    pub fn broken_by(&self, law: Law) -> impl Iterator<Item = &Broken> {
        self.broken.iter().filter(move |broken| broken.law == law)
    }

    /// Whether the law was checked to its end. It is not when the check ended early.
    pub fn is_checked(&self, law: Law) -> bool {
        self.finished.contains(&law)
    }
}

/// One law, broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub law: Law,
    /// The event of the corpus that shows it, by name.
    pub event: Option<&'static str>,
    /// In people's words. It may quote the formatter.
    pub detail: String,
}

impl Broken {
    /// What the formatter's author can do.
    pub fn hint(&self) -> &'static str {
        self.law.hint()
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "it breaks the law `{}`: ", self.law)?;
        if let Some(event) = self.event {
            write!(formatter, "event `{event}`: ")?;
        }
        formatter.write_str(&self.detail)
    }
}
