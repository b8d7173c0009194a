//! The service: what the server opens, routes operations to, and drives in the background.

use std::sync::Arc;

use groundwatch_core::{Activity, SharedClock};
use groundwatch_outbound::Outbound;
use groundwatch_storage::{Catalog, StorageError};

use crate::effects::delivery::Notifier;
use crate::effects::event::EventSink;
use crate::effects::outbox::{Outbox, Ways};
use crate::evaluation::cadence::Timing;
use crate::evaluation::evaluator::Evaluator;
use crate::follower::Follower;
use crate::mute::MuteRules;
use crate::reader::MetricReader;
use crate::retention::HistoryRetention;
use crate::store::AlarmStore;

/// CloudWatch's alarms. Implements `Handle` for their operations (see `operations`).
pub struct Alarms {
    pub(crate) store: Arc<AlarmStore>,
    pub(crate) reader: Arc<dyn MetricReader>,
    pub(crate) clock: SharedClock,
    pub(crate) evaluator: Arc<Evaluator>,
    pub(crate) mutes: Arc<MuteRules>,
    follower: Arc<Follower>,
    outbox: Arc<Outbox>,
    retention: Arc<HistoryRetention>,
}

/// What alarms need from others.
pub struct Dependencies {
    /// Reads datapoints.
    pub reader: Arc<dyn MetricReader>,
    /// Publishes to SNS topics.
    pub notifier: Arc<dyn Notifier>,
    /// Where actions go that are no topics.
    pub outbound: Outbound,
    /// Takes events, once there is an event bus.
    pub events: Option<Arc<dyn EventSink>>,
}

impl Alarms {
    /// Opens the alarms that `catalog` holds.
    pub fn open(
        catalog: &Catalog,
        clock: SharedClock,
        timing: Timing,
        dependencies: Dependencies,
    ) -> Result<Self, StorageError> {
        let Dependencies { reader, notifier, outbound, events } = dependencies;
        let mutes = Arc::new(MuteRules::open(catalog)?);
        let evaluations = Arc::default();
        let ways = Ways { notifier, outbound, events };
        let outbox =
            Arc::new(Outbox::open(catalog, clock.clone(), ways, mutes.clone(), Arc::clone(&evaluations))?);
        let store = Arc::new(AlarmStore::open(catalog, outbox.clone(), mutes.clone())?);
        let evaluator =
            Arc::new(Evaluator::new(store.clone(), reader.clone(), clock.clone(), timing, evaluations));
        let follower = Arc::new(Follower::new(store.clone(), clock.clone()));
        let retention = Arc::new(HistoryRetention::new(store.clone(), clock.clone()));
        Ok(Self { store, reader, clock, evaluator, mutes, follower, outbox, retention })
    }

    /// The background work, which the server drives: evaluation, what follows from it, actions, and
    /// forgetting old history. In this order what is due at the same moment: composite alarms see what metric
    /// alarms have become.
    pub fn activities(&self) -> Vec<Arc<dyn Activity>> {
        vec![self.evaluator.clone(), self.follower.clone(), self.outbox.clone(), self.retention.clone()]
    }
}
