//! The laws by name.

use std::fmt;

/// What a formatter promises. The five of the contract, and what `describe` and `interpret` owe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    Description,
    Settings,
    Total,
    HonestRecords,
    Bounded,
    BatchSplit,
    Deterministic,
    Answers,
}

impl Law {
    /// In the order in which they are checked.
    pub const ALL: [Law; 8] = [
        Law::Description,
        Law::Settings,
        Law::Total,
        Law::HonestRecords,
        Law::Bounded,
        Law::BatchSplit,
        Law::Deterministic,
        Law::Answers,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Law::Description => "description",
            Law::Settings => "settings",
            Law::Total => "total",
            Law::HonestRecords => "honest-records",
            Law::Bounded => "bounded",
            Law::BatchSplit => "batch-split",
            Law::Deterministic => "deterministic",
            Law::Answers => "answers",
        }
    }

    /// The law in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Law::Description => "it says its name, its version and how its SIEM authenticates",
            Law::Settings => "its settings have a schema, and its example fits it and is accepted",
            Law::Total => "no event makes it trap, and what it rejects has a reason",
            Law::HonestRecords => "every record is what its content type and framing say",
            Law::Bounded => "no call exceeds a limit",
            Law::BatchSplit => "an event's record is the same in every batch",
            Law::Deterministic => "the same events give the same bytes again",
            Law::Answers => "it reads every answer, and believes no failure to be a delivery",
        }
    }

    /// What an author can do when it is broken.
    pub fn hint(self) -> &'static str {
        match self {
            Law::Description => "mend what `describe` returns",
            Law::Settings => {
                "mend the schema or the example that `describe` returns, or what `configure` takes"
            }
            Law::Total => {
                "read every member as something that may be missing or of another type, and reject with a reason what cannot be formatted"
            }
            Law::HonestRecords => {
                "build records with a JSON writer that escapes, and give each event one record or one rejection"
            }
            Law::Bounded => "do less for each event, or ask the operator for a higher limit for this plugin",
            Law::BatchSplit => {
                "make each record of its own event alone: no counter, no total, no state from the event before"
            }
            Law::Deterministic => "depend on nothing but the event and the settings",
            Law::Answers => "return `standard` for every answer that is not understood",
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
