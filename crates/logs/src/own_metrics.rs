//! What CloudWatch Logs says about itself: metrics in `AWS/Logs`, a sample a minute.
//!
//! Counts are collected in memory and given to the [`MetricSink`] when their minute is over, so that an event
//! costs an addition and not a sample. A server that ends takes the counts of its last minute with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use groundwatch_core::{Activity, BoxFuture, Scope, Timestamp};
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::incarnation::GroupId;
use crate::metric_sink::{MetricDatum, MetricSink};
use crate::store::{Arrival, ArrivalListener, StreamAddress};

const NAMESPACE: &str = "AWS/Logs";
const MINUTE_SECS: u32 = 60;
/// How many different counts wait at most; more are left out until the minute is over.
const COUNTS_MAX: usize = 200_000;

/// Collects counts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct OwnMetrics {
    inner: Arc<Inner>,
}

struct Inner {
    sink: Arc<dyn MetricSink>,
    counts: Mutex<Counts>,
    /// Notified when there is something to count at all.
    changed: Notify,
}

#[derive(Default)]
struct Counts {
    /// Of arrivals, by group and minute: the way of every request, so without any text.
    incoming: HashMap<(GroupId, Timestamp), Incoming>,
    others: BTreeMap<Name, f64>,
}

struct Incoming {
    address: Arc<StreamAddress>,
    events: u64,
    bytes: u64,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    scope: Scope,
    name: &'static str,
    dimensions: Vec<(&'static str, String)>,
    minute: Timestamp,
    unit: Option<&'static str>,
}

impl Counts {
    fn len(&self) -> usize {
        self.incoming.len() + self.others.len()
    }

    /// The earliest minute of which something was counted.
    fn first_minute(&self) -> Option<Timestamp> {
        let incoming = self.incoming.keys().map(|(_, minute)| *minute).min();
        let others = self.others.keys().map(|name| name.minute).min();
        incoming.into_iter().chain(others).min()
    }

    /// Takes out what belongs to minutes before `end`.
    fn take_before(&mut self, end: Timestamp) -> BTreeMap<Name, f64> {
        let mut taken: BTreeMap<Name, f64> = BTreeMap::new();
        let mut add = |scope: &Scope, name, dimensions: Vec<_>, minute, value: u64, unit| {
            let name = Name { scope: scope.clone(), name, dimensions, minute, unit };
            *taken.entry(name).or_default() += value as f64;
        };
        for ((_, minute), incoming) in self.incoming.extract_if(|(_, minute), _| *minute < end) {
            let scope = &incoming.address.scope;
            // For the group, and for all groups together (source: CloudWatch Logs user guide).
            for dimensions in [vec![("LogGroupName", incoming.address.group.clone())], Vec::new()] {
                add(scope, "IncomingLogEvents", dimensions.clone(), minute, incoming.events, None);
                add(scope, "IncomingBytes", dimensions, minute, incoming.bytes, Some("Bytes"));
            }
        }
        let others = std::mem::take(&mut self.others).into_iter();
        let (ended, going_on) = others.partition(|(name, _)| name.minute < end);
        self.others = going_on;
        taken.extend::<BTreeMap<Name, f64>>(ended);
        taken
    }
}

impl OwnMetrics {
    pub(crate) fn new(sink: Arc<dyn MetricSink>) -> Self {
        Self { inner: Arc::new(Inner { sink, counts: Mutex::default(), changed: Notify::new() }) }
    }

    /// Adds `value` to what was counted of that metric in the minute of `at`. `dimensions` are sorted by
    /// name.
    pub(crate) fn add(
        &self,
        scope: &Scope,
        name: &'static str,
        dimensions: &[(&'static str, String)],
        at: Timestamp,
        value: f64,
        unit: Option<&'static str>,
    ) {
        let minute = at.floor_to(MINUTE_SECS);
        let name = Name { scope: scope.clone(), name, dimensions: dimensions.to_vec(), minute, unit };
        self.count(|counts| *counts.others.entry(name).or_default() += value);
    }

    fn count(&self, count: impl FnOnce(&mut Counts)) {
        let mut counts = self.inner.counts.lock();
        let is_first = counts.len() == 0;
        if counts.len() < COUNTS_MAX {
            count(&mut counts);
        }
        drop(counts);
        if is_first {
            self.inner.changed.notify_one();
        }
    }

    async fn publish(&self, now: Timestamp) {
        let ended = self.inner.counts.lock().take_before(now.floor_to(MINUTE_SECS));
        let mut of_scope: BTreeMap<Scope, Vec<MetricDatum>> = BTreeMap::new();
        for (name, value) in ended {
            let Name { scope, name, dimensions, minute, unit } = name;
            of_scope.entry(scope).or_default().push(MetricDatum {
                namespace: NAMESPACE.to_owned(),
                name: name.to_owned(),
                dimensions: dimensions.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                at: minute,
                values: vec![value],
                unit: unit.map(str::to_owned),
            });
        }
        for (scope, data) in of_scope {
            if let Err(error) = self.inner.sink.put(&scope, data).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a minute of the metrics about logs is lost");
            }
        }
    }
}

impl ArrivalListener for OwnMetrics {
    fn arrived(&self, arrival: &Arrival<'_>) {
        let key = (arrival.address.group_id, arrival.ingested.floor_to(MINUTE_SECS));
        self.count(|counts| {
            let incoming = counts.incoming.entry(key).or_insert_with(|| Incoming {
                address: arrival.address.clone(),
                events: 0,
                bytes: 0,
            });
            incoming.events += arrival.events;
            incoming.bytes += arrival.bytes;
        });
    }
}

/// Publishes what was counted, each minute that had something.
pub struct LogMetricsActivity(OwnMetrics);

impl LogMetricsActivity {
    pub(crate) fn new(metrics: OwnMetrics) -> Self {
        Self(metrics)
    }
}

impl Activity for LogMetricsActivity {
    fn name(&self) -> &'static str {
        "log-metrics"
    }

    fn next_due(&self) -> Option<Timestamp> {
        let first = self.0.inner.counts.lock().first_minute()?;
        Some(first + std::time::Duration::from_secs(u64::from(MINUTE_SECS)))
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(self.0.publish(now))
    }

    fn changed(&self) -> &Notify {
        &self.0.inner.changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric_sink::{AdmittedMetrics, SinkError};

    /// Keeps what it gets, as `name{dimensions}@minute=value`.
    #[derive(Default)]
    struct Notebook(Mutex<Vec<String>>);

    impl MetricSink for Notebook {
        fn admit<'a>(
            &'a self,
            _: &'a Scope,
            _: Vec<MetricDatum>,
        ) -> BoxFuture<'a, Result<Box<dyn AdmittedMetrics + 'a>, SinkError>> {
            Box::pin(async { Err(SinkError::Overloaded) })
        }

        fn put<'a>(&'a self, _: &'a Scope, data: Vec<MetricDatum>) -> BoxFuture<'a, Result<(), SinkError>> {
            let line = |datum: &MetricDatum| {
                let dimensions: Vec<String> =
                    datum.dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!(
                    "{}{{{}}}@{}={}",
                    datum.name,
                    dimensions.join(","),
                    datum.at.as_secs(),
                    datum.values[0]
                )
            };
            self.0.lock().extend(data.iter().map(line));
            Box::pin(async { Ok(()) })
        }
    }

    #[tokio::test]
    async fn a_minute_is_published_when_it_is_over() {
        let sink = Arc::new(Notebook::default());
        let metrics = OwnMetrics::new(sink.clone());
        let activity = LogMetricsActivity::new(metrics.clone());
        assert_eq!(activity.next_due(), None);
        let dimensions = [("LogGroupName", "g".to_owned())];
        for (secs, value) in [(61, 1.0), (119, 2.0), (120, 4.0)] {
            let at = Timestamp::from_secs(secs);
            metrics.add(&Scope::default(), "DeliveryErrors", &dimensions, at, value, None);
        }
        assert_eq!(activity.next_due(), Some(Timestamp::from_secs(120)));
        activity.run(Timestamp::from_secs(120)).await;
        assert_eq!(*sink.0.lock(), ["DeliveryErrors{LogGroupName=g}@60=3"]);
        assert_eq!(activity.next_due(), Some(Timestamp::from_secs(180)));
    }

    #[tokio::test]
    async fn arrivals_count_for_their_group_and_for_all() {
        let sink = Arc::new(Notebook::default());
        let metrics = OwnMetrics::new(sink.clone());
        for (group, events) in [(1, 2), (1, 3), (2, 4)] {
            let address = Arc::new(StreamAddress {
                scope: Scope::default(),
                group: format!("g{group}"),
                group_id: GroupId::from_u128(group),
                stream: "s".to_owned(),
                stream_id: crate::incarnation::LogStreamId::from_u128(1),
            });
            let ingested = Timestamp::from_secs(5);
            metrics.arrived(&Arrival {
                address: &address,
                sequence: 1,
                ingested,
                last_event: ingested,
                events,
                bytes: events * 30,
            });
        }
        LogMetricsActivity::new(metrics).run(Timestamp::from_secs(60)).await;
        let expected = [
            "IncomingBytes{}@0=270",
            "IncomingBytes{LogGroupName=g1}@0=150",
            "IncomingBytes{LogGroupName=g2}@0=120",
            "IncomingLogEvents{}@0=9",
            "IncomingLogEvents{LogGroupName=g1}@0=5",
            "IncomingLogEvents{LogGroupName=g2}@0=4",
        ];
        assert_eq!(*sink.0.lock(), expected);
    }
}
