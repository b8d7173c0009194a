//! `CreateExportTask`, `CancelExportTask` and `DescribeExportTasks`.

use std::sync::Arc;

use groundwatch_api::logs::{
    self as api, CancelExportTask, CancelExportTaskInput, CancelExportTaskOutput, CreateExportTask,
    CreateExportTaskInput, CreateExportTaskOutput, DescribeExportTasks, DescribeExportTasksInput,
    DescribeExportTasksOutput, ExportTaskExecutionInfo, ExportTaskStatus, ExportTaskStatusCode,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp};
use groundwatch_outbound::Outcome;
use uuid::Uuid;

use super::listing;
use crate::error::LogsError;
use crate::export::{self, ExportError, ExportTask, Progress, Status};
use crate::logs::Logs;

/// Where objects go whose task names no prefix.
const KEY_PREFIX_DEFAULT: &str = "exportedlogs";
/// What is written first, to see whether the bucket can be written.
const TEST_KEY: &str = "aws-logs-write-test";
const TEST_BODY: &[u8] = b"Permission Check Successful";
/// How many tasks that have ended are remembered.
const ENDED_TASKS_MAX: usize = 500;

impl Handle<CreateExportTask> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: CreateExportTaskInput,
    ) -> Result<CreateExportTaskOutput, Fault> {
        let group_name = input.log_group_name.expect("validated: required");
        let (from, to) = (input.from.expect("validated: required"), input.to.expect("validated: required"));
        let bucket = input.destination.expect("validated: required");
        let group = self.directory.group(call.scope(), &group_name)?;
        if from >= to {
            return Err(LogsError::from(ExportError::Range).into());
        }
        let prefix = input.destination_prefix.map(|prefix| prefix.trim_matches('/').to_owned());
        let prefix = prefix.filter(|prefix| !prefix.is_empty());
        self.try_bucket(&bucket, prefix.as_deref()).await?;
        let task = ExportTask {
            name: input.task_name,
            group: group_name,
            group_id: group.id,
            stream_prefix: input.log_stream_name_prefix,
            from: Timestamp::from_millis(from),
            to: Timestamp::from_millis(to),
            bucket,
            key_prefix: prefix.unwrap_or_else(|| KEY_PREFIX_DEFAULT.to_owned()),
            status: Status::Pending,
            message: None,
            created: call.received,
            completed: None,
            progress: Progress::default(),
            retry: None,
        };
        let shelf = &self.export_tasks.shelf;
        let add = |_: Option<&ExportTask>| {
            let known = shelf.list(call.scope(), "", None, usize::MAX);
            match known.iter().any(|(_, task)| task.is_active()) {
                true => Err(ExportError::AnotherActive.into()),
                false => Ok(task),
            }
        };
        let id = Uuid::new_v4().to_string();
        shelf.change(call.scope(), &id, add).await?;
        self.export_tasks.added();
        self.forget_old_tasks(call).await?;
        Ok(CreateExportTaskOutput { task_id: Some(id) })
    }
}

impl Handle<CancelExportTask> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: CancelExportTaskInput,
    ) -> Result<CancelExportTaskOutput, Fault> {
        let id = input.task_id.expect("validated: required");
        let cancel = |task: Option<&ExportTask>| {
            let task = task.ok_or(ExportError::Missing)?;
            if !task.is_active() {
                return Err(ExportError::Ended.into());
            }
            Ok(task.ended(Status::Cancelled, "Cancelled", call.received))
        };
        self.export_tasks.shelf.change(call.scope(), &id, cancel).await?;
        Ok(CancelExportTaskOutput {})
    }
}

impl Handle<DescribeExportTasks> for Logs {
    /// In the order of creation. An unknown id finds nothing, and is no error (recorded).
    async fn handle(
        &self,
        call: &Call,
        input: DescribeExportTasksInput,
    ) -> Result<DescribeExportTasksOutput, Fault> {
        let wanted = |id: &str, task: &ExportTask| {
            input.task_id.as_deref().is_none_or(|wanted| wanted == id)
                && input.status_code.as_ref().is_none_or(|code| *code == code_of(task.status))
        };
        let tasks = self.export_tasks.shelf.list(call.scope(), "", None, usize::MAX).into_iter();
        let found = tasks.filter(|(id, task)| wanted(id, task)).map(|(id, task)| {
            let place = format!("{:020}{id}", task.created.as_millis());
            (place, described(id, &task))
        });
        let (tasks, next_token) = listing::page(
            "DescribeExportTasks",
            input.next_token.as_deref(),
            input.limit,
            listing::of(found.collect()),
        )?;
        Ok(DescribeExportTasksOutput { export_tasks: Some(tasks), next_token })
    }
}

impl Logs {
    /// Writes the object that AWS writes first. Without a prefix it stands at the root (recorded).
    async fn try_bucket(&self, bucket: &str, prefix: Option<&str>) -> Result<(), LogsError> {
        let buckets = &self.buckets;
        if !export::is_bucket(bucket) || !buckets.knows(bucket) {
            return Err(ExportError::BucketMissing.into());
        }
        if let Some(prefix) = prefix.filter(|prefix| !export::is_key(prefix)) {
            return Err(ExportError::Prefix { prefix: prefix.to_owned() }.into());
        }
        let key = prefix.map_or(TEST_KEY.to_owned(), |prefix| format!("{prefix}/{TEST_KEY}"));
        match buckets.put(bucket, &key, TEST_BODY.to_vec()).await {
            Outcome::Accepted { .. } => Ok(()),
            Outcome::Refused { reason } if reason.contains("NoSuchBucket") => {
                Err(ExportError::BucketMissing.into())
            }
            Outcome::Refused { reason } | Outcome::Unavailable { reason, .. } => {
                Err(ExportError::BucketRefuses { reason }.into())
            }
        }
    }

    /// Removes the oldest tasks that have ended when there are many.
    async fn forget_old_tasks(&self, call: &Call) -> Result<(), LogsError> {
        let shelf = &self.export_tasks.shelf;
        let tasks = shelf.list(call.scope(), "", None, usize::MAX).into_iter();
        let mut ended: Vec<(Timestamp, String)> =
            tasks.filter(|(_, task)| !task.is_active()).map(|(id, task)| (task.created, id)).collect();
        ended.sort_unstable();
        let too_many = ended.len().saturating_sub(ENDED_TASKS_MAX);
        for (_, id) in ended.drain(..too_many) {
            shelf.remove(call.scope(), &id, |_| Ok(())).await?;
        }
        Ok(())
    }
}

fn code_of(status: Status) -> ExportTaskStatusCode {
    match status {
        Status::Pending => ExportTaskStatusCode::Pending,
        Status::Running => ExportTaskStatusCode::Running,
        Status::Completed => ExportTaskStatusCode::Completed,
        Status::Failed => ExportTaskStatusCode::Failed,
        Status::Cancelled => ExportTaskStatusCode::Cancelled,
    }
}

fn described(id: String, task: &Arc<ExportTask>) -> api::ExportTask {
    api::ExportTask {
        task_id: Some(id),
        task_name: task.name.clone(),
        log_group_name: Some(task.group.clone()),
        from: Some(task.from.as_millis()),
        to: Some(task.to.as_millis()),
        destination: Some(task.bucket.clone()),
        destination_prefix: Some(task.key_prefix.clone()),
        status: Some(ExportTaskStatus { code: Some(code_of(task.status)), message: task.message.clone() }),
        execution_info: Some(ExportTaskExecutionInfo {
            creation_time: Some(task.created.as_millis()),
            completion_time: task.completed.map(Timestamp::as_millis),
        }),
    }
}
