//! Files on their way to the disk while the next ones are made.

use tokio::task::JoinSet;

use super::StoreError;

/// So many files are written at once. Each is in memory as long, and waits for the disk about as long as the
/// next one takes to be made.
const AT_ONCE: usize = 2;

/// Writes under way, and what came of those that are done: a `T` each.
#[derive(Debug)]
pub(super) struct Writing<T> {
    under_way: JoinSet<Result<T, StoreError>>,
    written: Vec<T>,
}

impl<T: Send + 'static> Writing<T> {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self { under_way: JoinSet::new(), written: Vec::new() }
    }

    /// Begins a write once there is room beside the others. Errors: those of an earlier one, and this one does
    /// not begin then.
    pub(super) async fn begin(
        &mut self,
        write: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<(), StoreError> {
        while self.under_way.len() >= AT_ONCE {
            self.await_one().await?;
        }
        self.under_way.spawn(write);
        Ok(())
    }

    /// Waits for all of them: what was written, and whether that is everything.
    pub(super) async fn end(mut self) -> (Vec<T>, Result<(), StoreError>) {
        let mut outcome = Ok(());
        while !self.under_way.is_empty() {
            outcome = outcome.and(self.await_one().await);
        }
        (self.written, outcome)
    }

    async fn await_one(&mut self) -> Result<(), StoreError> {
        if let Some(ended) = self.under_way.join_next().await {
            self.written.push(ended.map_err(StoreError::internal)??);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use futures_util::poll;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_was_written_beside_a_failure_is_known() {
        let mut writing = Writing::new();
        let (let_go, gate) = oneshot::channel();
        let slow = async move { gate.await.map(|()| 1).map_err(StoreError::internal) };
        writing.begin(slow).await.expect("there is room");
        writing.begin(async { Err(StoreError::Overloaded) }).await.expect("there is room");
        let third = writing.begin(async { Ok(3) }).await;
        assert!(third.is_err(), "the second one's error, and so the third one is not written");
        let_go.send(()).expect("somebody waits for it");
        let (written, outcome) = writing.end().await;
        assert_eq!(written, [1]);
        assert!(outcome.is_ok(), "the error was told");
    }

    #[tokio::test]
    async fn errors_of_the_last_ones_are_told_at_the_end() {
        let mut writing = Writing::new();
        writing.begin(async { Err(StoreError::Overloaded) }).await.expect("there is room");
        writing.begin(async { Ok(2) }).await.expect("there is room");
        let (written, outcome) = writing.end().await;
        assert_eq!(written, [2]);
        assert!(outcome.is_err());
    }

    #[tokio::test]
    async fn a_write_waits_for_room() {
        let mut writing = Writing::new();
        let (let_go, gate) = oneshot::channel::<()>();
        let never = async { std::future::pending().await };
        writing.begin(async move { gate.await.map_err(StoreError::internal) }).await.expect("there is room");
        writing.begin(never).await.expect("there is room");
        let mut third = std::pin::pin!(writing.begin(async { Ok(()) }));
        assert!(matches!(poll!(third.as_mut()), Poll::Pending));
        let_go.send(()).expect("somebody waits for it");
        third.await.expect("the first one made room");
    }
}
