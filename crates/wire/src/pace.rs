//! What a connection is doing, as far as patience goes: whether its client is slow beyond what others must bear.
//!
//! The socket says when bytes come and go, the server when requests begin and end; [`Pace::verdict`] decides. A slow
//! *body* is not seen here but where it is read, in [`body`](crate::Intake).

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How long a request's head may take from its first byte; also how long a new connection may say nothing, and how long the
/// handshake of TLS may take.
pub(crate) const HEAD_MAX: Duration = Duration::from_secs(10);

/// How long a connection may stay open between requests. SDKs keep theirs for a minute at most, and should be the ones who close.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(75);

/// How long a client may take none of what it is sent.
pub(crate) const UNREAD_MAX: Duration = Duration::from_secs(30);

/// The pace of one connection. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Pace(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Requests in work; their answers' bodies count until they are handed over.
    requests: usize,
    waiting: Waiting,
    /// When it was that `waiting` began.
    since: Instant,
    /// Since when the client takes nothing of what is sent to it.
    unread_since: Option<Instant>,
    /// HTTP/2: bytes between requests may be anything, so they do not begin a head.
    multiplexed: bool,
}

/// What a connection without requests is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// The rest of a head, or anything at all on a new connection.
    Head,
    /// The next request.
    Idle,
}

/// Why a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slow {
    /// A head does not come to its end.
    Head,
    /// No request comes.
    Idle,
    /// Answers are not read.
    Unread,
}

/// A request in work; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct InWork(Pace);

impl Pace {
    /// The pace of a connection that was just accepted.
    pub(crate) fn new(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(State {
            requests: 0,
            waiting: Waiting::Head,
            since: now,
            unread_since: None,
            multiplexed: false,
        })))
    }

    /// From now on it speaks HTTP/2.
    pub(crate) fn multiplex(&self) {
        let mut state = self.0.lock();
        state.multiplexed = true;
        state.waiting = Waiting::Idle;
    }

    /// Bytes came in.
    pub(crate) fn read(&self, now: Instant) {
        let mut state = self.0.lock();
        if state.requests == 0 && state.waiting == Waiting::Idle && !state.multiplexed {
            state.waiting = Waiting::Head;
            state.since = now;
        }
    }

    /// The client took bytes, or would not take any.
    pub(crate) fn wrote(&self, taken: bool, now: Instant) {
        let mut state = self.0.lock();
        state.unread_since = if taken { None } else { state.unread_since.or(Some(now)) };
    }

    /// A head is whole: a request begins.
    pub(crate) fn begin(&self) -> InWork {
        let mut state = self.0.lock();
        state.requests += 1;
        state.waiting = Waiting::Idle;
        InWork(self.clone())
    }

    /// Whether the client has been too slow.
    pub(crate) fn verdict(&self, now: Instant) -> Option<Slow> {
        let state = self.0.lock();
        if state.unread_since.is_some_and(|since| now.duration_since(since) >= UNREAD_MAX) {
            return Some(Slow::Unread);
        }
        let waited = now.duration_since(state.since);
        match state.waiting {
            _ if state.requests > 0 => None,
            Waiting::Head => (waited >= HEAD_MAX).then_some(Slow::Head),
            Waiting::Idle => (waited >= IDLE_MAX).then_some(Slow::Idle),
        }
    }

    /// Since when it has had no request in work; `None` if it has one.
    pub(crate) fn waiting_since(&self) -> Option<Instant> {
        let state = self.0.lock();
        (state.requests == 0).then_some(state.since)
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        state.requests -= 1;
        state.since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(start: Instant, wait: Duration) -> Instant {
        start + wait
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_ten_seconds_and_an_idle_connection_longer() {
        let start = Instant::now();
        let pace = Pace::new(start);
        assert_eq!(pace.verdict(after(start, HEAD_MAX - SECOND)), None);
        assert_eq!(pace.verdict(after(start, HEAD_MAX)), Some(Slow::Head));
        let request = pace.begin();
        assert_eq!(pace.verdict(after(start, IDLE_MAX * 9)), None, "it is we who take long");
        drop(request);
        assert_eq!(pace.verdict(after(start, IDLE_MAX - SECOND)), None);
        assert_eq!(pace.verdict(after(start, IDLE_MAX)), Some(Slow::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn dripping_bytes_does_not_prolong_a_head() {
        let start = Instant::now();
        let pace = Pace::new(start);
        drop(pace.begin());
        for second in 1..10 {
            pace.read(after(start, SECOND * second));
        }
        assert_eq!(pace.verdict(after(start, SECOND * 10)), None);
        assert_eq!(pace.verdict(after(start, SECOND * 11)), Some(Slow::Head));
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_cut_even_while_a_request_is_in_work() {
        let start = Instant::now();
        let pace = Pace::new(start);
        let _request = pace.begin();
        pace.wrote(false, start);
        pace.wrote(false, after(start, SECOND * 20));
        assert_eq!(pace.verdict(after(start, UNREAD_MAX)), Some(Slow::Unread));
        pace.wrote(true, after(start, UNREAD_MAX));
        assert_eq!(pace.verdict(after(start, UNREAD_MAX * 2)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_between_requests_of_http_2_begin_no_head() {
        let start = Instant::now();
        let pace = Pace::new(start);
        pace.multiplex();
        pace.read(start);
        assert_eq!(pace.verdict(after(start, HEAD_MAX * 2)), None);
        assert_eq!(pace.verdict(after(start, IDLE_MAX)), Some(Slow::Idle));
    }
}
