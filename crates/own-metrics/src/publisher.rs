//! Minutes that are over, on their way to the metric store.

use std::error::Error;
use std::sync::Arc;

use groundwatch_core::{Activity, BoxFuture, Timestamp};
use tokio::sync::Notify;

use crate::Sample;

/// What a service has counted.
pub trait Meters: Send + Sync + 'static {
    /// The [reading](crate::reading_of) of the first minute that there is something to say about; `None` while
    /// there is nothing.
    fn next_due(&self) -> Option<Timestamp>;

    /// Takes out what is to be said of the minutes whose reading has come at `now`. Afterwards `next_due` is later
    /// than `now`, or `None`.
    fn read(&self, now: Timestamp) -> Vec<Sample>;

    /// Notified whenever `next_due` may have become earlier.
    fn changed(&self) -> &Notify;
}

/// Takes samples.
pub trait MetricSink: Send + Sync + 'static {
    /// Stores `samples`, of any scopes and namespaces: they are durable and visible when this returns `Ok`.
    fn put(&self, samples: Vec<Sample>) -> BoxFuture<'_, Result<(), SinkError>>;
}

/// Why samples were not taken.
pub type SinkError = Box<dyn Error + Send + Sync>;

/// Publishes what a service has counted, each minute that had something.
pub struct Publisher {
    name: &'static str,
    meters: Arc<dyn Meters>,
    sink: Arc<dyn MetricSink>,
}

impl Publisher {
    /// The activity of that name, which brings `meters` to `sink`.
    pub fn new(name: &'static str, meters: Arc<dyn Meters>, sink: Arc<dyn MetricSink>) -> Self {
        Self { name, meters, sink }
    }
}

impl Activity for Publisher {
    fn name(&self) -> &'static str {
        self.name
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.meters.next_due()
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let samples = self.meters.read(now);
            if samples.is_empty() {
                return;
            }
            if let Err(error) = self.sink.put(samples).await {
                let error = &*error as &dyn Error;
                tracing::warn!(activity = self.name, error, "a minute of a service's own metrics is lost");
            }
        })
    }

    fn changed(&self) -> &Notify {
        self.meters.changed()
    }
}

#[cfg(test)]
mod tests {
    use groundwatch_core::Scope;
    use parking_lot::Mutex;

    use super::*;
    use crate::Tally;

    /// Keeps how many samples came at once.
    #[derive(Default)]
    struct Notebook(Mutex<Vec<usize>>);

    impl MetricSink for Notebook {
        fn put(&self, samples: Vec<Sample>) -> BoxFuture<'_, Result<(), SinkError>> {
            self.0.lock().push(samples.len());
            Box::pin(async { Ok(()) })
        }
    }

    #[tokio::test]
    async fn a_minute_of_all_metrics_is_put_at_once_and_an_empty_one_not_at_all() {
        let (tally, sink) = (Arc::new(Tally::new("AWS/Test")), Arc::new(Notebook::default()));
        let publisher = Publisher::new("test-metrics", tally.clone(), sink.clone());
        for name in ["a", "b"] {
            tally.add(&Scope::default(), name, &[], Timestamp::from_secs(5), 1.0, None);
        }
        for secs in [59, 60, 120] {
            publisher.run(Timestamp::from_secs(secs)).await;
        }
        assert_eq!(*sink.0.lock(), [2]);
    }
}
