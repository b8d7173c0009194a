//! `GetMetricStatistics`: several statistics of one metric.

use std::collections::BTreeMap;

use groundwatch_api::cloudwatch::{
    Datapoint, GetMetricStatistics, GetMetricStatisticsInput, GetMetricStatisticsOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp};

use super::{Metrics, shapes};
use crate::evaluation::{EvaluationRange, MetricStat};
use crate::query::Window;
use crate::statistics::{PeriodSamples, Statistic};
use crate::{MetricId, Period, Second, Unit, fault};

/// As many points one answer may have to hold, whether they exist or not.
const DATAPOINTS_MAX: i64 = 1440;

impl Handle<GetMetricStatistics> for Metrics {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetMetricStatisticsInput,
    ) -> Result<GetMetricStatisticsOutput, Fault> {
        let request = Request::new(input)?;
        let Request { start, end, period, unit, .. } = request;
        let window = Window::of_request(start, end, period, call.received);
        if call.explain {
            let queries = request.queries();
            let range = EvaluationRange::of_request(start, end, call.received);
            self.keep_explanation(call, self.store.explain_statistics(call.scope(), &queries, &range).await);
        }
        let evaluate = |start: Second, samples: &PeriodSamples<'_>| request.datapoint(start, samples);
        let by_unit = self.store.read_window(call.scope(), &request.metric, window, unit, evaluate).await;
        let by_unit = by_unit.map_err(|error| fault::of_store(&error))?;
        let datapoints = by_unit.into_iter().flat_map(|(unit, points)| {
            let unit = shapes::standard_unit(unit);
            points.into_iter().map(move |point| Datapoint { unit: Some(unit.clone()), ..point })
        });
        let mut datapoints: Vec<Datapoint> = datapoints.collect();
        datapoints.sort_by_key(|point| point.timestamp);
        Ok(GetMetricStatisticsOutput { label: Some(request.metric.name), datapoints: Some(datapoints) })
    }
}

struct Request {
    metric: MetricId,
    start: Timestamp,
    end: Timestamp,
    period: Period,
    unit: Option<Unit>,
    simple: Vec<Statistic>,
    /// With their text, by which the answer names them.
    extended: Vec<(String, Statistic)>,
}

impl Request {
    fn new(input: GetMetricStatisticsInput) -> Result<Self, Fault> {
        let simple = input.statistics.unwrap_or_default();
        let extended = input.extended_statistics.unwrap_or_default();
        if simple.is_empty() == extended.is_empty() {
            return Err(fault::statistics_or_extended());
        }
        let start = input.start_time.expect("validated: required").0;
        let end = input.end_time.expect("validated: required").0;
        if start >= end {
            return Err(fault::start_not_before_end());
        }
        let period_secs = input.period.expect("validated: required");
        let period = Period::from_secs(i64::from(period_secs))
            .ok_or_else(|| fault::parameter_must("Period", "must be 1, 5, 10, 20, 30 or a multiple of 60"))?;
        refuse_too_many_datapoints(start, end, period)?;
        Ok(Self {
            metric: shapes::metric_id(
                input.namespace.expect("validated: required"),
                input.metric_name.expect("validated: required"),
                input.dimensions,
            ),
            start,
            end,
            period,
            unit: input.unit.as_ref().and_then(shapes::unit),
            simple: simple.iter().filter_map(|name| Statistic::parse_simple(name.as_str())).collect(),
            extended: extended.into_iter().enumerate().map(parse_extended).collect::<Result<_, _>>()?,
        })
    }

    /// Each statistic as a query of its own.
    fn queries(&self) -> Vec<MetricStat> {
        let simple = self.simple.iter().map(|statistic| (statistic.to_string(), *statistic));
        let all = simple.chain(self.extended.iter().cloned());
        let query = |(statistic_text, statistic)| MetricStat {
            metric: self.metric.clone(),
            statistic,
            statistic_text,
            period: self.period,
            unit: self.unit,
        };
        all.map(query).collect()
    }

    /// The point of a period; `None` if none of the statistics has a value.
    fn datapoint(&self, start: Second, samples: &PeriodSamples<'_>) -> Option<Datapoint> {
        let mut point = Datapoint { timestamp: Some(start.timestamp().into()), ..Datapoint::default() };
        if !self.simple.is_empty() {
            let summary = samples.summary()?;
            for statistic in &self.simple {
                match statistic {
                    Statistic::SampleCount => point.sample_count = Some(summary.sample_count),
                    Statistic::Average => point.average = Some(summary.average()),
                    Statistic::Sum => point.sum = Some(summary.sum),
                    Statistic::Minimum => point.minimum = Some(summary.minimum),
                    Statistic::Maximum => point.maximum = Some(summary.maximum),
                    Statistic::Percentile(_) | Statistic::Bounded(..) => {}
                }
            }
            return Some(point);
        }
        let distribution = samples.distribution();
        let value = |statistic: &Statistic| match (statistic, &distribution) {
            (_, None) => None,
            (Statistic::Percentile(percent), Some(distribution)) => Some(distribution.percentile(*percent)),
            (Statistic::Bounded(measure, bounds), Some(distribution)) => {
                distribution.bounded(*measure, *bounds)
            }
            (_, Some(_)) => samples.evaluate(statistic),
        };
        let values =
            self.extended.iter().filter_map(|(text, statistic)| Some((text.clone(), value(statistic)?)));
        let values: BTreeMap<String, f64> = values.collect();
        point.extended_statistics = (!values.is_empty()).then_some(values);
        point.extended_statistics.is_some().then_some(point)
    }
}

fn parse_extended((index, text): (usize, String)) -> Result<(String, Statistic), Fault> {
    let statistic = text.parse::<Statistic>().ok().filter(Statistic::is_extended);
    match statistic {
        Some(statistic) => Ok((text, statistic)),
        None => Err(fault::value_invalid(text, format_args!("ExtendedStatistics.member.{}", index + 1))),
    }
}

/// What counts is how many points could be asked for, not how many there are.
fn refuse_too_many_datapoints(start: Timestamp, end: Timestamp, period: Period) -> Result<(), Fault> {
    let range_ms = end.as_millis().saturating_sub(start.as_millis());
    let period_ms = i64::from(period.as_secs()) * 1000;
    let requested = range_ms / period_ms + i64::from(range_ms % period_ms > 0);
    if requested > DATAPOINTS_MAX {
        return Err(fault::too_many_datapoints(requested, DATAPOINTS_MAX));
    }
    Ok(())
}
