//! `GetMetricData`: up to 500 queries: metrics, metric math, SEARCH and Metrics Insights.
//!
//! [`query`] turns the request into typed queries or names all that is wrong with them, and
//! [`crate::evaluation`] says what they are worth. Only what is nothing but metrics comes page by page, as in
//! AWS: [`page`] decides which points of which query an answer still has room for. Otherwise what does not
//! fit is left out, and the status code says so.

mod page;
pub(super) mod query;

use groundwatch_api::cloudwatch::{
    GetMetricData, GetMetricDataInput, GetMetricDataOutput, MessageData, MetricDataResult, ScanBy, StatusCode,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope};

use self::page::{Page, Position};
use super::Metrics;
use crate::evaluation::{EvaluatedSeries, EvaluationRange, MetricStat, Plan, ReturnedMetric};
use crate::statistics::PeriodSamples;
use crate::{MetricError, Second, Unit, fault};

/// Points of one answer, unless the request asks for fewer.
const DATAPOINTS_MAX: i32 = 100_800;
/// A page is filled by reading about so many samples at a time, so that it costs what it holds.
const SAMPLES_AT_A_TIME: u64 = DATAPOINTS_MAX as u64;

impl Handle<GetMetricData> for Metrics {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetMetricDataInput,
    ) -> Result<GetMetricDataOutput, Fault> {
        let range = range(&input, call)?;
        let page = page(&input)?;
        let queries = query::parse(input.metric_data_queries.unwrap_or_default(), call.scope())?;
        let plan = Plan::new(queries).map_err(|error| fault::of_evaluation(&error))?;
        if call.explain {
            self.keep_explanation(call, self.store.explain(call.scope(), &plan, &range).await);
        }
        match plan.returned_metrics() {
            Some(metrics) if page.is_continuation() || !plan.fits(&range, page.room()) => {
                Ok(self.read_page(call.scope(), &metrics, &range, page).await)
            }
            None if page.is_continuation() => Err(fault::query_token_invalid()),
            _ => self.read_whole(call.scope(), plan, &range, page).await,
        }
    }
}

impl Metrics {
    /// Evaluates all queries, and cuts their results to what the answer has room for.
    async fn read_whole(
        &self,
        scope: &Scope,
        plan: Plan,
        range: &EvaluationRange,
        mut page: Page,
    ) -> Result<GetMetricDataOutput, Fault> {
        let evaluated = self.store.run(scope, plan, range).await;
        let evaluated = evaluated.map_err(|error| fault::of_evaluation(&error))?;
        let mut results = Vec::with_capacity(evaluated.series.len());
        for (index, mut series) in evaluated.series.into_iter().enumerate() {
            let (all, mut points) = (std::mem::take(&mut series.points), Vec::new());
            let fits = page.begin(index).is_some() && page.take(index, all, &mut points);
            results.push(result_of(series, points, fits));
        }
        let truncated = evaluated.is_truncated.then(|| MessageData {
            code: Some("MaxMetricsExceeded".to_owned()),
            value: Some("Maximum number of allowed metrics exceeded".to_owned()),
        });
        Ok(GetMetricDataOutput {
            metric_data_results: Some(results),
            // AWS gives no tokens where expressions are involved; otherwise everything fits.
            next_token: None,
            messages: Some(truncated.into_iter().collect()),
        })
    }

    /// Reads metrics one after the other until the page is full.
    async fn read_page(
        &self,
        scope: &Scope,
        metrics: &[ReturnedMetric<'_>],
        range: &EvaluationRange,
        mut page: Page,
    ) -> GetMetricDataOutput {
        let mut results = Vec::with_capacity(metrics.len());
        for (index, metric) in metrics.iter().enumerate() {
            let (points, result) = match self.read(scope, metric.stat, range, index, &mut page).await {
                Ok(read) => read,
                // One unreadable metric leaves the others readable; the status code exists for this.
                Err(error) => {
                    fault::of_store(&error);
                    (Vec::new(), MetricDataResult { status_code: Some(StatusCode::InternalError), ..empty() })
                }
            };
            let label = metric.label(scope, &points, range);
            results.push(MetricDataResult { id: Some(metric.id().to_owned()), label: Some(label), ..result });
        }
        GetMetricDataOutput {
            metric_data_results: Some(results),
            next_token: page.next_token(),
            messages: Some(Vec::new()),
        }
    }

    /// As many points of `stat` as the page has room for, and the result with them.
    async fn read(
        &self,
        scope: &Scope,
        stat: &MetricStat,
        range: &EvaluationRange,
        index: usize,
        page: &mut Page,
    ) -> Result<(Vec<(Second, f64)>, MetricDataResult), MetricError> {
        let Some(position) = page.begin(index) else {
            let status_code = Some(status(page.is_before(index)));
            return Ok((Vec::new(), MetricDataResult { status_code, ..empty() }));
        };
        let Some(series) = self.store.series_of(scope, &stat.metric) else {
            return Ok((Vec::new(), empty()));
        };
        let reading = self.store.locate(series, range.window(stat.period), stat.unit).await?;
        let units = reading.units().await?;
        let mut result = MetricDataResult { messages: multiple_units(&units), ..empty() };
        let Some(unit) = units.first() else { return Ok((Vec::new(), result)) };
        let mut points = Vec::new();
        for part in page.parts(reading.parts(SAMPLES_AT_A_TIME), position) {
            let evaluate = |start: Second, samples: &PeriodSamples<'_>| {
                position
                    .is_ahead(start)
                    .then(|| samples.evaluate(&stat.statistic))
                    .flatten()
                    .map(|value| (start, value))
            };
            let read = reading.read(part, Some(*unit), evaluate).await?;
            if !page.take(index, read.into_values().flatten().collect(), &mut points) {
                break;
            }
        }
        result.timestamps = Some(points.iter().map(|(start, _)| start.timestamp().into()).collect());
        result.values = Some(points.iter().map(|(_, value)| *value).collect());
        result.status_code = Some(status(page.is_full()));
        Ok((points, result))
    }
}

/// A series in AWS's shape, with those of its points that the answer has room for.
fn result_of(series: EvaluatedSeries, points: Vec<(Second, f64)>, fits: bool) -> MetricDataResult {
    let status_code = if series.is_unreadable { StatusCode::InternalError } else { status(!fits) };
    let cut = series.is_cut.then(|| MessageData {
        code: Some("TimeRangeExceeded".to_owned()),
        value: Some("Metrics Insights reads the last two weeks: what is older is left out".to_owned()),
    });
    let messages: Vec<MessageData> =
        multiple_units(&series.mixed_units).into_iter().flatten().chain(cut).collect();
    MetricDataResult {
        id: Some(series.id),
        label: Some(series.label),
        timestamps: Some(points.iter().map(|(start, _)| start.timestamp().into()).collect()),
        values: Some(points.into_iter().map(|(_, value)| value).collect()),
        status_code: Some(status_code),
        messages: (!messages.is_empty()).then_some(messages),
    }
}

fn empty() -> MetricDataResult {
    MetricDataResult {
        timestamps: Some(Vec::new()),
        values: Some(Vec::new()),
        status_code: Some(StatusCode::Complete),
        ..MetricDataResult::default()
    }
}

fn status(is_partial: bool) -> StatusCode {
    if is_partial { StatusCode::PartialData } else { StatusCode::Complete }
}

/// Recorded: without a unit only the alphabetically first unit's data come back, and a message names all that
/// have data.
fn multiple_units(units: &[Unit]) -> Option<Vec<MessageData>> {
    if units.len() < 2 {
        return None;
    }
    let names: Vec<&str> = units.iter().map(|unit| unit.as_str()).collect();
    Some(vec![MessageData {
        code: Some("MultipleUnits".to_owned()),
        value: Some(format!("Multiple units returned: '[{}]'", names.join(", "))),
    }])
}

/// The range of the request. AWS compares its ends in whole seconds.
fn range(input: &GetMetricDataInput, call: &Call) -> Result<EvaluationRange, Fault> {
    let start = input.start_time.expect("validated: required").0;
    let end = input.end_time.expect("validated: required").0;
    if start.as_secs() == end.as_secs() {
        return Err(fault::validation("The parameter StartTime must not equal parameter EndTime."));
    }
    if start > end {
        return Err(fault::validation("The parameter EndTime must be greater than StartTime."));
    }
    let timezone = input.label_options.as_ref().and_then(|options| options.timezone.as_deref());
    let utc_offset = timezone.map(str::parse).transpose();
    let utc_offset = utc_offset.map_err(|_| {
        let timezone = timezone.unwrap_or_default();
        fault::validation(format!(
            "The value {timezone} for parameter LabelOptions.Timezone is not matching the expected pattern [+-]hhmm."
        ))
    })?;
    let range = EvaluationRange::of_request(start, end, call.received);
    Ok(EvaluationRange { utc_offset: utc_offset.unwrap_or_default(), ..range })
}

fn page(input: &GetMetricDataInput) -> Result<Page, Fault> {
    let datapoints_max = input.max_datapoints.unwrap_or(DATAPOINTS_MAX);
    if !(1..=DATAPOINTS_MAX).contains(&datapoints_max) {
        let rule = format!("The parameter MaxDatapoints must be between 1 and {DATAPOINTS_MAX}.");
        return Err(fault::validation(rule));
    }
    let newest_first = input.scan_by != Some(ScanBy::TimestampAscending);
    let position = match &input.next_token {
        None => Position::start(newest_first),
        Some(token) => Position::decode(token, newest_first).ok_or_else(fault::query_token_invalid)?,
    };
    Ok(Page::new(position, datapoints_max as usize))
}
