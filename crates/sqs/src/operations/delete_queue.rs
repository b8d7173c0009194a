//! `DeleteQueue`: a queue with its messages, at once.

use groundwatch_api::sqs::{DeleteQueue, DeleteQueueInput, DeleteQueueOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::{Batch, Expect, StorageError};

use crate::{Sqs, SqsError};

impl Handle<DeleteQueue> for Sqs {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DeleteQueueInput,
    ) -> Result<DeleteQueueOutput, Fault> {
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let key = &found.queue.key;
        let mut batch = Batch::new();
        self.directory.definitions.remove(&mut batch, key.clone(), Expect::Present);
        for (task, _) in self.mover.of_queue(key) {
            self.mover.tasks.remove(&mut batch, task, Expect::Any);
        }
        match self.catalog.commit(batch).await {
            Ok(()) => self.directory.forget(found.queue.id),
            Err(StorageError::Conflict { .. }) => return Err(SqsError::QueueNotFound.into()),
            Err(error) => return Err(SqsError::from(error).into()),
        }
        Ok(DeleteQueueOutput {})
    }
}
