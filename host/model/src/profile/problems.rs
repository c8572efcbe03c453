//! What is wrong with a profile that an operator wrote: each place, why, and what to write instead.

use super::{AUTO, Profile, names};
use crate::normalise::tree::is_pointer;

/// Something to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileProblem {
    /// A JSON Pointer into the profile: `/envelope/id/0`.
    pub place: String,
    pub reason: String,
    pub hint: String,
}

const POINTER_HINT: &str = "write the way to the value with a slash before each name, such as \"/user/id\"; in a name \"~\" is \"~0\" and \"/\" is \"~1\"";

impl Profile {
    /// Everything that keeps it from being used.
    pub fn problems(&self) -> Vec<ProfileProblem> {
        let mut problems = Vec::new();
        if names().any(|name| name == self.name) {
            let reason = format!("`{}` is the name of a profile that comes with Siemaphore", self.name);
            let hint = match self.name.as_str() {
                AUTO => "choose another name; `auto` tries your profiles first",
                _ => "choose another name; with `auto`, your profile is tried first under any name",
            };
            problems.push(problem("/name".to_owned(), reason, hint));
        }
        for (place, pointer) in self.pointers() {
            if !is_pointer(pointer) {
                problems.push(problem(place, format!("{pointer:?} is not a JSON Pointer"), POINTER_HINT));
            }
        }
        for (index, tests) in self.detect.iter().enumerate() {
            if tests.is_empty() {
                let hint = "write at least one test, such as [{ at = \"/product\", is = \"gatekeeper\" }]";
                let reason = "a list without tests would recognise every event".to_owned();
                problems.push(problem(format!("/detect/{index}"), reason, hint));
            }
        }
        for (index, field) in self.severity.fields.iter().enumerate() {
            if !field.numbers.is_sorted_by(|(lower, _), (higher, _)| lower < higher) {
                let place = format!("/severity/fields/{index}/numbers");
                let hint = "write the lowest number of each severity, the smallest first";
                problems.push(problem(place, "the numbers do not ascend".to_owned(), hint));
            }
        }
        if self.version.as_ref().is_some_and(|version| version.known.is_empty()) {
            let hint = "write the major versions that the profile is for, such as known = [1], or leave `version` out";
            let reason = "no version is known".to_owned();
            problems.push(problem("/version/known".to_owned(), reason, hint));
        }
        problems
    }

    /// Every pointer with its place.
    fn pointers(&self) -> Vec<(String, &str)> {
        let envelope = [
            ("id", &self.envelope.id),
            ("type", &self.envelope.event_type),
            ("time", &self.envelope.time),
            ("project", &self.envelope.project),
        ];
        let envelope = envelope.into_iter().flat_map(|(key, pointers)| {
            (0..).zip(pointers).map(move |(index, pointer)| (format!("/envelope/{key}/{index}"), pointer))
        });
        let tests = (0..).zip(&self.detect).flat_map(|(outer, tests)| {
            (0..).zip(tests).map(move |(inner, test)| (format!("/detect/{outer}/{inner}/at"), &test.at))
        });
        let fields = (0..).zip(&self.severity.fields);
        let fields = fields.map(|(index, field)| (format!("/severity/fields/{index}/at"), &field.at));
        let tables = (0..).zip(&self.severity.tables).filter(|(_, table)| table.of != "type");
        let tables = tables.map(|(index, table)| (format!("/severity/tables/{index}/of"), &table.of));
        let version = self.version.iter().map(|version| ("/version/at".to_owned(), &version.at));
        let redact = (0..).zip(&self.redact.pointers);
        let redact = redact.map(|(index, pointer)| (format!("/redact/pointers/{index}"), pointer));
        let all = envelope.chain(tests).chain(fields).chain(tables).chain(version).chain(redact);
        all.map(|(place, pointer): (String, &String)| (place, pointer.as_str())).collect()
    }
}

fn problem(place: String, reason: String, hint: &str) -> ProfileProblem {
    ProfileProblem { place, reason, hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_with_its_place() {
        let profile: Profile = toml::from_str(
            r#"
            name = "generic"
            detect = [[{ at = "/a" }], [], [{ at = "b" }]]
            envelope = { id = ["/id", "id"], time = ["/a~"] }
            version = { at = "v", known = [] }
            redact = { pointers = [""] }
            [severity]
            fields = [{ at = "level", numbers = [[5, "high"], [1, "low"]] }]
            tables = [{ of = "type", rules = [] }, { of = "kind", rules = [] }]
            "#,
        )
        .unwrap();
        let places: Vec<String> = profile.problems().into_iter().map(|problem| problem.place).collect();
        assert_eq!(
            places,
            [
                "/name",
                "/envelope/id/1",
                "/envelope/time/0",
                "/detect/2/0/at",
                "/severity/fields/0/at",
                "/severity/tables/1/of",
                "/version/at",
                "/redact/pointers/0",
                "/detect/1",
                "/severity/fields/0/numbers",
                "/version/known",
            ]
        );
    }

    #[test]
    fn no_shipped_profile_has_a_problem_but_its_name() {
        for (name, text) in super::super::RECOGNISABLE.into_iter().chain([super::super::GENERIC]) {
            let profile = Profile::parse((name, text)).unwrap();
            let places: Vec<String> = profile.problems().into_iter().map(|problem| problem.place).collect();
            assert_eq!(places, ["/name"], "{name}");
        }
    }
}
