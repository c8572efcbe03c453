//! What a receiver plays. Each SIEM's constructor stands in the SIEM's own file, so that a new one is a new file.

use std::fmt;
use std::sync::Arc;

use crate::access_tokens::AccessTokens;
use crate::answer::Rules;
use crate::receiver::ReceiverConfig;
use crate::splunk::Acknowledgements;

/// The SIEM to play, with the secrets that it takes. Cloning makes another one of the same kind, with nothing in it.
#[derive(Clone)]
pub struct Siem(Arc<dyn Fn(&ReceiverConfig) -> Playing + Send + Sync>);

/// A SIEM's rules, and the parts of them that a test can reach.
pub(crate) struct Playing {
    pub(crate) rules: Box<dyn Rules>,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) acknowledgements: Option<Arc<Acknowledgements>>,
}

/// Where access tokens come from, and those that did.
pub(crate) struct Tokens {
    pub(crate) path: String,
    pub(crate) issued: Arc<AccessTokens>,
}

impl Siem {
    pub(crate) fn new(play: impl Fn(&ReceiverConfig) -> Playing + Send + Sync + 'static) -> Siem {
        Siem(Arc::new(play))
    }

    pub(crate) fn play(&self, config: &ReceiverConfig) -> Playing {
        (self.0)(config)
    }
}

impl Playing {
    /// Rules that a test reaches through requests only.
    pub(crate) fn by(rules: impl Rules + 'static) -> Playing {
        Playing { rules: Box::new(rules), tokens: None, acknowledgements: None }
    }
}

impl fmt::Debug for Siem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Siem")
    }
}
