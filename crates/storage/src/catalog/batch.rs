//! Changes to the catalog that happen together or not at all.

use std::sync::Arc;

use groundwatch_core::Timestamp;
use serde::Serialize;

use crate::journal::{Position, StreamId};
use crate::{Key, StorageError};

/// What a change requires of the document that it replaces or removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: the last writer wins.
    Any,
    /// There is no such document yet.
    Absent,
    /// There is such a document.
    Present,
    /// The document is still the one of this version.
    Version(u64),
}

impl Expect {
    /// Whether a document of version `current` (`None`: there is none) is as expected.
    pub(super) fn is_met_by(self, current: Option<u64>) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => current.is_none(),
            Self::Present => current.is_some(),
            Self::Version(version) => current == Some(version),
        }
    }
}

/// Changes to commit in one transaction, in the order in which they were added.
#[derive(Default)]
pub struct Batch {
    pub(super) steps: Vec<Step>,
    /// The first change that could not be written down: it fails the whole batch at commit.
    pub(super) refused: Option<StorageError>,
}

impl Batch {
    /// A batch without changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.refused.is_none()
    }

    /// Adds a change; `then` is run when it is durable, in the order of all commits.
    pub(crate) fn push(&mut self, change: Change, then: impl FnOnce(u64) + Send + 'static) {
        self.steps.push(Step { change, then: Box::new(then) });
    }

    /// Runs `then` when everything that was added so far is durable.
    pub fn after(&mut self, then: impl FnOnce() + Send + 'static) {
        if let Some(step) = self.steps.pop() {
            let before = step.then;
            self.push(step.change, move |number| {
                before(number);
                then();
            });
        }
    }

    /// `value` as JSON; if it has no such form, the batch is refused at commit.
    pub(super) fn encode<T: Serialize>(
        &mut self,
        kind: &'static str,
        key: &Key,
        value: &T,
    ) -> Option<String> {
        match serde_json::to_string(value) {
            Ok(body) => Some(body),
            Err(source) => {
                let error = StorageError::Encode { kind, key: key.clone(), source: Arc::new(source) };
                self.refused.get_or_insert(error);
                None
            }
        }
    }
}

/// One change, and what follows from it in memory.
pub(super) struct Step {
    pub(super) change: Change,
    pub(super) then: Box<dyn FnOnce(u64) + Send>,
}

/// One change. Its number, which the follow-up receives, is the revision that it makes unless it says
/// otherwise.
pub(crate) enum Change {
    /// Creates or replaces a document.
    Put { kind: &'static str, key: Key, body: String, expect: Expect },
    /// Removes a document, if there is one.
    Remove { kind: &'static str, key: Key, expect: Expect },
    /// Adds an entry to a ledger.
    Append { kind: &'static str, key: Key, at: Timestamp, body: String },
    /// Deletes at most `limit` entries that are older than `before`; its number tells how many there were.
    Expire { kind: &'static str, before: Timestamp, limit: usize },
    /// Notes that a stream's journal records through this position are needed no more.
    Release { stream: StreamId, through: Position },
}
