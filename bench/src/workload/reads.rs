//! Reads of what the writes wrote, each kind as a load of its own.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::put_metric_data::{dimensions, statistics_of};
use super::{PERIOD_SECS, Session, put_log_events, put_metric_data};
use crate::client::{Connection, Failure};
use crate::corpus::Random;
use crate::load::{Amount, Plan, Work};
use crate::protocol::{Protocol, RequestHead, Service};
use crate::report::Report;

/// Reads, with the inputs of all requests prepared.
struct Reader {
    kind: Kind,
    head: RequestHead,
    inputs: Arc<[Value]>,
    random: Random,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Two statistics of one series.
    MetricStatistics,
    /// Ten series in one request.
    MetricData,
    /// The last 100 events of a stream.
    TailOfStream,
    /// A word that hardly any event contains, in a whole group: all pages together are one read.
    RareWord,
}

/// Every kind, in the order in which they are measured.
pub(crate) const KINDS: [Kind; 4] =
    [Kind::MetricStatistics, Kind::MetricData, Kind::TailOfStream, Kind::RareWord];
/// Different requests of each kind.
const INPUTS: usize = 500;
const SERIES_PER_METRIC_DATA: usize = 10;

/// Measures reads of one kind.
pub(crate) async fn run(
    session: &Session,
    plan: Plan,
    kind: Kind,
    metrics: &put_metric_data::Written,
    logs: &put_log_events::Written,
) -> anyhow::Result<Report> {
    let mut random = Random::fork(session.args.seed, kind as u64);
    let inputs: Arc<[Value]> =
        (0..INPUTS).filter_map(|_| kind.input(session, &mut random, metrics, logs)).collect();
    anyhow::ensure!(!inputs.is_empty(), "nothing was written that {} could read", kind.load());
    let readers = (0..session.args.connections).map(|number| Reader {
        kind,
        head: session.head(kind.service(), kind.operation(), Protocol::Json),
        inputs: inputs.clone(),
        random: Random::fork(session.args.seed, number as u64),
    });
    let (_, measured) = session.measure(kind.load(), plan, readers.collect()).await?;
    let setting = format!("{}, {} connections", kind.in_words(), session.args.connections);
    let pid = session.server.map(|server| server.pid);
    Ok(Report::new(kind.load(), setting, "reads", &measured, pid))
}

impl Kind {
    const fn load(self) -> &'static str {
        match self {
            Self::MetricStatistics => "get-metric-statistics",
            Self::MetricData => "get-metric-data",
            Self::TailOfStream => "get-log-events",
            Self::RareWord => "filter-log-events",
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            Self::MetricStatistics => "average and maximum of one series over the run",
            Self::MetricData => "average of ten series over the run",
            Self::TailOfStream => "the last 100 events of a stream",
            Self::RareWord => "a rare word in a whole group",
        }
    }

    const fn service(self) -> Service {
        match self {
            Self::MetricStatistics | Self::MetricData => Service::Monitoring,
            Self::TailOfStream | Self::RareWord => Service::Logs,
        }
    }

    const fn operation(self) -> &'static str {
        match self {
            Self::MetricStatistics => "GetMetricStatistics",
            Self::MetricData => "GetMetricData",
            Self::TailOfStream => "GetLogEvents",
            Self::RareWord => "FilterLogEvents",
        }
    }

    /// A request about something that was acknowledged, if there is any.
    fn input(
        self,
        session: &Session,
        random: &mut Random,
        metrics: &put_metric_data::Written,
        logs: &put_log_events::Written,
    ) -> Option<Value> {
        match self {
            Self::MetricStatistics => {
                let series = metrics.any_series(random)?;
                Some(statistics_of(session, &metrics.namespace, series, &["Average", "Maximum"]))
            }
            Self::MetricData => metric_data(session, random, metrics),
            Self::TailOfStream => {
                let acknowledged = logs.streams.iter().filter(|(_, tally)| tally.acknowledged.events > 0);
                let streams: Vec<_> = acknowledged.map(|(&stream, _)| stream).collect();
                let &(group, stream) = (!streams.is_empty()).then(|| random.pick(&streams))?;
                let (group, stream) = (&logs.groups[group].name, &logs.groups[group].streams[stream]);
                Some(json!({"logGroupName": group, "logStreamName": **stream, "limit": 100}))
            }
            Self::RareWord => {
                let (group, word) = (!logs.rare_words.is_empty()).then(|| random.pick(&logs.rare_words))?;
                Some(json!({"logGroupName": logs.groups[*group].name, "filterPattern": word}))
            }
        }
    }
}

fn metric_data(session: &Session, random: &mut Random, metrics: &put_metric_data::Written) -> Option<Value> {
    let mut queries = Vec::new();
    for number in 0..SERIES_PER_METRIC_DATA {
        let series = metrics.any_series(random)?;
        let metric = json!({
            "Namespace": metrics.namespace,
            "MetricName": series.metric_name,
            "Dimensions": dimensions(series),
        });
        queries.push(json!({
            "Id": format!("m{number}"),
            "MetricStat": {"Metric": metric, "Period": PERIOD_SECS, "Stat": "Average"},
        }));
    }
    let (start, end) = session.written_secs();
    Some(json!({"MetricDataQueries": queries, "StartTime": start, "EndTime": end}))
}

impl Work for Reader {
    async fn step(&mut self, connection: &mut Connection) -> Result<Amount, Failure> {
        let mut input = self.random.pick(&self.inputs).clone();
        let mut found = 0;
        loop {
            let answer: Answer = connection.call_json(&self.head, &input).await?;
            found += answer.found();
            match answer.next_token {
                Some(token) if self.kind == Kind::RareWord => input["nextToken"] = token.into(),
                _ => break,
            }
        }
        match found {
            0 => Err(Failure::Refused { code: "NothingFound".to_owned(), message: input.to_string() }),
            _ => Ok(Amount { bytes: 0, items: 1 }),
        }
    }
}

/// What is looked at in the answers of all kinds.
#[derive(Deserialize)]
struct Answer {
    #[serde(default, rename = "Datapoints")]
    datapoints: Vec<IgnoredAny>,
    #[serde(default, rename = "MetricDataResults")]
    results: Vec<MetricDataResult>,
    #[serde(default)]
    events: Vec<IgnoredAny>,
    #[serde(rename = "nextToken")]
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct MetricDataResult {
    #[serde(default, rename = "Values")]
    values: Vec<IgnoredAny>,
}

impl Answer {
    fn found(&self) -> usize {
        let values = self.results.iter().map(|result| result.values.len()).sum::<usize>();
        self.datapoints.len() + values + self.events.len()
    }
}
