//! A log that remembers what was appended, and can be told to refuse.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use siemaphore_intake::{Append, AppendError, Appended, EventLog, LogFuture};

#[derive(Debug, Default)]
pub struct MemoryLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    appended: Vec<Append>,
    answers: HashMap<(String, String), ([u8; 32], String)>,
    refusal: Option<AppendError>,
    blind: bool,
}

impl MemoryLog {
    pub fn refuse_with(&self, refusal: AppendError) {
        self.state().refusal = Some(refusal);
    }

    /// From now on the early look-up finds nothing, as when two repetitions arrive at once.
    pub fn find_nothing_early(&self) {
        self.state().blind = true;
    }

    pub fn requests(&self) -> usize {
        self.state().appended.len()
    }

    pub fn organizations(&self) -> Vec<String> {
        self.state().appended.iter().map(|append| append.organization.clone()).collect()
    }

    /// The ids of all events, in order.
    pub fn ids(&self) -> Vec<String> {
        self.each(|event| event.id().to_owned())
    }

    pub fn documents(&self) -> Vec<String> {
        self.each(|event| event.document().to_owned())
    }

    fn each(&self, field: impl Fn(&siemaphore_model::Event<'_>) -> String) -> Vec<String> {
        let state = self.state();
        state.appended.iter().flat_map(|append| append.events.iter().map(|event| field(&event))).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl EventLog for MemoryLog {
    fn append(&self, append: Append) -> LogFuture<'_, Appended> {
        Box::pin(async move {
            let mut state = self.state();
            if let Some(refusal) = &state.refusal {
                return Err(refusal.clone());
            }
            if let Some(new) = &append.idempotency {
                let place = (new.source.clone(), new.key.clone());
                match state.answers.get(&place) {
                    Some((digest, answer)) if *digest == new.digest => {
                        return Ok(Appended::Repeated { answer: answer.clone() });
                    }
                    Some(_) => return Err(AppendError::KeyReused),
                    None => state.answers.insert(place, (new.digest, new.answer.clone())),
                };
            }
            state.appended.push(append);
            Ok(Appended::Stored)
        })
    }

    fn repeated<'a>(
        &'a self,
        source: &'a str,
        key: &'a str,
        digest: &'a [u8; 32],
    ) -> LogFuture<'a, Option<String>> {
        Box::pin(async move {
            let state = self.state();
            if state.blind {
                return Ok(None);
            }
            match state.answers.get(&(source.to_owned(), key.to_owned())) {
                Some((known, answer)) if known == digest => Ok(Some(answer.clone())),
                Some(_) => Err(AppendError::KeyReused),
                None => Ok(None),
            }
        })
    }
}
