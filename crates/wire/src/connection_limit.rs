//! All connections together: how many there may be, and which one gives way when there are too many.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::pace::Pace;

/// How many connections are open at a time.
const CONNECTIONS_MAX: usize = 4096;

/// How often to look again while all have requests in work.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The open connections. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionLimit {
    slots: Arc<Semaphore>,
    open: Arc<Mutex<Connections>>,
}

#[derive(Debug, Default)]
struct Connections {
    next: u64,
    by_number: HashMap<u64, (Pace, CancellationToken)>,
}

/// A connection's slot; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    number: u64,
    open: Arc<Mutex<Connections>>,
    /// Cancelled when the connection has to give way.
    pub(crate) out: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionLimit {
    pub(crate) fn new() -> Self {
        Self::of(CONNECTIONS_MAX)
    }

    fn of(connections_max: usize) -> Self {
        Self { slots: Arc::new(Semaphore::new(connections_max)), open: Arc::default() }
    }

    /// Room for one more connection. If there is none, the one that has waited longest for a request gives
    /// way: whoever holds connections without using them holds up nobody. If all have requests in work, this
    /// waits, and new connections in the kernel's queue.
    pub(crate) async fn room(&self) -> OwnedSemaphorePermit {
        loop {
            if self.slots.available_permits() == 0 {
                self.close_longest_idle();
            }
            let free = Arc::clone(&self.slots).acquire_owned();
            if let Ok(Ok(permit)) = tokio::time::timeout(LOOK_EVERY, free).await {
                return permit;
            }
        }
    }

    /// Takes a connection in.
    pub(crate) fn join(&self, pace: Pace, permit: OwnedSemaphorePermit) -> Slot {
        let out = CancellationToken::new();
        let mut open = self.open.lock();
        let number = open.next;
        open.next += 1;
        open.by_number.insert(number, (pace, out.clone()));
        Slot { number, open: Arc::clone(&self.open), out, _permit: permit }
    }

    /// Ends the connection that has waited longest for a request, if one waits.
    pub(crate) fn close_longest_idle(&self) {
        let open = self.open.lock();
        let idle = open
            .by_number
            .values()
            .filter(|(_, out)| !out.is_cancelled())
            .filter_map(|(pace, out)| Some((pace.waiting_since()?, out)));
        if let Some((_, out)) = idle.min_by_key(|(since, _)| *since) {
            out.cancel();
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.open.lock().by_number.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn the_idlest_gives_way_and_work_never() {
        let limit = ConnectionLimit::of(3);
        let now = Instant::now();
        let mut slots = Vec::new();
        let paces: Vec<Pace> = (0..3).map(|second| Pace::new(now + Duration::from_secs(second))).collect();
        for pace in &paces {
            slots.push(limit.join(pace.clone(), limit.room().await));
        }
        let _request = paces[0].begin();
        let waiting = tokio::spawn({
            let limit = limit.clone();
            async move { limit.room().await }
        });
        slots[1].out.cancelled().await;
        assert!(!slots[0].out.is_cancelled(), "it has a request in work");
        assert!(!slots[2].out.is_cancelled(), "it came later");
        slots.remove(1);
        let _permit = waiting.await.expect("there is room now");
    }
}
