//! The one thread that makes files, for flushes and merges alike.
//!
//! Making a file takes tens of megabytes for a moment, which the allocator keeps for the thread that had
//! them. On one thread that is once, on those of the runtime's pool it would be once for each.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use groundwatch_log_files::WriteError;

use super::StoreError;

type Job = Box<dyn FnOnce() + Send>;

/// Hands work to the thread, which ends when nobody has any more.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    jobs: mpsc::Sender<Job>,
}

impl Encoder {
    /// Starts the thread.
    pub(super) fn start() -> Result<Self, StoreError> {
        let (jobs, taken) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new().name("log-files".to_owned());
        // A mistake in one file must not end the thread: who waits for it learns of it, and the next one has
        // its turn.
        let work = move || taken.into_iter().for_each(|job| drop(catch_unwind(AssertUnwindSafe(job))));
        thread.spawn(work).map_err(StoreError::internal)?;
        Ok(Self { jobs })
    }

    /// What `work` comes to, which waits for its turn.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, WriteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, outcome) = tokio::sync::oneshot::channel();
        // Nobody may wait for it any more.
        let job = move || drop(done.send(work()));
        // If the thread is gone, so is the job, and then nothing comes.
        drop(self.jobs.send(Box::new(job)));
        outcome.await.map_err(StoreError::internal)?.map_err(StoreError::internal)
    }
}
