//! The value of a secret.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

/// A secret value. Clones share one copy, which is zeroed when the last of them is dropped.
///
/// It has no `Display`, no `Serialize` and no `PartialEq`: what wants the value has to say [`Secret::expose`].
#[derive(Clone)]
pub struct Secret(Arc<SecretString>);

impl Secret {
    /// Copies `value`; whoever owns the original has to wipe it.
    pub fn new(value: &str) -> Self {
        Secret(Arc::new(SecretString::from(value)))
    }

    /// The value itself, to put it into a request or to find it in an answer.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether both have the same value. For noticing a rotation, not for checking a credential: it takes a time
    /// that depends on the values.
    pub fn same_value(&self, other: &Secret) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("canary-7f3a");
        assert_eq!(format!("{secret:?} {:?}", Some(secret.clone())), "[secret] Some([secret])");
        assert_eq!(secret.expose(), "canary-7f3a");
    }

    #[test]
    fn clones_have_the_same_value_and_a_rotated_secret_has_not() {
        let secret = Secret::new("one");
        assert!(secret.same_value(&secret.clone()));
        assert!(!secret.same_value(&Secret::new("two")));
    }
}
