//! The value of metric math: of the entry of `Metrics` that is returned.
//!
//! An alarm reads each metric over its own range of periods, which slide with the alarm, and evaluates the
//! expressions over those datapoints: AWS warns that functions over the whole range, such as `MAX(m1)`,
//! therefore see more periods than the alarm evaluates.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use groundwatch_core::Timestamp;
use groundwatch_metric_math::{self as language, EntryError, Environment, Series, Symbol, TimeRange, Value};

use crate::definition::math_query::MathQuery;
use crate::reader::{MetricQuery, Point};

impl MathQuery {
    /// The datapoints of the returned entry, `read` being those of the metrics over the periods from `from`
    /// to `to`.
    ///
    /// Errors are those of values that only evaluation knows, such as series without a common period.
    pub fn evaluate(
        &self,
        read: &[(&str, Vec<Point>)],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Point>, EntryError> {
        let returned = self.entries.iter().find(|entry| entry.returned && !self.is_band(entry));
        let Some(returned) = returned else { return Ok(Vec::new()) };
        let points_of = |id: &str| read.iter().find(|(read, _)| *read == id).map(|(_, points)| points);
        if let Some(points) = points_of(&returned.id) {
            return Ok(points.clone());
        }
        let range =
            TimeRange { start_secs: from.as_secs(), end_secs: to.as_secs(), aligned_at_secs: from.as_secs() };
        let period = NonZeroU32::new(self.period_secs).unwrap_or(NonZeroU32::MIN);
        let values = self.metrics().map(|(id, metric)| {
            let points = points_of(id).map_or(&[][..], Vec::as_slice);
            (id, Value::Series(series(metric, period, points)))
        });
        let mut known = Known { values: values.collect(), metrics: self, range, period };
        for (entry, expression) in self.ordered()? {
            if self.is_band(entry) {
                continue;
            }
            let failed = |source| EntryError { id: entry.id.clone(), source };
            let checked = expression.check(|id| known.symbol(id)).map_err(failed)?;
            let value = checked.evaluate(&known).map_err(failed)?;
            known.values.insert(entry.id.as_str(), value);
        }
        Ok(match known.values.remove(returned.id.as_str()) {
            Some(Value::Series(series)) => computed(&series),
            _ => Vec::new(),
        })
    }
}

/// What is known while expressions are evaluated one after the other.
struct Known<'a> {
    values: BTreeMap<&'a str, Value>,
    metrics: &'a MathQuery,
    range: TimeRange,
    period: NonZeroU32,
}

impl Known<'_> {
    fn symbol(&self, id: &str) -> Option<Symbol> {
        let value = self.values.get(id)?;
        let is_metric = self.metrics.metrics().any(|(metric, _)| metric == id);
        Some(if is_metric { Symbol::Metric } else { Symbol::Expression(value.value_type()) })
    }
}

impl Environment for Known<'_> {
    fn value(&self, id: &str) -> Option<Value> {
        self.values.get(id).cloned()
    }

    fn metric_ids(&self) -> Vec<&str> {
        self.metrics.metrics().map(|(id, _)| id).collect()
    }

    fn range(&self) -> TimeRange {
        self.range
    }

    fn period_secs(&self) -> Option<NonZeroU32> {
        Some(self.period)
    }
}

fn series(metric: &MetricQuery, period: NonZeroU32, points: &[Point]) -> Series {
    let points = points
        .iter()
        .map(|point| language::Point { timestamp_secs: point.timestamp.as_secs(), value: point.value });
    let roll_up = language::RollUp::of_statistic(metric.statistic.as_str());
    Series::new(metric.metric_name.as_str(), period, points.collect()).with_roll_up(roll_up)
}

/// A computed datapoint rests on no samples of its own.
fn computed(series: &Series) -> Vec<Point> {
    let points = series.points().iter().map(|point| Point {
        timestamp: Timestamp::from_secs(point.timestamp_secs),
        value: point.value,
        sample_count: 0.0,
        band: None,
    });
    points.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::math_query::MathEntry;
    use crate::testing::{math_expression as expression, math_metric as metric};

    /// What `entries` are worth over three periods that begin at 12:01, with these values of `a` and `b`.
    fn values(entries: Vec<MathEntry>, a: [Option<f64>; 3], b: [Option<f64>; 3]) -> Vec<(i64, f64)> {
        let from = Timestamp::parse_iso8601("2026-01-02T12:01Z").expect("a moment");
        let points = |values: [Option<f64>; 3]| {
            let starts = (0..3).map(|index| from.as_secs() + 300 * index);
            let points = starts.zip(values).filter_map(|(secs, value)| {
                Some(Point {
                    timestamp: Timestamp::from_secs(secs),
                    value: value?,
                    sample_count: 1.0,
                    band: None,
                })
            });
            points.collect::<Vec<_>>()
        };
        let query = MathQuery { entries, period_secs: 300, insights: None, band: None };
        query.check().expect("good expressions");
        let read = [("a", points(a)), ("b", points(b))];
        let found = query.evaluate(&read, from, Timestamp::from_secs(from.as_secs() + 900)).expect("values");
        found
            .into_iter()
            .map(|point| ((point.timestamp.as_secs() - from.as_secs()) / 300, point.value))
            .collect()
    }

    #[test]
    fn expressions_are_computed_over_sliding_periods() {
        let (a, b) = ([Some(1.0), Some(2.0), Some(3.0)], [Some(2.0), None, Some(4.0)]);
        let of = |text: &str| {
            let entries = vec![expression("e", text, true), metric("a", false), metric("b", false)];
            values(entries, a, b)
        };
        assert_eq!(of("a / b * 100"), [(0, 50.0), (2, 75.0)], "a missing operand leaves a gap");
        assert_eq!(of("a + FILL(b, 0)"), [(0, 3.0), (1, 2.0), (2, 7.0)]);
        assert_eq!(of("SUM(METRICS())"), [(0, 3.0), (1, 2.0), (2, 7.0)]);
        assert_eq!(of("a - MAX(a)"), [(0, -2.0), (1, -1.0), (2, 0.0)]);
    }

    #[test]
    fn expressions_may_come_in_any_order() {
        let entries =
            vec![expression("top", "half + 1", true), expression("half", "a / 2", false), metric("a", false)];
        assert_eq!(values(entries, [Some(2.0), None, None], [None; 3]), [(0, 2.0)]);
    }

    #[test]
    fn a_metric_may_be_returned_itself() {
        let entries = vec![metric("a", true)];
        assert_eq!(values(entries, [Some(2.0), None, None], [None; 3]), [(0, 2.0)]);
    }
}
