//! Versions of producers' schemas.

use std::fmt;

/// The most that is shown of a version: it comes from the event.
const CHARACTERS: usize = 32;

/// An event says that it follows a version of its producer's schema that the profile was not written for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVersion {
    /// The name of the profile.
    pub producer: String,
    /// Where the event says it.
    pub pointer: String,
    pub version: String,
    /// The major versions that are known.
    pub known: Vec<u64>,
}

impl fmt::Display for UnknownVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnknownVersion { producer, pointer, version, known } = self;
        let known: Vec<String> = known.iter().map(u64::to_string).collect();
        write!(formatter, "{pointer} is version {version}; the profile {producer} knows {}", known.join(", "))
    }
}

/// `1` of `1`, `1.2.0`, `v1` and `1-beta`.
pub(super) fn major(version: &str) -> Option<u64> {
    let version = version.trim();
    let version = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let end = version.find(|character: char| !character.is_ascii_digit()).unwrap_or(version.len());
    version.get(..end)?.parse().ok()
}

/// What looks like no version may be anything, and is not repeated.
pub(super) fn shown(version: &str) -> String {
    let is_one = version.len() <= CHARACTERS
        && major(version).is_some()
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
    if is_one { version.to_owned() } else { "(unreadable)".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_of_a_version_is_its_major() {
        for (version, expected) in [
            ("1", Some(1)),
            ("1.2.0", Some(1)),
            ("v2.0", Some(2)),
            ("V10", Some(10)),
            ("1-beta", Some(1)),
            (" 3.1 ", Some(3)),
            ("", None),
            ("v", None),
            ("beta", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(major(version), expected, "{version}");
        }
    }

    #[test]
    fn what_is_no_version_is_not_repeated() {
        assert_eq!(shown("2.0.0-rc.1+b"), "2.0.0-rc.1+b");
        for text in ["canary-secret", "1 canary secret", "", &"1".repeat(33)] {
            assert_eq!(shown(text), "(unreadable)", "{text}");
        }
    }
}
