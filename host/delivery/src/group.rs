//! What the events of one request have in common, where a profile asks for it.

use std::borrow::Cow;

use siemaphore_model::Event;
use siemaphore_model::formatter::RequestProfile;

use crate::GrantedProfile;

/// What `{project}` becomes for events that belong to no project.
const NO_PROJECT: &str = "default";

/// The organisation, project and producer of a request's events: the values of the placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Group {
    pub organization: String,
    pub project: Option<String>,
    pub producer: String,
}

/// What events have to be grouped by before they are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grouping {
    pub organization: bool,
    pub project: bool,
    pub producer: bool,
}

/// A placeholder of a path or a header value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placeholder {
    Organization,
    Project,
    Producer,
}

/// A piece of a text with placeholders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Literal(&'a str),
    Placeholder(Placeholder),
}

impl Group {
    /// The group that an event's record belongs to. What the profile has no placeholder for is left empty.
    pub fn of(profile: &GrantedProfile, event: &Event<'_>) -> Group {
        let grouping = profile.grouping();
        let of = |wanted: bool, text: &str| if wanted { text.to_owned() } else { String::new() };
        Group {
            organization: of(grouping.organization, event.organization()),
            project: event.project().filter(|_| grouping.project).map(str::to_owned),
            producer: of(grouping.producer, event.producer()),
        }
    }

    pub(crate) fn value(&self, placeholder: Placeholder) -> &str {
        match placeholder {
            Placeholder::Organization => &self.organization,
            Placeholder::Project => self.project.as_deref().unwrap_or(NO_PROJECT),
            Placeholder::Producer => &self.producer,
        }
    }

    /// `text` with its placeholders replaced.
    pub(crate) fn fill<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !text.contains('{') {
            return Cow::Borrowed(text);
        }
        // A profile was checked when it was granted, so an error can only mean that there is nothing to replace.
        let Ok(pieces) = pieces(text) else { return Cow::Borrowed(text) };
        let filled = pieces.into_iter().map(|piece| match piece {
            Piece::Literal(literal) => literal,
            Piece::Placeholder(placeholder) => self.value(placeholder),
        });
        Cow::Owned(filled.collect())
    }
}

impl Grouping {
    pub(crate) fn of(profile: &RequestProfile) -> Self {
        let mut grouping = Grouping::default();
        let values = profile.headers.iter().map(|(_, value)| value);
        for text in values.chain([&profile.path]).chain(&profile.follow_up_path) {
            for piece in pieces(text).unwrap_or_default() {
                match piece {
                    Piece::Literal(_) => {}
                    Piece::Placeholder(Placeholder::Organization) => grouping.organization = true,
                    Piece::Placeholder(Placeholder::Project) => grouping.project = true,
                    Piece::Placeholder(Placeholder::Producer) => grouping.producer = true,
                }
            }
        }
        grouping
    }
}

/// Cuts a text at its placeholders. The error is what stands between braces and is none, or a brace without its pair.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, &str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((literal, behind)) = rest.split_once('{') {
        if literal.contains('}') {
            return Err("}");
        }
        let (name, after) = behind.split_once('}').ok_or("{")?;
        pieces.push(Piece::Literal(literal));
        pieces.push(Piece::Placeholder(match name {
            "organization" => Placeholder::Organization,
            "project" => Placeholder::Project,
            "producer" => Placeholder::Producer,
            other => return Err(other),
        }));
        rest = after;
    }
    if rest.contains('}') {
        return Err("}");
    }
    pieces.push(Piece::Literal(rest));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use siemaphore_model::normalise::{Context, Normaliser, Scratch};
    use siemaphore_model::{EventBuffer, Redaction};
    use url::Url;

    use super::*;
    use crate::Authentication;
    use crate::grant::tests_support::profile;

    fn group_of_an_event(path: &str) -> Group {
        let mut profile = profile();
        profile.path = path.to_owned();
        let endpoint = Url::parse("https://s").expect("a URL");
        let granted = GrantedProfile::check(&profile, &Authentication::None, &endpoint).expect("granted");
        let mut events = EventBuffer::new();
        let context = Context { organization: "acme", source: "gateway", received_ns: 1 };
        Normaliser::new("generic", &Redaction::default())
            .expect("a known profile")
            .normalise(
                r#"{"event_type":"a","project":"chat"}"#,
                &context,
                &mut Scratch::default(),
                &mut events,
            )
            .expect("a valid event");
        let event = events.iter().next().expect("one event");
        Group::of(&granted, &event)
    }

    #[test]
    fn events_are_told_apart_only_by_what_the_profile_has_placeholders_for() {
        let nothing = Group { organization: String::new(), project: None, producer: String::new() };
        assert_eq!(group_of_an_event("/in"), nothing);
        assert_eq!(
            group_of_an_event("/{organization}"),
            Group { organization: "acme".into(), ..nothing.clone() }
        );
        assert_eq!(group_of_an_event("/{producer}"), Group { producer: "generic".into(), ..nothing });
    }

    #[test]
    fn placeholders_are_replaced_by_the_values_of_the_group() {
        let mut group =
            Group { organization: "acme".into(), project: Some("chat".into()), producer: "aisg".into() };
        assert_eq!(group.fill("ai-{organization}-{project}-{producer}!"), "ai-acme-chat-aisg!");
        assert_eq!(group.fill("plain"), "plain");
        group.project = None;
        assert_eq!(group.fill("{project}"), "default");
    }

    #[test]
    fn a_value_with_braces_is_not_replaced_again() {
        let group = Group { organization: "{producer}".into(), project: None, producer: "aisg".into() };
        assert_eq!(group.fill("{organization}"), "{producer}");
    }

    #[test]
    fn other_braces_are_refused() {
        assert_eq!(pieces("{tenant}"), Err("tenant"));
        assert_eq!(pieces("{}"), Err(""));
        assert_eq!(pieces("{organization"), Err("{"));
        assert_eq!(pieces("a}b{project}"), Err("}"));
        assert_eq!(pieces("{project}}"), Err("}"));
    }
}
