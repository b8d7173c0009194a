//! Tasks that move messages out of a dead-letter queue: what is kept of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundwatch_core::Timestamp;
use groundwatch_storage::{Document, Key};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::queue::{arn, key_of_arn};

/// A task. Kept under [`MoveTask::key`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MoveTask {
    pub(crate) id: Uuid,
    /// The queue to empty, by its id: a later one of that name is another.
    pub(crate) source: Uuid,
    /// `None`: each message goes back to where it came from.
    pub(crate) destination_arn: Option<String>,
    /// Messages a second; `None`: as many as possible.
    pub(crate) rate: Option<u32>,
    pub(crate) status: Status,
    pub(crate) started: Timestamp,
    /// What comes behind that place is not moved.
    pub(crate) through: u64,
    pub(crate) moved: u64,
    /// How many messages there were at the start.
    pub(crate) to_move: u64,
    pub(crate) failure_reason: Option<String>,
}

impl Document for MoveTask {
    const KIND: &'static str = "sqs-move-task";
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Running,
    Completed,
    Cancelled,
    Failed,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }
}

impl MoveTask {
    /// The name under which a task of a queue is kept: those of one queue follow each other, the oldest
    /// first.
    pub(crate) fn key(&self, queue: &Key) -> Key {
        Key::new(
            &queue.scope,
            format!("{}{:020}\0{}", Self::prefix(queue), self.started.as_millis(), self.id),
        )
    }

    /// What the names of all tasks of a queue begin with.
    pub(crate) fn prefix(queue: &Key) -> String {
        format!("{}\0", queue.name)
    }

    /// What names the task in the API, in AWS's form.
    pub(crate) fn handle(&self, queue: &Key) -> String {
        let handle = Handle { task_id: self.id, source_arn: arn(queue) };
        STANDARD.encode(serde_json::json!(handle).to_string())
    }
}

/// What is in a task handle.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handle {
    task_id: Uuid,
    source_arn: String,
}

/// Queue and id in a task handle; `None` if it is none.
pub(crate) fn parse_handle(handle: &str) -> Option<(Key, Uuid)> {
    let json = STANDARD.decode(handle).ok()?;
    let handle: Handle = serde_json::from_slice(&json).ok()?;
    Some((key_of_arn(&handle.source_arn)?, handle.task_id))
}
