//! The door that every raw event of a source has to pass, whichever way it comes: its schema, if the source has one, then
//! its profile, which validates and redacts.

use siemaphore_model::EventBuffer;
use siemaphore_model::normalise::{Context, EVENT_BYTES, Normalised, Normaliser, Refusal, Scratch};

use crate::reason::Reason;
use crate::schema::{Schema, Unfit};

/// Of one source, for one portion of its events.
#[derive(Clone, Copy)]
pub(crate) struct Door<'a> {
    pub(crate) normaliser: &'a Normaliser,
    pub(crate) schema: Option<&'a Schema>,
    pub(crate) context: Context<'a>,
}

/// Why one raw event is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub(crate) reason: Reason,
    /// For the producer.
    pub(crate) text: String,
    /// Its end is a guess, so that in an array what follows is one too.
    pub(crate) is_syntax: bool,
}

impl Door<'_> {
    pub(crate) fn bytes(
        &self,
        raw: &[u8],
        scratch: &mut Scratch,
        into: &mut EventBuffer,
    ) -> Result<Normalised, Unusable> {
        let text = std::str::from_utf8(raw).map_err(|error| Unusable {
            reason: Reason::NotJson,
            text: format!("not valid UTF-8 at byte {}", error.valid_up_to()),
            is_syntax: false,
        })?;
        self.text(text, scratch, into)
    }

    pub(crate) fn text(
        &self,
        raw: &str,
        scratch: &mut Scratch,
        into: &mut EventBuffer,
    ) -> Result<Normalised, Unusable> {
        // What is too large is not even parsed.
        if let Some(schema) = self.schema.filter(|_| raw.len() <= EVENT_BYTES)
            && let Err(unfit) = schema.check(raw)
        {
            return Err(self.unfit(&unfit, raw, scratch));
        }
        Ok(self.normaliser.normalise(raw, &self.context, scratch, into)?)
    }

    /// What is no event at all is told as such, not as what its schema makes of it.
    fn unfit(&self, unfit: &Unfit, raw: &str, scratch: &mut Scratch) -> Unusable {
        let mut nowhere = EventBuffer::new();
        match self.normaliser.normalise(raw, &self.context, scratch, &mut nowhere) {
            Err(refusal) if !matches!(refusal, Refusal::WrongType { .. } | Refusal::UnknownVersion(_)) => {
                refusal.into()
            }
            _ => Unusable { reason: unfit.into(), text: unfit.to_string(), is_syntax: false },
        }
    }
}

impl From<Refusal> for Unusable {
    fn from(refusal: Refusal) -> Unusable {
        Unusable { reason: (&refusal).into(), text: refusal.to_string(), is_syntax: refusal.is_syntax() }
    }
}
