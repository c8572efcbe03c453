//! Destinations as people name them: `NAME` where it is unambiguous, else `ORGANIZATION/NAME`.

use anyhow::anyhow;
use serde::Deserialize;

use crate::command::{Failure, api_path};
use crate::control::Client;

/// A destination that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct DestinationName {
    pub(crate) organization: String,
    pub(crate) name: String,
}

impl DestinationName {
    /// The full form, as the store and the log have it.
    pub(crate) fn from_id(id: &str) -> DestinationName {
        let (organization, name) = id.split_once('/').unwrap_or(("", id));
        DestinationName { organization: organization.to_owned(), name: name.to_owned() }
    }

    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.organization, self.name)
    }

    /// Its path in the API, or one below it: `test`, `dead-letters/replay`.
    pub(crate) fn path(&self, below: &str) -> String {
        let below = below.split('/').filter(|segment| !segment.is_empty());
        let own = ["organizations", &self.organization, "destinations", &self.name];
        api_path(&own.into_iter().chain(below).collect::<Vec<_>>())
    }

    /// Looks a name up in one of the API's lists of destinations.
    pub(crate) async fn find(client: &Client, list: &str, name: &str) -> Result<DestinationName, Failure> {
        if name.contains('/') {
            return Ok(DestinationName::from_id(name));
        }
        let all: Vec<DestinationName> = client.get(list).await?;
        let mut found = all.iter().filter(|one| one.name == name);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one.clone()),
            (Some(_), Some(_)) => {
                Err(anyhow!("several organisations have a destination `{name}`: write ORGANIZATION/{name}")
                    .into())
            }
            (None, _) if all.is_empty() => {
                Err(anyhow!("there is no destination `{name}`, nor any other").into())
            }
            (None, _) => {
                let all: Vec<String> = all.iter().map(DestinationName::id).collect();
                Err(anyhow!("there is no destination `{name}`; there are: {}", all.join(", ")).into())
            }
        }
    }

    /// Among the destinations that the store knows, configured or not.
    pub(crate) async fn find_stored(client: &Client, name: &str) -> Result<DestinationName, Failure> {
        DestinationName::find(client, "/v1/ledger", name).await
    }
}
