//! What a connection is doing, as far as patience goes: whether its client is slow beyond what others must
//! bear.
//!
//! The socket says when bytes come and go, the server when requests begin and end; [`Pace::verdict`] decides.
//! A slow *body* is not seen here but where it is read, in [`body`](crate::Intake).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How long a request's head may take from its first byte; also how long a new connection may say nothing,
/// and how long the handshake of TLS may take.
pub(crate) const HEAD_MAX: Duration = Duration::from_secs(10);

/// How long a connection may stay open between requests. SDKs keep theirs for a minute at most, and should be
/// the ones who close.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(75);

/// How long a client may take none of what it is sent; in HTTP/2, none of any one answer.
pub(crate) const UNREAD_MAX: Duration = Duration::from_secs(30);

/// The pace of one connection. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Pace(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Requests in work by their numbers, until their answers' bodies are handed over. With each, since when
    /// the next piece of its answer waits to be taken: in HTTP/2 an answer may wait for its client while
    /// others go out.
    requests: BTreeMap<u64, Option<Instant>>,
    next_request: u64,
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
pub(crate) struct InWork {
    pace: Pace,
    number: u64,
}

impl Pace {
    /// The pace of a connection that was just accepted.
    pub(crate) fn new(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(State {
            requests: BTreeMap::new(),
            next_request: 0,
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
        if state.requests.is_empty() && state.waiting == Waiting::Idle && !state.multiplexed {
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
        let number = state.next_request;
        state.next_request += 1;
        state.requests.insert(number, None);
        state.waiting = Waiting::Idle;
        InWork { pace: self.clone(), number }
    }

    /// Whether the client has been too slow.
    pub(crate) fn verdict(&self, now: Instant) -> Option<Slow> {
        let state = self.0.lock();
        let mut unread = state.requests.values().chain([&state.unread_since]).flatten();
        if unread.any(|since| now.duration_since(*since) >= UNREAD_MAX) {
            return Some(Slow::Unread);
        }
        let waited = now.duration_since(state.since);
        match state.waiting {
            _ if !state.requests.is_empty() => None,
            Waiting::Head => (waited >= HEAD_MAX).then_some(Slow::Head),
            Waiting::Idle => (waited >= IDLE_MAX).then_some(Slow::Idle),
        }
    }

    /// Since when it has had no request in work; `None` if it has one.
    pub(crate) fn waiting_since(&self) -> Option<Instant> {
        let state = self.0.lock();
        state.requests.is_empty().then_some(state.since)
    }
}

impl InWork {
    /// A piece of the answer is there, and it is for the client to take it.
    pub(crate) fn offered(&self, now: Instant) {
        self.waits(Some(now));
    }

    /// The client has taken all that is there, and waits for more.
    pub(crate) fn awaited(&self) {
        self.waits(None);
    }

    fn waits(&self, since: Option<Instant>) {
        self.pace.0.lock().requests.insert(self.number, since);
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        let mut state = self.pace.0.lock();
        state.requests.remove(&self.number);
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
    async fn an_answer_that_is_not_taken_is_not_made_up_for_by_others() {
        let start = Instant::now();
        let pace = Pace::new(start);
        let (stuck, streaming) = (pace.begin(), pace.begin());
        stuck.offered(start);
        streaming.offered(start);
        streaming.awaited();
        pace.wrote(true, after(start, UNREAD_MAX));
        assert_eq!(pace.verdict(after(start, UNREAD_MAX)), Some(Slow::Unread));
        drop(stuck);
        assert_eq!(pace.verdict(after(start, IDLE_MAX * 9)), None, "the other waits for us");
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
