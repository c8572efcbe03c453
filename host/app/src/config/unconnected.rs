//! Sources whose events go nowhere, and destinations that get none: allowed, and mostly a slip in `organization`.

use std::collections::BTreeSet;

use super::problem::{Document, at};
use super::{Config, Problem};

/// What is configured and leads nowhere. Nothing of it keeps a host from starting.
pub(crate) fn unconnected(config: &Config) -> Vec<Problem> {
    let document = Document::new(&config.text);
    match (config.sources.is_empty(), config.destinations.is_empty()) {
        (true, true) => vec![document.problem(
            &[],
            "there is no source and no destination: nothing comes in, and nothing is delivered",
            "add a [[source]] and a [[destination]]; `siemaphore quickstart NAME` makes both",
        )],
        (true, false) => vec![document.problem(
            &[],
            "there is no source: no event comes in for any destination",
            "add a [[source]]; docs/configuration.md has one to start from",
        )],
        (false, true) => vec![document.problem(
            &[],
            "there is no destination: events are stored and delivered nowhere",
            "add a [[destination]]; `siemaphore plugin list` shows for which SIEMs",
        )],
        (false, false) => sources(config, &document).chain(destinations(config, &document)).collect(),
    }
}

fn sources<'a>(config: &'a Config, document: &'a Document<'_>) -> impl Iterator<Item = Problem> + 'a {
    let enabled = config.destinations.iter().filter(|destination| destination.enabled);
    let served: BTreeSet<&str> = enabled.map(|destination| destination.organization.as_str()).collect();
    let each = config.sources.iter().enumerate();
    each.filter(move |(_, source)| !served.contains(source.organization.as_str())).map(|(index, source)| {
        let (name, organization) = (&source.name, &source.organization);
        let disabled =
            config.destinations.iter().find(|destination| &destination.organization == organization);
        let (none, hint) = match disabled {
            Some(disabled) => (
                format!("no destination of organisation `{organization}` is enabled"),
                format!("write `enabled = true` for destination `{}`", disabled.name),
            ),
            None => (
                format!("no destination of organisation `{organization}`"),
                of_one_that_has("destination", config.destinations.iter().map(|one| &one.organization)),
            ),
        };
        let reason = format!("source {name}: {none}: its events are stored and delivered nowhere");
        let path = at!["source", index, "organization"];
        document.problem(&path, reason, hint)
    })
}

fn destinations<'a>(config: &'a Config, document: &'a Document<'_>) -> impl Iterator<Item = Problem> + 'a {
    let fed: BTreeSet<&str> = config.sources.iter().map(|source| source.organization.as_str()).collect();
    let enabled = config.destinations.iter().filter(|destination| destination.enabled);
    enabled.filter(move |destination| !fed.contains(destination.organization.as_str())).map(|destination| {
        let (id, organization) = (destination.id(), &destination.organization);
        let reason =
            format!("destination {id}: no source of organisation `{organization}`: it never gets an event");
        let hint = of_one_that_has("source", config.sources.iter().map(|one| &one.organization));
        let path = at!["destination", destination.index, "organization"];
        document.problem(&path, reason, hint)
    })
}

fn of_one_that_has<'a>(what: &str, organizations: impl Iterator<Item = &'a String>) -> String {
    let organizations: BTreeSet<String> =
        organizations.map(|organization| format!("`organization = \"{organization}\"`")).collect();
    let organizations: Vec<String> = organizations.into_iter().collect();
    format!("write one that has a {what} ({}), or add a {what} to this one", organizations.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::from_text;
    use super::*;

    fn source(organization: &str) -> String {
        format!("[[source]]\nname = 'gateway'\ntoken = 'env:TOKEN'\norganization = '{organization}'\n")
    }

    fn destination(organization: &str) -> String {
        format!(
            "[[destination]]\nname = 'siem'\nformatter = 'splunk'\nendpoint = 'https://s.example.com'\norganization = '{organization}'\n"
        )
    }

    fn told(text: String) -> Vec<String> {
        let config = from_text(text, std::path::Path::new("/nonexistent")).ok().unwrap();
        let line = |problem: &Problem| problem.line.map_or("-".to_owned(), |line| line.to_string());
        let told = unconnected(&config);
        told.iter().map(|one| format!("{}: {} ({})", line(one), one.reason, one.hint)).collect()
    }

    #[test]
    fn a_source_and_a_destination_of_one_organisation_are_connected() {
        assert_eq!(told(source("acme") + &destination("acme")), [""; 0]);
    }

    #[test]
    fn a_source_and_a_destination_that_have_nothing_to_do_with_each_other_are_both_named() {
        assert_eq!(
            told(source("default") + &destination("acme")),
            [
                "4: source gateway: no destination of organisation `default`: its events are stored and delivered nowhere \
                 (write one that has a destination (`organization = \"acme\"`), or add a destination to this one)",
                "9: destination acme/siem: no source of organisation `acme`: it never gets an event \
                 (write one that has a source (`organization = \"default\"`), or add a source to this one)",
            ]
        );
    }

    #[test]
    fn a_destination_that_is_disabled_serves_no_source_and_wants_none() {
        let found = told(source("acme") + &destination("acme") + "enabled = false\n");
        assert_eq!(
            found,
            [
                "4: source gateway: no destination of organisation `acme` is enabled: its events are stored and \
                 delivered nowhere (write `enabled = true` for destination `siem`)"
            ]
        );
    }

    #[test]
    fn a_file_without_sources_or_destinations_says_so_once() {
        for (text, begins) in [
            (String::new(), "-: there is no source and no destination: "),
            (source("acme"), "-: there is no destination: "),
            (destination("acme"), "-: there is no source: "),
        ] {
            let found = told(text);
            assert!(found.len() == 1 && found[0].starts_with(begins), "{found:?}");
        }
    }
}
