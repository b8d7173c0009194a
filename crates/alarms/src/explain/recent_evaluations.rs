//! The last evaluations of each alarm, kept in memory so that they can be explained.
//!
//! Bounded twice: so many for each alarm, and so many bytes in all (160 an evaluation and 48 a point); then
//! the oldest go first. They are gone after a restart, and can be recomputed from what is stored.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use groundwatch_core::Timestamp;
use groundwatch_storage::Key;

use crate::alarm::StateValue;
use crate::definition::MetricDefinition;
use crate::reader::Point;

/// How many evaluations of one alarm are kept.
pub(crate) const KEPT_PER_ALARM: usize = 16;

/// How many bytes all of them may take, by estimate.
const BYTES_MAX: usize = 32 << 20;

/// What an evaluation costs besides its points: the record, its key in the order, and what maps and queues
/// add.
const RECORD_BYTES: usize = 160;

/// One evaluation, as far as it cannot be recomputed.
#[derive(Clone, Debug)]
pub(crate) struct EvaluationRecord {
    pub(crate) at: Timestamp,
    /// The definition that was evaluated.
    pub(crate) definition: Arc<MetricDefinition>,
    /// The datapoints that were read.
    pub(crate) points: Box<[Point]>,
    /// The state before.
    pub(crate) before: StateValue,
    /// When the alarm was to be evaluated next, if no samples came; `None`: not before some do.
    pub(crate) next: Option<Timestamp>,
}

impl EvaluationRecord {
    fn bytes(&self) -> usize {
        RECORD_BYTES + size_of_val(&*self.points)
    }
}

/// The last evaluations of all alarms.
#[derive(Default)]
pub(crate) struct Evaluations {
    by_alarm: HashMap<Arc<Key>, VecDeque<EvaluationRecord>>,
    /// Whose evaluation is the oldest, the next oldest, …: an alarm is in it once an evaluation.
    order: VecDeque<Arc<Key>>,
    bytes: usize,
}

impl Evaluations {
    /// Keeps `record` of the alarm `key`, and drops what is too much.
    pub(crate) fn note(&mut self, key: &Key, record: EvaluationRecord) {
        self.bytes += record.bytes();
        match self.by_alarm.get_mut(key) {
            Some(kept) if kept.len() == KEPT_PER_ALARM => {
                // Its place in the order goes to the new one.
                self.bytes -= kept.pop_front().map_or(0, |record| record.bytes());
                kept.push_back(record);
            }
            _ => self.keep_one_more(key, record),
        }
        while self.bytes > BYTES_MAX {
            let Some(oldest) = self.order.pop_front() else { return };
            self.drop_oldest_of(&oldest);
        }
    }

    fn keep_one_more(&mut self, key: &Key, record: EvaluationRecord) {
        let key =
            self.by_alarm.get_key_value(key).map_or_else(|| Arc::new(key.clone()), |(key, _)| key.clone());
        self.by_alarm.entry(key.clone()).or_default().push_back(record);
        self.order.push_back(key);
    }

    /// The evaluations of one alarm, newest first.
    pub(crate) fn of(&self, key: &Key) -> Vec<EvaluationRecord> {
        self.by_alarm.get(key).into_iter().flatten().rev().cloned().collect()
    }

    /// The newest datapoint that the last evaluation of an alarm read.
    pub(crate) fn newest_value(&self, key: &Key) -> Option<f64> {
        let points = &self.by_alarm.get(key)?.back()?.points;
        points.iter().max_by_key(|point| point.timestamp).map(|point| point.value)
    }

    /// Drops those of an alarm that is gone.
    pub(crate) fn forget(&mut self, key: &Key) {
        let gone = self.by_alarm.remove(key).into_iter().flatten();
        self.bytes -= gone.map(|record| record.bytes()).sum::<usize>();
        self.order.retain(|kept| **kept != *key);
    }

    fn drop_oldest_of(&mut self, key: &Key) {
        let Some(kept) = self.by_alarm.get_mut(key) else { return };
        self.bytes -= kept.pop_front().map_or(0, |record| record.bytes());
        if kept.is_empty() {
            self.by_alarm.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{definition, key};

    fn record(at_secs: i64, points: usize) -> EvaluationRecord {
        let point = Point { timestamp: Timestamp::EPOCH, value: 1.0, sample_count: 1.0, band: None };
        EvaluationRecord {
            at: Timestamp::from_secs(at_secs),
            definition: Arc::new(definition().build()),
            points: vec![point; points].into(),
            before: StateValue::Ok,
            next: None,
        }
    }

    #[test]
    fn an_alarm_keeps_its_last_evaluations() {
        let mut evaluations = Evaluations::default();
        for second in 0..100 {
            evaluations.note(&key("cpu"), record(second, 3));
        }
        let kept: Vec<_> = evaluations.of(&key("cpu")).iter().map(|record| record.at.as_secs()).collect();
        assert_eq!(kept, (84..100).rev().collect::<Vec<_>>());
        assert_eq!(evaluations.order.len(), KEPT_PER_ALARM);
    }

    #[test]
    fn all_together_stay_within_their_bytes() {
        let mut evaluations = Evaluations::default();
        for number in 0..1000 {
            evaluations.note(&key(&number.to_string()), record(number, 2000));
        }
        assert!(evaluations.bytes <= BYTES_MAX);
        assert!(evaluations.of(&key("0")).is_empty());
        assert_eq!(evaluations.of(&key("999")).len(), 1);
        let counted: usize = evaluations.by_alarm.values().flatten().map(EvaluationRecord::bytes).sum();
        assert_eq!(counted, evaluations.bytes);
    }
}
