//! One session: what it follows, and what waits to be sent to it.

use std::sync::Arc;

use groundwatch_core::{Scope, Timestamp};
use hashbrown::HashSet;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::sample::Sample;
use super::{LiveTail, TailedEvent};
use crate::incarnation::GroupId;
use crate::pattern::Matcher;
use crate::store::StreamAddress;

/// What a session follows.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub groups: Vec<GroupId>,
    pub streams: StreamChoice,
    pub matcher: Matcher,
}

/// Which streams of its groups it follows, those to come included.
#[derive(Debug)]
pub(crate) enum StreamChoice {
    All,
    Names(HashSet<String>),
    Prefixes(Vec<String>),
}

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    scope: Scope,
    wanted: Wanted,
    waiting: Mutex<Sample>,
    arrived: Notify,
}

impl Session {
    pub(super) fn new(scope: Scope, wanted: Wanted) -> Self {
        Self { scope, wanted, waiting: Mutex::default(), arrived: Notify::new() }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(super) fn groups(&self) -> &[GroupId] {
        &self.wanted.groups
    }

    pub(super) fn wants_stream(&self, stream: &str) -> bool {
        match &self.wanted.streams {
            StreamChoice::All => true,
            StreamChoice::Names(names) => names.contains(stream),
            StreamChoice::Prefixes(prefixes) => {
                prefixes.iter().any(|prefix| stream.starts_with(prefix.as_str()))
            }
        }
    }

    /// Takes what matches of the events of one request.
    pub(super) fn offer<'e>(
        &self,
        address: &StreamAddress,
        ingested: Timestamp,
        events: impl Iterator<Item = (i64, &'e [u8])>,
    ) {
        let matching = events.filter(|(_, message)| self.wanted.matcher.matches(message));
        let mut waiting = self.waiting.lock();
        let mut arrived = false;
        for (timestamp, message) in matching {
            arrived = true;
            waiting.offer(|| {
                Arc::new(TailedEvent {
                    group: address.group.clone(),
                    stream: address.stream.clone(),
                    timestamp: Timestamp::from_millis(timestamp),
                    ingested,
                    message: String::from_utf8_lossy(message).into_owned(),
                })
            });
        }
        drop(waiting);
        if arrived {
            self.arrived.notify_one();
        }
    }
}

/// A session that goes on until this is dropped.
#[derive(Debug)]
pub(crate) struct Following {
    live_tail: LiveTail,
    session: Arc<Session>,
}

impl Following {
    pub(super) fn new(live_tail: LiveTail, session: Arc<Session>) -> Self {
        Self { live_tail, session }
    }

    /// Waits until there is something to take.
    pub(super) async fn arrived(&self) {
        while self.session.waiting.lock().is_empty() {
            self.session.arrived.notified().await;
        }
    }

    /// What arrived since this was last called, and whether that is a sample.
    pub(super) fn take(&self) -> (Vec<Arc<TailedEvent>>, bool) {
        self.session.waiting.lock().take()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.live_tail.forget(&self.session);
    }
}
