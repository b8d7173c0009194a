//! `PurgeQueue`: every message of a queue, at most once a minute.

use std::time::Duration;

use groundwatch_api::sqs::{PurgeQueue, PurgeQueueInput, PurgeQueueOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::{Sqs, SqsError};

/// AWS purges within this time, and takes no second purge meanwhile.
const INTERVAL: Duration = Duration::from_secs(60);

impl Handle<PurgeQueue> for Sqs {
    async fn handle<'a>(&'a self, call: &'a Call, input: PurgeQueueInput) -> Result<PurgeQueueOutput, Fault> {
        let found = self.directory.by_url(call.scope(), input.queue_url.as_deref())?;
        let queue = &found.queue;
        let now = self.clock.now();
        {
            let mut purged = queue.purged.lock();
            if purged.is_some_and(|purged| now.since(purged) < INTERVAL && purged <= now) {
                return Err(SqsError::PurgeInProgress { name: queue.key.name.clone() }.into());
            }
            *purged = Some(now);
        }
        if let Err(error) = self.store.purge(queue).await {
            *queue.purged.lock() = None;
            return Err(error.into());
        }
        Ok(PurgeQueueOutput {})
    }
}
