//! `GetMetricData`: one statistic of each of up to 500 metrics, page by page.
//!
//! [`query`] turns the request into typed queries or names all that is wrong with them; [`label`] names the results;
//! [`page`] decides which points of which query this answer still has room for.

mod label;
mod page;
mod query;

use groundwatch_api::cloudwatch::{
    GetMetricData, GetMetricDataInput, GetMetricDataOutput, MessageData, MetricDataResult, ScanBy, StatusCode,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp};

use self::page::{Page, Position};
use self::query::Query;
use super::Metrics;
use crate::query::Window;
use crate::statistics::PeriodSamples;
use crate::{MetricError, Second, Unit, fault};

/// Points of one answer, unless the request asks for fewer.
const DATAPOINTS_MAX: i32 = 100_800;

impl Handle<GetMetricData> for Metrics {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetMetricDataInput,
    ) -> Result<GetMetricDataOutput, Fault> {
        let range = range(&input)?;
        let mut page = page(&input)?;
        let queries = query::parse(input.metric_data_queries.unwrap_or_default(), call.scope())?;
        let labels = label::defaults(&queries);
        let mut results = Vec::with_capacity(queries.len());
        for (index, (query, label)) in queries.iter().zip(labels).enumerate() {
            let window = Window::of_request(range.0, range.1, query.period, call.received);
            let result = match self.read(call, query, window, index, &mut page).await {
                Ok(result) => result,
                // One unreadable metric leaves the others readable; the status code exists for this.
                Err(error) => {
                    fault::of_store(&error);
                    MetricDataResult { status_code: Some(StatusCode::InternalError), ..empty() }
                }
            };
            let label = query.label.clone().unwrap_or(label);
            results.push(MetricDataResult { id: Some(query.id.clone()), label: Some(label), ..result });
        }
        Ok(GetMetricDataOutput {
            metric_data_results: Some(results),
            next_token: page.next_token(),
            messages: Some(Vec::new()),
        })
    }
}

impl Metrics {
    /// As many points of `query` as the page has room for.
    async fn read(
        &self,
        call: &Call,
        query: &Query,
        window: Window,
        index: usize,
        page: &mut Page,
    ) -> Result<MetricDataResult, MetricError> {
        let Some(position) = page.begin(index) else {
            return Ok(MetricDataResult { status_code: Some(status(page.is_before(index))), ..empty() });
        };
        let units = match query.unit {
            Some(unit) => vec![unit],
            None => self.store.units(call.scope(), &query.metric, window).await?,
        };
        let mut result = MetricDataResult { messages: multiple_units(&units), ..empty() };
        let Some(unit) = units.first() else { return Ok(result) };
        let mut points = Vec::new();
        for part in page.parts(window, position) {
            let evaluate = |start: Second, samples: &PeriodSamples<'_>| {
                position
                    .is_ahead(start)
                    .then(|| samples.evaluate(&query.statistic))
                    .flatten()
                    .map(|value| (start, value))
            };
            let read =
                self.store.read_window(call.scope(), &query.metric, part, Some(*unit), evaluate).await?;
            if !page.take(index, read.into_values().flatten().collect(), &mut points) {
                break;
            }
        }
        result.timestamps = Some(points.iter().map(|(start, _)| start.timestamp().into()).collect());
        result.values = Some(points.into_iter().map(|(_, value)| value).collect());
        result.status_code = Some(status(page.is_full()));
        Ok(result)
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

/// Recorded: without a unit only the alphabetically first unit's data come back, and a message names all that have data.
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
fn range(input: &GetMetricDataInput) -> Result<(Timestamp, Timestamp), Fault> {
    let start = input.start_time.expect("validated: required").0;
    let end = input.end_time.expect("validated: required").0;
    if start.as_secs() == end.as_secs() {
        return Err(fault::validation("The parameter StartTime must not equal parameter EndTime."));
    }
    if start > end {
        return Err(fault::validation("The parameter EndTime must be greater than StartTime."));
    }
    Ok((start, end))
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
