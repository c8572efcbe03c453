//! Which dead letters a command means, sorted by destination.

use std::collections::BTreeMap;

use anyhow::anyhow;
use serde::{Deserialize, Serialize};

use crate::cli::Which;
use crate::command::Failure;
use crate::command::destination_name::DestinationName;
use crate::control::Client;

/// Dead letters of one destination, as the API takes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Letters {
    All(bool),
    Ids(Vec<i64>),
}

/// One destination and the letters of it that are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) destination: DestinationName,
    /// How many there are to begin with.
    pub(crate) count: u64,
    pub(crate) letters: Letters,
}

#[derive(Deserialize)]
struct Ledger {
    #[serde(flatten)]
    destination: DestinationName,
    dead_lettered: u64,
}

pub(crate) async fn resolve(client: &Client, which: &Which) -> Result<Vec<Selected>, Failure> {
    let destination = match &which.destination {
        Some(name) => Some(DestinationName::find_stored(client, name).await?),
        None => None,
    };
    if which.all {
        return all(client, destination.as_ref()).await;
    }
    if which.ids.is_empty() {
        return Err(anyhow!("which dead letters?\n  hint: write their ids, or --all").into());
    }
    by_destination(client, destination.as_ref(), &which.ids).await
}

async fn all(client: &Client, destination: Option<&DestinationName>) -> Result<Vec<Selected>, Failure> {
    let mut ledgers: Vec<Ledger> = client.get("/v1/ledger").await?;
    ledgers.retain(|ledger| {
        ledger.dead_lettered > 0 && destination.is_none_or(|wanted| *wanted == ledger.destination)
    });
    let selected = ledgers.into_iter().map(|ledger| Selected {
        destination: ledger.destination,
        count: ledger.dead_lettered,
        letters: Letters::All(true),
    });
    Ok(selected.collect())
}

async fn by_destination(
    client: &Client,
    wanted: Option<&DestinationName>,
    ids: &[i64],
) -> Result<Vec<Selected>, Failure> {
    #[derive(Deserialize)]
    struct Shown {
        dead_letter: Letter,
    }
    #[derive(Deserialize)]
    struct Letter {
        destination: String,
    }
    let mut sorted: BTreeMap<DestinationName, Vec<i64>> = BTreeMap::new();
    for id in ids {
        let shown: Shown = client.get(&format!("/v1/dead-letters/{id}")).await?;
        let destination = DestinationName::from_id(&shown.dead_letter.destination);
        if wanted.is_some_and(|wanted| *wanted != destination) {
            return Err(anyhow!("dead letter {id} is one of {}", destination.id()).into());
        }
        sorted.entry(destination).or_default().push(*id);
    }
    let selected = sorted.into_iter().map(|(destination, ids)| Selected {
        destination,
        count: ids.len() as u64,
        letters: Letters::Ids(ids),
    });
    Ok(selected.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_written_as_the_api_takes_them() {
        assert_eq!(serde_json::to_string(&Letters::All(true)).unwrap(), r#"{"all":true}"#);
        assert_eq!(serde_json::to_string(&Letters::Ids(vec![1, 2])).unwrap(), r#"{"ids":[1,2]}"#);
    }
}
