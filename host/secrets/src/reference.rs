//! Where a secret is, as an operator writes it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// The place of a secret. Not secret itself: it may be printed, logged and stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretReference {
    /// `env:NAME`, an environment variable of the host.
    Env(String),
    /// `file:/path`, a file that holds nothing but the secret.
    File(PathBuf),
}

/// A reference that cannot be used. Never shows more of the text than its scheme: people paste secrets where a
/// reference belongs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReferenceError {
    #[error("not a secret reference: it does not begin with `env:` or `file:`")]
    NoScheme,
    #[error("secret references of the scheme `{0}:` are not supported yet")]
    NotYet(&'static str),
    #[error("`env:` is followed by something that is not the name of an environment variable")]
    VariableName,
    #[error("`file:` is followed by something that is not an absolute path")]
    RelativePath,
}

impl ReferenceError {
    /// What to write instead.
    pub fn hint(&self) -> &'static str {
        match self {
            ReferenceError::NoScheme => {
                "write where the secret is, not the secret: env:NAME for an environment variable, file:/path for a file"
            }
            ReferenceError::NotYet(_) => {
                "let the secret store write the value to a file or the environment, and use file:/path or env:NAME"
            }
            ReferenceError::VariableName => {
                "write a name of letters, digits and underscores, as in env:SPLUNK_HEC_TOKEN"
            }
            ReferenceError::RelativePath => "write the whole path, as in file:/run/secrets/splunk-hec-token",
        }
    }
}

/// Schemes that have a meaning in the product's design but no provider here.
const LATER: [&str; 3] = ["aws-secretsmanager", "vault", "stored"];

impl FromStr for SecretReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (scheme, place) = text.split_once(':').ok_or(ReferenceError::NoScheme)?;
        match scheme {
            "env" if is_variable_name(place) => Ok(SecretReference::Env(place.to_owned())),
            "env" => Err(ReferenceError::VariableName),
            "file" if place.starts_with('/') && !place.contains('\0') => {
                Ok(SecretReference::File(PathBuf::from(place)))
            }
            "file" => Err(ReferenceError::RelativePath),
            other => Err(LATER
                .into_iter()
                .find(|later| *later == other)
                .map_or(ReferenceError::NoScheme, ReferenceError::NotYet)),
        }
    }
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretReference::Env(name) => write!(f, "env:{name}"),
            SecretReference::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_as_it_was_written() {
        for text in ["env:SPLUNK_HEC_TOKEN", "env:_x9", "file:/run/secrets/hec", "file:/with:colon and space"]
        {
            let reference: SecretReference = text.parse().expect(text);
            assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_reference_is_refused_with_what_to_write() {
        let cases = [
            ("", ReferenceError::NoScheme),
            ("SPLUNK_HEC_TOKEN", ReferenceError::NoScheme),
            ("https://example.com", ReferenceError::NoScheme),
            ("ENV:NAME", ReferenceError::NoScheme),
            ("env:", ReferenceError::VariableName),
            ("env:1ST", ReferenceError::VariableName),
            ("env:A=B", ReferenceError::VariableName),
            ("env:$HOME", ReferenceError::VariableName),
            ("file:", ReferenceError::RelativePath),
            ("file:secret.txt", ReferenceError::RelativePath),
            ("aws-secretsmanager:arn:aws:x", ReferenceError::NotYet("aws-secretsmanager")),
            ("vault:kv/splunk", ReferenceError::NotYet("vault")),
            ("stored:1", ReferenceError::NotYet("stored")),
        ];
        for (text, expected) in cases {
            let error = text.parse::<SecretReference>().expect_err(text);
            assert_eq!(error, expected, "{text}");
            assert!(!error.hint().is_empty());
        }
    }

    #[test]
    fn a_secret_pasted_in_place_of_a_reference_is_not_repeated_in_the_error() {
        for pasted in ["hunter2-hunter2", "hunter2:hunter2", "env:hunter2-hunter2", "file:hunter2"] {
            let error = pasted.parse::<SecretReference>().expect_err(pasted);
            assert!(!format!("{error} {error:?} {}", error.hint()).contains("hunter2"), "{error}");
        }
    }
}
