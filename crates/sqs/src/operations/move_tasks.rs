//! `StartMessageMoveTask`, `ListMessageMoveTasks`, `CancelMessageMoveTask`: out of a dead-letter queue again.

use groundwatch_api::sqs::{
    CancelMessageMoveTask, CancelMessageMoveTaskInput, CancelMessageMoveTaskOutput, ListMessageMoveTasks,
    ListMessageMoveTasksInput, ListMessageMoveTasksOutput, ListMessageMoveTasksResultEntry,
    StartMessageMoveTask, StartMessageMoveTaskInput, StartMessageMoveTaskOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use uuid::Uuid;

use crate::directory::Found;
use crate::move_task::{MoveTask, Status, parse_handle};
use crate::{Invalid, Sqs, SqsError};
use groundwatch_storage::despite_conflicts;

/// The fastest limited task.
const RATE_MAX: u32 = 500;
/// How many tasks one answer tells.
const RESULTS_MAX: usize = 10;

impl Handle<StartMessageMoveTask> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: StartMessageMoveTaskInput,
    ) -> Result<StartMessageMoveTaskOutput, Fault> {
        let source = self.by_own_arn(call, input.source_arn.as_deref(), "SourceArn")?;
        let key = &source.queue.key;
        let destination_arn = input.destination_arn.filter(|arn| !arn.is_empty());
        if destination_arn.is_some() {
            self.by_own_arn(call, destination_arn.as_deref(), "DestinationArn")?;
        }
        let rate = match input.max_number_of_messages_per_second {
            None => None,
            Some(rate) => {
                let legal = u32::try_from(rate).ok().filter(|rate| (1..=RATE_MAX).contains(rate));
                Some(legal.ok_or_else(|| {
                    let reason = "Must be between 1 and 500, if provided.";
                    Invalid::value("MaxNumberOfMessagesPerSecond", rate, reason)
                })?)
            }
        };
        if self.directory.sources_of(&source.queue.arn(), &key.scope).is_empty() {
            let text = "Source queue must be configured as a Dead Letter Queue.";
            return Err(Invalid::parameter(text).into());
        }
        if self.mover.of_queue(key).iter().any(|(_, task)| task.status == Status::Running) {
            let text = "There is already a task running. Only one active task is allowed for a source queue arn at a \
                        given time.";
            return Err(Invalid::parameter(text).into());
        }
        let now = self.clock.now();
        let (through, counts) = source.queue.with(|backlog| {
            backlog.advance(now);
            (backlog.last_sequence(), backlog.counts())
        });
        let task = MoveTask {
            id: Uuid::new_v4(),
            source: source.queue.id,
            destination_arn,
            rate,
            status: Status::Running,
            started: now,
            through,
            moved: 0,
            to_move: counts.visible as u64,
            failure_reason: None,
        };
        let handle = task.handle(key);
        self.mover.begin(key, task).await?;
        Ok(StartMessageMoveTaskOutput { task_handle: Some(handle) })
    }
}

impl Handle<ListMessageMoveTasks> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListMessageMoveTasksInput,
    ) -> Result<ListMessageMoveTasksOutput, Fault> {
        let source = self.by_own_arn(call, input.source_arn.as_deref(), "SourceArn")?;
        let limit = match input.max_results {
            None => 1,
            Some(count) => {
                let legal = usize::try_from(count).ok().filter(|count| (1..=RESULTS_MAX).contains(count));
                legal.ok_or_else(|| {
                    Invalid::value(
                        "MaxResults",
                        count,
                        "Value for parameter MaxResults must be between 1 and 10.",
                    )
                })?
            }
        };
        let key = &source.queue.key;
        let tasks = self.mover.of_queue(key).into_iter().take(limit);
        let results = tasks.map(|(_, task)| ListMessageMoveTasksResultEntry {
            // Only a running task can be addressed.
            task_handle: (task.status == Status::Running).then(|| task.handle(key)),
            status: Some(task.status.as_str().to_owned()),
            source_arn: Some(source.queue.arn()),
            destination_arn: task.destination_arn.clone(),
            max_number_of_messages_per_second: task.rate.map(|rate| rate as i32),
            approximate_number_of_messages_moved: Some(task.moved as i64),
            approximate_number_of_messages_to_move: Some(task.to_move as i64),
            failure_reason: task.failure_reason.clone(),
            started_timestamp: Some(task.started.as_millis()),
        });
        Ok(ListMessageMoveTasksOutput { results: Some(results.collect()) })
    }
}

impl Handle<CancelMessageMoveTask> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: CancelMessageMoveTaskInput,
    ) -> Result<CancelMessageMoveTaskOutput, Fault> {
        let handle = input.task_handle.expect("validated: required");
        // recorded: the value is left out.
        let wrong = || Invalid::parameter("Value for parameter TaskHandle is invalid.");
        let (queue, id) = parse_handle(&handle).ok_or_else(wrong)?;
        let known = queue.scope == *call.scope() && self.directory.by_key(&queue).is_some();
        if !known {
            return Err(SqsError::ResourceNotFound { parameter: "SourceArn" }.into());
        }
        let found = self.mover.of_queue(&queue).into_iter().find(|(_, task)| task.id == id);
        let (key, _) = found.ok_or(SqsError::MoveTaskNotFound)?;
        // It conflicts with each portion that is moved meanwhile.
        let moved = despite_conflicts(|| async {
            let task = self.mover.tasks.get_versioned(&key);
            let (version, task) = task.ok_or(SqsError::MoveTaskNotFound)?;
            if task.status != Status::Running {
                let what = "Only active tasks can be cancelled.".to_owned();
                return Err(SqsError::Unsupported { what });
            }
            let cancelled = MoveTask { status: Status::Cancelled, ..MoveTask::clone(&task) };
            self.mover.keep(&key, version, cancelled).await.map(|_| task.moved as i64)
        });
        Ok(CancelMessageMoveTaskOutput { approximate_number_of_messages_moved: Some(moved.await?) })
    }
}

impl Sqs {
    /// The caller's queue of that ARN.
    fn by_own_arn(&self, call: &Call, arn: Option<&str>, parameter: &'static str) -> Result<Found, SqsError> {
        let arn = arn.unwrap_or_default();
        let key = crate::queue::key_of_arn(arn).filter(|key| key.scope.region == call.scope().region);
        let key = key.ok_or(SqsError::ResourceNotFound { parameter })?;
        if key.scope != *call.scope() {
            return Err(SqsError::OtherAccount { url: self.directory.url(&key) });
        }
        self.directory.by_key(&key).ok_or(SqsError::ResourceNotFound { parameter })
    }
}
