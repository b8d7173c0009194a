//! Why an answer is as it is: which series each query matched, where their samples are, and what was left out
//! and why.
//!
//! Made after the fact from the same plan, so that answering costs nothing more for those who do not ask. AWS
//! has nothing like it; `docs/explain.md` tells users how to read it.

use std::collections::BTreeMap;

use groundwatch_core::Scope;
use groundwatch_metric_selection::insights::MAX_METRICS;
use groundwatch_metric_selection::search::{self, MAX_SERIES};
use serde::Serialize;

use super::plan::{Entry, Plan, Source};
use super::search::ACTIVE;
use super::{EvaluationRange, MetricStat, insights};
use crate::query::Window;
use crate::statistics::PeriodSamples;
use crate::store::SeriesId;
use crate::{ListFilter, MetricError, MetricId, MetricStore, Second, Unit};

/// Series that one explanation describes; further ones are only counted.
const DESCRIBED_MAX: usize = 100;
/// Namesakes that are counted.
const NAMESAKES_MAX: usize = 1000;

/// Of all queries.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explanation {
    pub(crate) queries: Vec<ExplainedQuery>,
}

/// Of one query, or of one SEARCH in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplainedQuery {
    pub(crate) id: String,
    /// `metric`, `search`, `metrics-insights` or `metric-math`.
    pub(crate) kind: &'static str,
    /// The periods that were read: the beginning of the first, and the end of the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) range: Option<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) period_secs: Option<u32>,
    /// How many series it reads.
    pub(crate) series_matched: usize,
    /// The first of them.
    pub(crate) series: Vec<ExplainedSeries>,
    /// What is not in the answer, and why.
    pub(crate) dropped: Vec<String>,
}

/// A series, and where its samples are.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplainedSeries {
    pub(crate) namespace: String,
    pub(crate) metric_name: String,
    pub(crate) dimensions: BTreeMap<String, String>,
    /// Of whose data points are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<&'static str>,
    /// About how many samples in memory were looked at.
    pub(crate) samples_in_memory: u64,
    /// In which blocks the others lie.
    pub(crate) blocks: Vec<String>,
    /// How many rows of these were looked at.
    pub(crate) rows_in_blocks: u64,
}

impl MetricStore {
    /// Explains the answer to `plan`.
    pub(crate) async fn explain(
        &self,
        scope: &Scope,
        plan: &Plan,
        range: &EvaluationRange,
    ) -> Result<Explanation, MetricError> {
        let mut room = DESCRIBED_MAX;
        let mut queries = Vec::new();
        for (number, entry) in plan.entries.iter().enumerate() {
            let mut explained = match &entry.source {
                Source::Metric(stat) => self.explain_metric(scope, stat, range, false, &mut room).await?,
                Source::Insights { query, period } => {
                    let mut explained = ExplainedQuery { kind: "metrics-insights", ..Default::default() };
                    // It was valid a moment ago, so it is only here that it may name what is gone since.
                    if let Ok(selection) = insights::Selection::new(self, scope, query, *period, range) {
                        explained.set_window(selection.window());
                        if selection.is_cut() {
                            explained
                                .drop("data of more than two weeks ago: Metrics Insights does not read them");
                        }
                        if selection.is_truncated() {
                            explained.drop(format!("all but the first {MAX_METRICS} series that match"));
                        }
                        let series: Vec<SeriesId> = selection.series().collect();
                        self.describe(&mut explained, &series, selection.window(), &mut room).await?;
                    }
                    explained
                }
                Source::Math { .. } => ExplainedQuery { kind: "metric-math", ..Default::default() },
            };
            explained.id.clone_from(&entry.id);
            if !entry.is_needed {
                explained.drop("all of it: it is not returned, and no returned query refers to it");
            }
            queries.push(explained);
            for search in plan.searches.iter().filter(|search| search.entry == number) {
                let window = range.window(search.period);
                queries
                    .push(self.explain_search(scope, entry, &search.query, window, range, &mut room).await?);
            }
        }
        Ok(Explanation { queries })
    }

    /// Explains the answer to a request for statistics of one metric, which has the data of every unit.
    pub(crate) async fn explain_statistics(
        &self,
        scope: &Scope,
        stats: &[MetricStat],
        range: &EvaluationRange,
    ) -> Result<Explanation, MetricError> {
        let (mut room, mut queries) = (DESCRIBED_MAX, Vec::new());
        for stat in stats {
            let explained = self.explain_metric(scope, stat, range, stat.unit.is_none(), &mut room).await?;
            queries.push(ExplainedQuery { id: stat.statistic_text.clone(), ..explained });
        }
        Ok(Explanation { queries })
    }

    /// Explains the points of a statistic: of every unit, or of the one that is asked for or comes first.
    async fn explain_metric(
        &self,
        scope: &Scope,
        stat: &MetricStat,
        range: &EvaluationRange,
        every_unit: bool,
        room: &mut usize,
    ) -> Result<ExplainedQuery, MetricError> {
        let mut explained = ExplainedQuery { kind: "metric", ..ExplainedQuery::default() };
        let window = range.window(stat.period);
        explained.set_window(window);
        let Some(series) = self.series_of(scope, &stat.metric) else {
            explained.drop(self.explain_absence(scope, &stat.metric));
            return Ok(explained);
        };
        if window.from.timestamp() > range.start {
            explained.drop(format!("what is before {}", window.from.timestamp().to_iso8601()));
        }
        let units = self.locate(series, window, None).await?.units().await?;
        let unit = if every_unit { None } else { stat.unit.or(units.first().copied()) };
        let others = units.iter().filter(|other| Some(**other) != unit).map(|unit| unit.as_str());
        let others: Vec<&str> = others.collect();
        if !every_unit && !others.is_empty() {
            let why =
                if stat.unit.is_some() { "another unit was asked for" } else { "no unit was asked for" };
            explained.drop(format!("data in {}: {why}", others.join(", ")));
        }
        let valueless = |_: Second, samples: &PeriodSamples<'_>| {
            Some(samples.evaluate(&stat.statistic).is_none()).filter(|valueless| *valueless)
        };
        let without = self.read_series(series, window, unit, valueless).await?;
        let without: usize = without.values().map(Vec::len).sum();
        if without > 0 {
            let statistic = &stat.statistic_text;
            explained.drop(format!(
                "{without} periods in which {statistic} has no value: statistics over the distribution take neither negative \
                 values nor statistic sets without values"
            ));
        }
        let first_offered = self.first_offered(window);
        if window.from < first_offered {
            explained.drop(format!(
                "periods before {}: at {} seconds the server keeps points no longer",
                first_offered.timestamp().to_iso8601(),
                window.period.as_secs()
            ));
        }
        self.describe(&mut explained, &[series], window, room).await?;
        Ok(explained)
    }

    async fn explain_search(
        &self,
        scope: &Scope,
        entry: &Entry,
        query: &search::Query,
        window: Window,
        range: &EvaluationRange,
        room: &mut usize,
    ) -> Result<ExplainedQuery, MetricError> {
        let mut explained =
            ExplainedQuery { id: entry.id.clone(), kind: "search", ..ExplainedQuery::default() };
        explained.set_window(window);
        let found = self.search(scope, query, Second::nearest(range.now - ACTIVE));
        if found.truncated {
            explained.drop(format!("all but the first {MAX_SERIES} series that match"));
        } else {
            let inactive = self.search(scope, query, Second::MIN).series.len() - found.series.len();
            if inactive > 0 {
                explained.drop(format!("{inactive} series without data in the last two weeks"));
            }
        }
        let series: Vec<SeriesId> = found.series.iter().map(|(id, _)| *id).collect();
        self.describe(&mut explained, &series, window, room).await?;
        Ok(explained)
    }

    /// Why there is no such series.
    fn explain_absence(&self, scope: &Scope, metric: &MetricId) -> String {
        let filter = ListFilter {
            namespace: Some(metric.namespace.clone()),
            name: Some(metric.name.clone()),
            ..ListFilter::default()
        };
        match self.list(scope, &filter, None, NAMESAKES_MAX).metrics.len() {
            0 => "everything: there is no metric of that name in that namespace".to_owned(),
            namesakes => {
                let many = if namesakes == NAMESAKES_MAX { "or more " } else { "" };
                format!(
                    "everything: {namesakes} {many}metrics have that name, but none exactly these dimensions"
                )
            }
        }
    }

    /// The first period of `window` that can still be read.
    fn first_offered(&self, window: Window) -> Second {
        let is_withheld = |start: u32| !self.offers(window.period, Second(start).timestamp());
        let period_secs = window.period.as_secs();
        let (mut low, mut high) = (0, (window.until.0 - window.from.0).div_ceil(period_secs));
        while low < high {
            let middle = low + (high - low) / 2;
            if is_withheld(window.from.0 + middle * period_secs) { low = middle + 1 } else { high = middle }
        }
        Second(window.from.0.saturating_add(low * period_secs))
    }

    async fn describe(
        &self,
        explained: &mut ExplainedQuery,
        series: &[SeriesId],
        window: Window,
        room: &mut usize,
    ) -> Result<(), MetricError> {
        explained.series_matched = series.len();
        for id in series {
            let Some(metric) = self.metric(*id).filter(|_| *room > 0) else { continue };
            *room -= 1;
            let reading = self.locate(*id, window, None).await?;
            let (units, places) = (reading.units().await?, reading.places());
            explained.series.push(ExplainedSeries {
                namespace: metric.namespace,
                metric_name: metric.name,
                dimensions: metric.dimensions.into_iter().collect(),
                unit: units.first().map(|unit: &Unit| unit.as_str()),
                samples_in_memory: places.recent_samples,
                blocks: places.blocks.into_iter().collect(),
                rows_in_blocks: places.rows,
            });
        }
        Ok(())
    }
}

impl ExplainedQuery {
    fn set_window(&mut self, window: Window) {
        let moment = |second: Second| second.timestamp().to_iso8601();
        self.range = Some((moment(window.from), moment(window.until)));
        self.period_secs = Some(window.period.as_secs());
    }

    fn drop(&mut self, what: impl Into<String>) {
        self.dropped.push(what.into());
    }
}
