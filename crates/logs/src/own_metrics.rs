//! What CloudWatch Logs says about itself: metrics in `AWS/Logs`, a sample a minute.

use std::collections::BTreeMap;
use std::sync::Arc;

use groundwatch_core::{Scope, Timestamp};
use groundwatch_own_metrics::{Meters, Sample, Statistics, Tally, last_read, minute_of, reading_of};
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::incarnation::GroupId;
use crate::store::{Arrival, ArrivalListener, StreamAddress};

const NAMESPACE: &str = "AWS/Logs";
/// Of how many groups arrivals are counted in a minute; more are left out until it is over.
const GROUPS_MAX: usize = 200_000;

/// What is counted. Cheap to clone.
#[derive(Clone)]
pub(crate) struct OwnMetrics {
    arrivals: Arc<Mutex<Arrivals>>,
    others: Arc<Tally>,
}

/// Arrivals by group and minute: the way of every request, so without any text.
type Arrivals = HashMap<(GroupId, Timestamp), Incoming>;

struct Incoming {
    address: Arc<StreamAddress>,
    events: u64,
    bytes: u64,
}

impl OwnMetrics {
    pub(crate) fn new() -> Self {
        Self { arrivals: Arc::default(), others: Arc::new(Tally::new(NAMESPACE)) }
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
        self.others.add(scope, name, dimensions, at, value, unit);
    }
}

impl ArrivalListener for OwnMetrics {
    fn arrived(&self, arrival: &Arrival<'_>) {
        let key = (arrival.address.group_id, minute_of(arrival.ingested));
        let mut arrivals = self.arrivals.lock();
        let is_first = arrivals.is_empty();
        if arrivals.len() < GROUPS_MAX {
            let new = || Incoming { address: arrival.address.clone(), events: 0, bytes: 0 };
            let incoming = arrivals.entry(key).or_insert_with(new);
            incoming.events += arrival.events;
            incoming.bytes += arrival.bytes;
        }
        drop(arrivals);
        if is_first {
            self.others.changed().notify_one();
        }
    }
}

impl Meters for OwnMetrics {
    fn next_due(&self) -> Option<Timestamp> {
        let arrived = self.arrivals.lock().keys().map(|(_, minute)| reading_of(*minute)).min();
        arrived.into_iter().chain(self.others.next_due()).min()
    }

    fn read(&self, now: Timestamp) -> Vec<Sample> {
        let last = last_read(now);
        let ended: Vec<_> = self.arrivals.lock().extract_if(|(_, minute), _| *minute <= last).collect();
        samples(ended).into_iter().chain(self.others.read(now)).collect()
    }

    fn changed(&self) -> &Notify {
        self.others.changed()
    }
}

/// Arrivals for each group, and for all groups together (source: CloudWatch Logs user guide).
fn samples(arrivals: Vec<((GroupId, Timestamp), Incoming)>) -> Vec<Sample> {
    let mut sums: BTreeMap<(Timestamp, Scope, Option<String>), (u64, u64)> = BTreeMap::new();
    for ((_, minute), Incoming { address, events, bytes }) in arrivals {
        for group in [Some(address.group.clone()), None] {
            let sum = sums.entry((minute, address.scope.clone(), group)).or_default();
            *sum = (sum.0 + events, sum.1 + bytes);
        }
    }
    let told = |((minute, scope, group), (events, bytes)): ((_, Scope, Option<String>), (u64, u64))| {
        let sample = move |name, count: u64, unit| Sample {
            scope: scope.clone(),
            namespace: NAMESPACE,
            name,
            dimensions: group.iter().map(|group| ("LogGroupName", group.clone())).collect(),
            minute,
            unit,
            statistics: Statistics::of(count as f64),
        };
        [sample("IncomingBytes", bytes, Some("Bytes")), sample("IncomingLogEvents", events, None)]
    };
    sums.into_iter().flat_map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_count_for_their_group_and_for_all() {
        let metrics = OwnMetrics::new();
        assert_eq!(metrics.next_due(), None);
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
        assert_eq!(metrics.next_due(), Some(Timestamp::from_millis(59_999)));
        let told: Vec<String> = metrics.read(Timestamp::from_secs(60)).iter().map(line).collect();
        let expected = [
            "IncomingBytes{}@0=270",
            "IncomingLogEvents{}@0=9",
            "IncomingBytes{LogGroupName=g1}@0=150",
            "IncomingLogEvents{LogGroupName=g1}@0=5",
            "IncomingBytes{LogGroupName=g2}@0=120",
            "IncomingLogEvents{LogGroupName=g2}@0=4",
        ];
        assert_eq!(told, expected);
    }

    /// `name{dimensions}@minute=sum`.
    fn line(sample: &Sample) -> String {
        let dimensions: Vec<String> =
            sample.dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (minute, sum) = (sample.minute.as_secs(), sample.statistics.sum);
        format!("{}{{{}}}@{minute}={sum}", sample.name, dimensions.join(","))
    }
}
