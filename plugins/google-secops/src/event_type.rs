//! Which of UDM's event types an event is, and what that type requires.

use siemaphore_sdk::Event;

/// The types that events of AI gateways and agents can be. UDM has many more, and each requires other fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventType {
    /// Requires the user who logs in as the target, and the machine that the login comes from.
    UserLogin,
    /// Requires the user as the principal, and the resource as the target.
    UserResourceAccess,
    /// Requires nothing but metadata.
    Generic,
}

/// What is known of an event, as far as the choice depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) user: bool,
    pub(crate) source_ip: bool,
    /// A tool, or else a model.
    pub(crate) resource: bool,
}

impl EventType {
    /// The most telling type that the event can fill.
    pub(crate) fn of(event: &Event, known: Known) -> EventType {
        if is_login(&event.event_type) && known.user && known.source_ip {
            EventType::UserLogin
        } else if known.user && known.resource {
            EventType::UserResourceAccess
        } else {
            EventType::Generic
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            EventType::UserLogin => "USER_LOGIN",
            EventType::UserResourceAccess => "USER_RESOURCE_ACCESS",
            EventType::Generic => "GENERIC_EVENT",
        }
    }
}

/// Whether a producer's event type is about a login: `authentication.failure`, `user.login_succeeded`.
fn is_login(event_type: &str) -> bool {
    let lowercase = event_type.to_ascii_lowercase();
    let mut words = lowercase.split(|character: char| !character.is_ascii_alphanumeric());
    words.any(|word| matches!(word, "login" | "logon" | "signin" | "authentication"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_known_by_whole_words() {
        for (event_type, expected) in [
            ("authentication.failure", true),
            ("user.login_succeeded", true),
            ("USER-SIGNIN", true),
            ("plugin.loginform_changed", false),
            ("catalogin", false),
            ("dlp.pii_blocked", false),
            ("", false),
        ] {
            assert_eq!(is_login(event_type), expected, "{event_type}");
        }
    }
}
