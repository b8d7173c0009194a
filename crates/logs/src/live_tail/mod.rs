//! Live tail: hands stored events to the sessions that follow them.
//!
//! Whoever stores events [publishes](LiveTail::publish) them before it acknowledges them. Each [`Session`]
//! takes a [`Sample`] of what it wants, which its [`Updates`] send on a few times a second. A session that is
//! not read keeps no more than a sample.

mod sample;
mod session;
mod updates;

pub(crate) use session::{Following, Session, StreamChoice, Wanted};
pub(crate) use updates::Updates;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use groundwatch_core::{Scope, Timestamp};
use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::error::LogsError;
use crate::incarnation::GroupId;
use crate::store::StreamAddress;

/// How many sessions an account may have at a time in a region. Source: CloudWatch Logs quotas, Live Tail.
pub(crate) const SESSIONS_MAX: usize = 15;

/// All sessions. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct LiveTail {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// How many there are, so that storing events costs next to nothing while nobody looks.
    count: AtomicUsize,
    sessions: RwLock<Sessions>,
}

#[derive(Debug, Default)]
struct Sessions {
    by_group: HashMap<GroupId, Vec<Arc<Session>>>,
    by_scope: HashMap<Scope, usize>,
}

/// A stored event on its way to sessions.
#[derive(Debug)]
pub(crate) struct TailedEvent {
    pub group: String,
    pub stream: String,
    pub timestamp: Timestamp,
    pub ingested: Timestamp,
    pub message: String,
}

impl LiveTail {
    /// Begins a session. It ends when the result is dropped.
    pub(crate) fn follow(&self, scope: &Scope, wanted: Wanted) -> Result<Following, LogsError> {
        let session = Arc::new(Session::new(scope.clone(), wanted));
        let mut sessions = self.inner.sessions.write();
        let of_scope = sessions.by_scope.entry(scope.clone()).or_default();
        if *of_scope >= SESSIONS_MAX {
            return Err(LogsError::TooManySessions);
        }
        *of_scope += 1;
        for group in session.groups() {
            sessions.by_group.entry(*group).or_default().push(Arc::clone(&session));
        }
        self.inner.count.fetch_add(1, Ordering::Release);
        Ok(Following::new(self.clone(), session))
    }

    fn forget(&self, session: &Arc<Session>) {
        let mut sessions = self.inner.sessions.write();
        for group in session.groups() {
            if let Some(of_group) = sessions.by_group.get_mut(group) {
                of_group.retain(|other| !Arc::ptr_eq(other, session));
                if of_group.is_empty() {
                    sessions.by_group.remove(group);
                }
            }
        }
        if let Some(of_scope) = sessions.by_scope.get_mut(session.scope()) {
            *of_scope -= 1;
            if *of_scope == 0 {
                sessions.by_scope.remove(session.scope());
            }
        }
        self.inner.count.fetch_sub(1, Ordering::Release);
    }

    /// Hands stored events, as (milliseconds since 1970, text), to the sessions that want them.
    pub(crate) fn publish<'e>(
        &self,
        address: &StreamAddress,
        ingested: Timestamp,
        events: &(impl Iterator<Item = (i64, &'e [u8])> + Clone),
    ) {
        if self.inner.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let sessions = self.inner.sessions.read();
        for session in sessions.by_group.get(&address.group_id).into_iter().flatten() {
            if session.wants_stream(&address.stream) {
                session.offer(address, ingested, events.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incarnation::LogStreamId;
    use crate::pattern::{Matcher, Pattern};

    fn wanted(groups: &[GroupId], streams: StreamChoice, pattern: &str) -> Wanted {
        let matcher = Matcher::new(&Pattern::parse(pattern).expect("a pattern"));
        Wanted { groups: groups.to_vec(), streams, matcher }
    }

    fn address(group_id: GroupId, stream: &str) -> StreamAddress {
        StreamAddress {
            scope: Scope::default(),
            group: "app".into(),
            group_id,
            stream: stream.into(),
            stream_id: LogStreamId::random(),
        }
    }

    #[test]
    fn sessions_get_what_they_want_and_nothing_else() {
        let (live_tail, group) = (LiveTail::default(), GroupId::random());
        let check = |choice: StreamChoice, pattern: &str, expected: &[&str]| {
            let following =
                live_tail.follow(&Scope::default(), wanted(&[group], choice, pattern)).expect("few sessions");
            for (group_id, stream, message) in [
                (group, "web-1", "ERROR a"),
                (group, "web-2", "INFO b"),
                (GroupId::random(), "web-1", "ERROR c"),
            ] {
                live_tail.publish(
                    &address(group_id, stream),
                    Timestamp::EPOCH,
                    &[(1, message.as_bytes())].into_iter(),
                );
            }
            let (events, sampled) = following.take();
            let messages: Vec<_> = events.iter().map(|event| event.message.as_str()).collect();
            assert_eq!((messages.as_slice(), sampled), (expected, false));
        };
        check(StreamChoice::All, "", &["ERROR a", "INFO b"]);
        check(StreamChoice::All, "ERROR", &["ERROR a"]);
        check(StreamChoice::Names(["web-2".to_owned()].into()), "", &["INFO b"]);
        check(StreamChoice::Prefixes(vec!["db-".into(), "web".into()]), "", &["ERROR a", "INFO b"]);
        check(StreamChoice::Prefixes(vec!["db-".into()]), "", &[]);
    }

    #[test]
    fn an_account_has_fifteen_sessions_and_gets_room_back() {
        let live_tail = LiveTail::default();
        let follow =
            |scope: &Scope| live_tail.follow(scope, wanted(&[GroupId::random()], StreamChoice::All, ""));
        let mut held: Vec<_> = (0..SESSIONS_MAX).map(|_| follow(&Scope::default()).expect("room")).collect();
        assert!(matches!(follow(&Scope::default()), Err(LogsError::TooManySessions)));
        let other = Scope { account: "123456789012".parse().expect("an account"), ..Scope::default() };
        assert!(follow(&other).is_ok(), "another account has its own");
        held.pop();
        held.push(follow(&Scope::default()).expect("room again"));
        drop(held);
        let sessions = live_tail.inner.sessions.read();
        assert!(sessions.by_group.is_empty() && sessions.by_scope.is_empty(), "{sessions:?}");
    }
}
