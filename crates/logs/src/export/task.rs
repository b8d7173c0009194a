//! An export task, and how it goes on. Pure.

use groundwatch_core::Timestamp;
use groundwatch_storage::Document;
use serde::{Deserialize, Serialize};

use crate::incarnation::GroupId;

/// A task, as its document keeps it. Its id is the document's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExportTask {
    /// The name that its maker gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub group: String,
    pub group_id: GroupId,
    /// Only streams whose names begin so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_prefix: Option<String>,
    /// The first moment.
    pub from: Timestamp,
    /// The last moment, inclusive.
    pub to: Timestamp,
    pub bucket: String,
    pub key_prefix: String,
    pub status: Status,
    /// What there is to say about the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Timestamp>,
    #[serde(default)]
    pub progress: Progress,
    /// After failed attempts: how many, and when the next one is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<(u32, Timestamp)>,
}

impl Document for ExportTask {
    const KIND: &'static str = "log-export-task";
}

/// Where a task stands, in AWS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Pending,
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// Which files are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The last stream that was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// How many files it has.
    #[serde(default)]
    pub files: u32,
    /// The first event (as the digits of its key) that is in none of them; `None` when all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
}

impl ExportTask {
    /// Whether there is something left to do.
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.status, Status::Pending | Status::Running)
    }

    /// The same, over.
    pub(crate) fn ended(&self, status: Status, message: impl Into<String>, at: Timestamp) -> Self {
        let message = Some(message.into());
        Self { status, message, completed: Some(at), retry: None, ..self.clone() }
    }

    /// The key of a file: `PREFIX/TASK/STREAM/000000.gz`, slashes of the stream's name as dashes (source:
    /// CloudWatch Logs user guide, exporting to S3). Streams that would share a folder are told apart by
    /// `is_ambiguous`.
    pub(crate) fn file_key(&self, id: &str, stream: &str, file: u32, is_ambiguous: bool) -> String {
        let mut folder = stream.replace('/', "-");
        if is_ambiguous {
            folder = format!("{folder}-{:08x}", crc32fast::hash(stream.as_bytes()));
        }
        // The only names that a file system would read otherwise.
        if folder == "." || folder == ".." {
            folder.push('-');
        }
        format!("{}/{id}/{folder}/{file:06}.gz", self.key_prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_laid_out_as_the_guide_says() {
        let task = ExportTask {
            name: None,
            group: "g".to_owned(),
            group_id: GroupId::from_u128(1),
            stream_prefix: None,
            from: Timestamp::EPOCH,
            to: Timestamp::EPOCH,
            bucket: "b".to_owned(),
            key_prefix: "exportedlogs".to_owned(),
            status: Status::Pending,
            message: None,
            created: Timestamp::EPOCH,
            completed: None,
            progress: Progress::default(),
            retry: None,
        };
        assert_eq!(
            task.file_key("t", "2026/[$LATEST]x", 0, false),
            "exportedlogs/t/2026-[$LATEST]x/000000.gz"
        );
        assert_eq!(task.file_key("t", "a/b", 12, true), "exportedlogs/t/a-b-07f4401c/000012.gz");
        assert_eq!(task.file_key("t", "..", 0, false), "exportedlogs/t/..-/000000.gz");
        assert!(task.is_active());
        assert!(!task.ended(Status::Failed, "why", Timestamp::EPOCH).is_active());
    }
}
