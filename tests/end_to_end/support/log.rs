//! What the host wrote to standard error, line by line.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;
use tokio::time::timeout;

use super::PATIENCE;

/// Lines that grow while a host runs. Clones see the same lines.
#[derive(Clone, Default)]
pub(crate) struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    grown: watch::Sender<State>,
}

#[derive(Clone, Copy, Default)]
struct State {
    lines: usize,
    ended: bool,
}

impl Lines {
    /// Reads until the other side closes.
    pub(crate) fn follow(&self, stream: impl AsyncRead + Unpin + Send + 'static) {
        let mine = self.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stream).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                mine.lines.lock().unwrap().push(line);
                mine.grown.send_modify(|state| state.lines += 1);
            }
            mine.grown.send_modify(|state| state.ended = true);
        });
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// How many lines there are: what comes later is looked for from here.
    pub(crate) fn count(&self) -> usize {
        self.lines.lock().unwrap().len()
    }

    /// Waits for a line from number `from` on that `wanted` takes, and returns it.
    pub(crate) async fn wait(&self, from: usize, what: &str, wanted: impl Fn(&Entry) -> bool) -> Entry {
        let mut grown = self.grown.subscribe();
        let search = async {
            let mut next = from;
            loop {
                let state = *grown.borrow_and_update();
                let fresh = self.lines.lock().unwrap()[next..].to_vec();
                next += fresh.len();
                if let Some(entry) = fresh.iter().map(|line| Entry::parse(line)).find(|entry| wanted(entry)) {
                    return Some(entry);
                }
                if state.ended && next >= state.lines {
                    return None;
                }
                grown.changed().await.expect("the sender lives in self");
            }
        };
        match timeout(PATIENCE, search).await {
            Ok(Some(entry)) => entry,
            Ok(None) => panic!("the host ended without the log line: {what}"),
            Err(_) => panic!("no log line within {PATIENCE:?}: {what}"),
        }
    }

    /// Waits until the other side has closed, so that no line is missing.
    pub(crate) async fn end(&self) {
        let mut grown = self.grown.subscribe();
        timeout(PATIENCE, grown.wait_for(|state| state.ended))
            .await
            .expect("the log ends")
            .expect("the sender lives");
    }
}

/// One line of the JSON log. A line that is no JSON has its whole text as message.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) level: String,
    pub(crate) message: String,
    pub(crate) fields: Value,
    pub(crate) text: String,
}

impl Entry {
    fn parse(line: &str) -> Entry {
        let json: Value = serde_json::from_str(line).unwrap_or_default();
        Entry {
            level: json["level"].as_str().unwrap_or_default().to_owned(),
            message: json["fields"]["message"].as_str().unwrap_or(line).to_owned(),
            fields: json["fields"].clone(),
            text: line.to_owned(),
        }
    }

    /// The text of a field; empty when there is none.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields[name].as_str().unwrap_or_default()
    }
}
