//! When a session is told what.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Following, TailedEvent};

/// How long after one update the next one comes, whether there are events or not. Source: API reference,
/// StartLiveTail.
const EVERY: Duration = Duration::from_secs(1);

/// How soon after one update the next one may come if there are events. AWS always waits for a full second;
/// here nobody waits for more than this.
const EVENTS_EVERY: Duration = Duration::from_millis(100);

/// How long a session lasts. Source: API reference, StartLiveTail.
const SESSION_MAX: Duration = Duration::from_secs(3 * 60 * 60);

/// The updates of one session.
#[derive(Debug)]
pub(crate) struct Updates {
    following: Following,
    ends: Instant,
    last: Instant,
}

/// The session has lasted as long as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimedOut;

impl Updates {
    /// The updates from now on.
    pub(crate) fn of(following: Following) -> Self {
        let now = Instant::now();
        Self { following, ends: now + SESSION_MAX, last: now }
    }

    /// Waits for the next update: its events, and whether they are a sample.
    pub(crate) async fn next(&mut self) -> Result<(Vec<Arc<TailedEvent>>, bool), TimedOut> {
        let events = async {
            tokio::time::sleep_until(self.last + EVENTS_EVERY).await;
            self.following.arrived().await;
        };
        tokio::select! {
            () = events => {}
            () = tokio::time::sleep_until(self.last + EVERY) => {}
        }
        self.last = Instant::now();
        if self.last >= self.ends { Err(TimedOut) } else { Ok(self.following.take()) }
    }
}

#[cfg(test)]
mod tests {
    use groundwatch_core::{Scope, Timestamp};

    use super::super::{LiveTail, StreamChoice, Wanted};
    use super::*;
    use crate::incarnation::{GroupId, LogStreamId};
    use crate::pattern::{Matcher, Pattern};
    use crate::store::StreamAddress;

    fn session() -> (LiveTail, StreamAddress, Updates) {
        let live_tail = LiveTail::default();
        let address = StreamAddress {
            scope: Scope::default(),
            group: "app".into(),
            group_id: GroupId::random(),
            stream: "web".into(),
            stream_id: LogStreamId::random(),
        };
        let matcher = Matcher::new(&Pattern::parse("").expect("a pattern"));
        let wanted = Wanted { groups: vec![address.group_id], streams: StreamChoice::All, matcher };
        let following = live_tail.follow(&Scope::default(), wanted).expect("the first session");
        (live_tail, address, Updates::of(following))
    }

    #[tokio::test(start_paused = true)]
    async fn an_update_comes_every_second_and_sooner_with_events() {
        let (live_tail, address, mut updates) = session();
        let start = Instant::now();
        let publish = || live_tail.publish(&address, Timestamp::EPOCH, &[(1, b"a".as_slice())].into_iter());
        for (second, with_event, expected_ms) in
            [(0, false, 1000), (1, true, 100), (2, true, 100), (3, false, 1000)]
        {
            let before = Instant::now();
            if with_event {
                publish();
            }
            let (events, sampled) = updates.next().await.expect("not over");
            assert_eq!((events.len(), sampled), (usize::from(with_event), false), "update {second}");
            assert_eq!(before.elapsed(), Duration::from_millis(expected_ms), "update {second}");
        }
        // After a quiet time an event does not wait at all.
        tokio::time::advance(Duration::from_millis(500)).await;
        let (next, ()) = tokio::join!(updates.next(), async { publish() });
        assert_eq!(next.expect("not over").0.len(), 1);
        assert_eq!(start.elapsed(), Duration::from_millis(2700));
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_after_three_hours() {
        let (live_tail, _, mut updates) = session();
        let start = Instant::now();
        while updates.next().await.is_ok() {}
        assert_eq!(start.elapsed(), SESSION_MAX);
        drop(updates);
        assert!(live_tail.inner.sessions.read().by_group.is_empty());
    }
}
