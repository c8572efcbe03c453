//! Why an event is refused, as it is counted.

use siemaphore_model::normalise::Refusal;

use crate::schema::Unfit;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $reason:ident => $name:literal,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Reason {
            $($(#[doc = $doc])* $reason,)*
        }

        impl Reason {
            pub(crate) const ALL: &[Reason] = &[$(Reason::$reason),*];

            /// As metrics and the API name it.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Reason::$reason => $name,)*
                }
            }
        }
    };
}

reasons! {
    /// Also what is not even text.
    NotJson => "not-json",
    NotAnObject => "not-an-object",
    TooDeep => "too-deep",
    TooLarge => "too-large",
    /// Of what every event needs, such as its id.
    WrongType => "wrong-type",
    /// It does not fit the schema of the source.
    Schema => "schema",
    /// It follows a version of its producer's schema that the profile does not know.
    SchemaVersion => "schema-version",
    /// It could not be told apart from what is around it, or decoded.
    Unreadable => "unreadable",
}

impl From<&Refusal> for Reason {
    fn from(refusal: &Refusal) -> Reason {
        match refusal {
            Refusal::Syntax { .. } => Reason::NotJson,
            Refusal::NotAnObject { .. } => Reason::NotAnObject,
            Refusal::TooDeep { .. } => Reason::TooDeep,
            Refusal::TooLarge { .. } => Reason::TooLarge,
            Refusal::WrongType { .. } => Reason::WrongType,
            Refusal::UnknownVersion(_) => Reason::SchemaVersion,
        }
    }
}

impl From<&Unfit> for Reason {
    fn from(_: &Unfit) -> Reason {
        Reason::Schema
    }
}

/// How many were refused for each reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tally([usize; Reason::ALL.len()]);

impl Default for Tally {
    fn default() -> Tally {
        Tally([0; Reason::ALL.len()])
    }
}

impl Tally {
    pub(crate) fn add(&mut self, reason: Reason) {
        if let Some(count) = self.0.get_mut(reason as usize) {
            *count += 1;
        }
    }

    pub(crate) fn total(&self) -> usize {
        self.0.iter().sum()
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = (Reason, usize)> {
        Reason::ALL.iter().copied().zip(self.0)
    }
}
