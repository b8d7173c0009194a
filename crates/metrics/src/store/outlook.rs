//! What an alarm needs in order to tell when it must look again: where in each period its samples lie, and
//! whether there are more of them after the range.

use groundwatch_core::Timestamp;

use super::{MetricStore, SeriesId};
use crate::query::Window;
use crate::statistics::{PeriodSamples, Statistic};
use crate::{MetricError, Period, Second, Unit};

/// A period that has samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FilledPeriod {
    /// The beginning of the period.
    pub timestamp: Timestamp,
    /// The statistic; `None` where these samples have none.
    pub value: Option<f64>,
    /// How many samples the period has.
    pub sample_count: f64,
    /// The moment of its first sample.
    pub oldest: Timestamp,
    /// The moment of its last sample.
    pub newest: Timestamp,
}

/// The periods of a range that have samples, and what follows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlook {
    /// Ascending.
    pub periods: Vec<FilledPeriod>,
    /// Whether the metric has no sample at the end of the range or after it, of any unit.
    pub is_last: bool,
}

impl MetricStore {
    /// See [`MetricWatch::outlook`](super::MetricWatch::outlook).
    pub(super) async fn outlook(
        &self,
        id: SeriesId,
        statistic: &Statistic,
        period: Period,
        unit: Option<Unit>,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Option<Outlook>, MetricError> {
        let window = Window::sliding(from, to, period);
        let latest = self.inner.shards[id.shard()].lock().latest(id);
        let fill = |start: Second, samples: &PeriodSamples<'_>| Some(filled(start, samples, statistic));
        let mut by_unit = self.read_series(id, window, unit, fill).await?;
        if by_unit.len() > 1 {
            return Ok(None);
        }
        let periods = by_unit.pop_first().map(|(_, periods)| periods).unwrap_or_default();
        Ok(Some(Outlook { periods, is_last: latest.is_none_or(|latest| latest < window.until) }))
    }
}

/// `samples` are sorted and not empty.
fn filled(start: Second, samples: &PeriodSamples<'_>, statistic: &Statistic) -> FilledPeriod {
    let PeriodSamples { plain, shapes, sets } = samples;
    let firsts = [plain.first(), shapes.first()].map(|seen| seen.map(|seen| seen.second));
    let lasts = [plain.last(), shapes.last()].map(|seen| seen.map(|seen| seen.second));
    let first_set = sets.first().map(|sample| sample.second);
    let last_set = sets.last().map(|sample| sample.second);
    let summary = samples.summary();
    FilledPeriod {
        timestamp: start.timestamp(),
        value: summary.and_then(|_| samples.evaluate(statistic)),
        sample_count: summary.map_or(0.0, |summary| summary.sample_count),
        oldest: firsts.into_iter().chain([first_set]).flatten().min().unwrap_or(start).timestamp(),
        newest: lasts.into_iter().chain([last_set]).flatten().max().unwrap_or(start).timestamp(),
    }
}
