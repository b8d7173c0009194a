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
pub(crate) struct Crowd {
    places: Arc<Semaphore>,
    members: Arc<Mutex<Members>>,
}

#[derive(Debug, Default)]
struct Members {
    next: u64,
    by_number: HashMap<u64, (Pace, CancellationToken)>,
}

/// A connection's place; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    number: u64,
    members: Arc<Mutex<Members>>,
    /// Cancelled when the connection has to give way.
    pub(crate) out: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Crowd {
    pub(crate) fn new() -> Self {
        Self::of(CONNECTIONS_MAX)
    }

    fn of(connections_max: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(connections_max)), members: Arc::default() }
    }

    /// Room for one more connection. If there is none, the one that has waited longest for a request gives
    /// way: whoever holds connections without using them holds up nobody. If all have requests in work, this
    /// waits, and new connections in the kernel's queue.
    pub(crate) async fn room(&self) -> OwnedSemaphorePermit {
        loop {
            if self.places.available_permits() == 0 {
                self.send_out_the_idlest();
            }
            let free = Arc::clone(&self.places).acquire_owned();
            if let Ok(Ok(permit)) = tokio::time::timeout(LOOK_EVERY, free).await {
                return permit;
            }
        }
    }

    /// Takes a connection in.
    pub(crate) fn join(&self, pace: Pace, permit: OwnedSemaphorePermit) -> Place {
        let out = CancellationToken::new();
        let mut members = self.members.lock();
        let number = members.next;
        members.next += 1;
        members.by_number.insert(number, (pace, out.clone()));
        Place { number, members: Arc::clone(&self.members), out, _permit: permit }
    }

    /// Ends the connection that has waited longest for a request, if one waits.
    pub(crate) fn send_out_the_idlest(&self) {
        let members = self.members.lock();
        let idle = members
            .by_number
            .values()
            .filter(|(_, out)| !out.is_cancelled())
            .filter_map(|(pace, out)| Some((pace.waiting_since()?, out)));
        if let Some((_, out)) = idle.min_by_key(|(since, _)| *since) {
            out.cancel();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.members.lock().by_number.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn the_idlest_gives_way_and_work_never() {
        let crowd = Crowd::of(3);
        let now = Instant::now();
        let mut places = Vec::new();
        let paces: Vec<Pace> = (0..3).map(|second| Pace::new(now + Duration::from_secs(second))).collect();
        for pace in &paces {
            places.push(crowd.join(pace.clone(), crowd.room().await));
        }
        let _request = paces[0].begin();
        let waiting = tokio::spawn({
            let crowd = crowd.clone();
            async move { crowd.room().await }
        });
        places[1].out.cancelled().await;
        assert!(!places[0].out.is_cancelled(), "it has a request in work");
        assert!(!places[2].out.is_cancelled(), "it came later");
        places.remove(1);
        let _permit = waiting.await.expect("there is room now");
    }
}
