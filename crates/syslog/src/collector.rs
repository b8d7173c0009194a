//! Events from all senders into batches, and batches into the sink.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_core::BoxFuture;
use tokio::sync::mpsc;

use crate::Event;

/// How many events wait for the sink at most.
pub(crate) const QUEUE_EVENTS_MAX: usize = 4096;
/// How many events are stored at a time at most.
const BATCH_EVENTS_MAX: usize = 1000;
/// How long an event waits for others to be stored with it.
const GATHERED_FOR: Duration = Duration::from_millis(100);
/// How long to wait before the sink is asked again, doubled each time up to [`RETRY_MAX`].
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// Events of one host and program, in the order of their times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// As [`Event::host`].
    pub host: String,
    /// As [`Event::program`].
    pub program: String,
    /// The events.
    pub events: Vec<Event>,
}

/// Why a batch is not stored.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// It may be later.
    #[error("cannot be stored now: {0}")]
    Later(String),
    /// It never will.
    #[error("cannot be stored: {0}")]
    Never(String),
}

/// Where events are stored.
pub trait Sink: Send + Sync + 'static {
    /// Stores a batch: durably when this answers `Ok`.
    fn store<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), SinkError>>;
}

/// Stores what comes through `events` until all who send there are gone.
pub(crate) async fn collect(mut events: mpsc::Receiver<Event>, sink: &dyn Sink) {
    let mut gathered = Vec::new();
    while events.recv_many(&mut gathered, BATCH_EVENTS_MAX).await > 0 {
        let more = async {
            while gathered.len() < BATCH_EVENTS_MAX
                && events.recv_many(&mut gathered, BATCH_EVENTS_MAX).await > 0
            {}
        };
        let _ = tokio::time::timeout(GATHERED_FOR, more).await;
        for batch in batches(std::mem::take(&mut gathered)) {
            store(&batch, sink).await;
        }
    }
}

fn batches(events: Vec<Event>) -> Vec<Batch> {
    let mut by_sender: BTreeMap<(String, String), Vec<Event>> = BTreeMap::new();
    for event in events {
        by_sender.entry((event.host.clone(), event.program.clone())).or_default().push(event);
    }
    let batch = |((host, program), mut events): (_, Vec<Event>)| {
        // Stable: what happened at one moment stays in the order in which it came.
        events.sort_by_key(|event| event.at);
        Batch { host, program, events }
    };
    by_sender.into_iter().map(batch).collect()
}

async fn store(batch: &Batch, sink: &dyn Sink) {
    let mut wait = RETRY_FIRST;
    loop {
        match sink.store(batch).await {
            Ok(()) => return,
            Err(error @ SinkError::Never(_)) => {
                let events = batch.events.len();
                tracing::warn!(%error, events, host = batch.host, "syslog messages are lost");
                return;
            }
            Err(error @ SinkError::Later(_)) => {
                tracing::warn!(%error, retry_in = ?wait, "syslog messages wait");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(RETRY_MAX);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use groundwatch_core::Timestamp;

    use super::*;

    fn event(second: i64, host: &str, text: &str) -> Event {
        Event { at: Timestamp::from_secs(second), host: host.into(), program: "p".into(), text: text.into() }
    }

    /// Refuses the first time it is asked, and writes down what it stores.
    #[derive(Default)]
    struct Recorder {
        asked: Mutex<usize>,
        stored: Mutex<Vec<Batch>>,
    }

    impl Sink for Recorder {
        fn store<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), SinkError>> {
            Box::pin(async move {
                let mut asked = self.asked.lock().expect("not poisoned");
                *asked += 1;
                if *asked == 1 {
                    return Err(SinkError::Later("full".into()));
                }
                self.stored.lock().expect("not poisoned").push(batch.clone());
                Ok(())
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn events_are_stored_by_sender_in_the_order_of_time_and_tried_again() {
        let (sender, receiver) = mpsc::channel(QUEUE_EVENTS_MAX);
        for event in [event(2, "a", "2"), event(1, "a", "1"), event(5, "b", "5"), event(1, "a", "1 too")] {
            sender.send(event).await.expect("received");
        }
        drop(sender);
        let sink = Recorder::default();
        collect(receiver, &sink).await;
        let stored = sink.stored.lock().expect("not poisoned");
        let texts: Vec<Vec<&str>> = stored
            .iter()
            .map(|batch| batch.events.iter().map(|event| event.text.as_str()).collect())
            .collect();
        assert_eq!(texts, [vec!["1", "1 too", "2"], vec!["5"]]);
    }
}
