//! `PutMetricData`: blocks of a fleet's series, each request with one block.

use anyhow::Context as _;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::{PERIOD_SECS, Session, now, pool_size};
use crate::body::StampedBody;
use crate::body::metric_data::{Datum, encode};
use crate::client::{Connection, Failure};
use crate::corpus::Random;
use crate::corpus::metrics::{Fleet, Series};
use crate::load::{Amount, Plan, Work};
use crate::protocol::{Protocol, RequestHead, Service};
use crate::report::{Checked, Report};

/// The metrics that a load has written.
pub(crate) struct Written {
    pub namespace: String,
    pub fleet: Fleet,
    data_per_request: usize,
    values_per_datum: usize,
    bodies: Vec<Body>,
}

/// One connection's requests, sent in turn.
struct Writer {
    head: RequestHead,
    bodies: Vec<Body>,
    next: usize,
}

/// A request that is sent again and again with new timestamps.
struct Body {
    stamped: StampedBody,
    /// Which part of the fleet it has values of.
    block: usize,
    /// Values of the block's first series, then of its second, and so on.
    values: Vec<f64>,
    acknowledged: u64,
    /// Sent, but nobody knows whether it was taken.
    unknown: u64,
}

/// How many different requests there are for each block, memory permitting, so that the values of a series
/// vary.
const VARIANTS: usize = 6;
/// How many series are read back.
const CHECKED_SERIES: usize = 40;

/// Writes as the plan says.
pub(crate) async fn run(session: &Session, plan: Plan) -> anyhow::Result<(Report, Written)> {
    const LOAD: &str = "put-metric-data";
    let args = &session.args;
    session.progress(LOAD).say("encoding requests");
    let mut written = Written {
        namespace: session.namespace(),
        fleet: Fleet::new(args.seed, args.series),
        data_per_request: args.data_per_request.min(args.series),
        values_per_datum: args.values_per_datum,
        bodies: Vec::new(),
    };
    let writers = written.writers(session);
    let (writers, measured) = session.measure(LOAD, plan, writers).await?;
    written.bodies = writers.into_iter().flat_map(|writer| writer.bodies).collect();
    let setting = format!(
        "{}, {} data a request, {} value(s) a datum, {} series, {} connections",
        args.protocol.name(),
        written.data_per_request,
        written.values_per_datum,
        args.series,
        args.connections
    );
    let pid = session.server.map(|server| server.pid);
    let mut report = Report::new(LOAD, setting, "values", &measured, pid);
    if !args.no_check {
        report.checked = Some(written.check(session).await.context("cannot read back")?);
    }
    Ok((report, written))
}

impl Written {
    /// Hands all bodies out to the connections in turn.
    fn writers(&mut self, session: &Session) -> Vec<Writer> {
        let args = &session.args;
        let head = session.head(Service::Monitoring, "PutMetricData", args.protocol);
        let writer = |_| Writer { head: head.clone(), bodies: Vec::new(), next: 0 };
        let mut writers: Vec<Writer> = (0..args.connections).map(writer).collect();
        let least = self.blocks().max(args.connections);
        let body_bytes = self.encode(args.protocol, 0).stamped.len();
        let bodies = pool_size(body_bytes, least).min(least * VARIANTS);
        for index in 0..bodies {
            let body = self.encode(args.protocol, index % self.blocks());
            writers[index % args.connections].bodies.push(body);
        }
        writers
    }

    /// A series that has acknowledged values, if there is any.
    pub(crate) fn any_series(&self, random: &mut Random) -> Option<&Series> {
        let acknowledged: Vec<&Body> = self.bodies.iter().filter(|body| body.acknowledged > 0).collect();
        let body = (!acknowledged.is_empty()).then(|| *random.pick(&acknowledged))?;
        let series = self.fleet.series().chunks(self.data_per_request).nth(body.block)?;
        Some(random.pick(series))
    }

    fn blocks(&self) -> usize {
        self.fleet.series().len().div_ceil(self.data_per_request)
    }

    fn encode(&mut self, protocol: Protocol, block: usize) -> Body {
        let first = block * self.data_per_request;
        let end = (first + self.data_per_request).min(self.fleet.series().len());
        let mut values = Vec::with_capacity((end - first) * self.values_per_datum);
        for series in first..end {
            values.extend((0..self.values_per_datum).map(|_| self.fleet.sample(series)));
        }
        let data: Vec<Datum<'_>> = self.fleet.series()[first..end]
            .iter()
            .zip(values.chunks(self.values_per_datum))
            .map(|(series, values)| Datum { series, values })
            .collect();
        let stamped = encode(protocol, &self.namespace, &data);
        Body { stamped, block, values, acknowledged: 0, unknown: 0 }
    }

    /// Compares count and sum of some series with what was acknowledged.
    async fn check(&self, session: &Session) -> Result<Checked, Failure> {
        let total = self.fleet.series().len();
        let count = total.min(CHECKED_SERIES);
        let mut connection = session.endpoint.connection();
        let mut checked = Checked::default();
        let mut samples = 0.0;
        for number in 0..count {
            let index = number * total / count;
            let series = &self.fleet.series()[index];
            let stored = stored(session, &mut connection, &self.namespace, series).await?;
            samples += stored.count;
            if let Err(mismatch) = self.acknowledged(index).compare(&stored) {
                checked
                    .mismatches
                    .push(format!("{} {:?}: {mismatch}", series.metric_name, series.dimensions));
            }
        }
        checked.what = format!("{count} of {total} series, {samples} values by GetMetricStatistics");
        Ok(checked)
    }

    /// What must be there of the series with this index.
    fn acknowledged(&self, series: usize) -> Acknowledged {
        let (block, place) = (series / self.data_per_request, series % self.data_per_request);
        let mut sum = Acknowledged::default();
        for body in self.bodies.iter().filter(|body| body.block == block) {
            let values = &body.values[place * self.values_per_datum..][..self.values_per_datum];
            sum.count += body.acknowledged * values.len() as u64;
            sum.count_unknown += body.unknown * values.len() as u64;
            sum.sum += body.acknowledged as f64 * values.iter().sum::<f64>();
        }
        sum
    }
}

impl Work for Writer {
    async fn step(&mut self, connection: &mut Connection) -> Result<Amount, Failure> {
        let index = self.next % self.bodies.len();
        let body = &mut self.bodies[index];
        let payload = body.stamped.stamped(now());
        let amount = Amount { bytes: payload.len() as u64, items: body.values.len() as u64 };
        match connection.call(&self.head, Bytes::new(), payload).await {
            Ok(_) => body.acknowledged += 1,
            Err(failure) => {
                body.unknown += u64::from(matches!(failure, Failure::Unknown { .. }));
                return Err(failure);
            }
        }
        self.next += 1;
        Ok(amount)
    }
}

/// What a series must hold after the load.
#[derive(Debug, Default, PartialEq)]
struct Acknowledged {
    count: u64,
    count_unknown: u64,
    sum: f64,
}

/// What a series holds.
#[derive(Debug, Default, PartialEq)]
struct Stored {
    count: f64,
    sum: f64,
}

impl Acknowledged {
    fn compare(&self, stored: &Stored) -> Result<(), String> {
        let (least, most) = (self.count as f64, (self.count + self.count_unknown) as f64);
        if !(least..=most).contains(&stored.count) {
            let unknown = self.count_unknown;
            return Err(format!("{least} values acknowledged, {unknown} unknown, {} stored", stored.count));
        }
        // Sums are added up in another order there.
        let tolerance = self.sum.abs() * 1e-9;
        if self.count_unknown == 0 && (stored.sum - self.sum).abs() > tolerance {
            return Err(format!(
                "the sum of the acknowledged values is {}, of the stored {}",
                self.sum, stored.sum
            ));
        }
        Ok(())
    }
}

async fn stored(
    session: &Session,
    connection: &mut Connection,
    namespace: &str,
    series: &Series,
) -> Result<Stored, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        datapoints: Vec<Datapoint>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Datapoint {
        sample_count: f64,
        sum: f64,
    }
    let head = session.head(Service::Monitoring, "GetMetricStatistics", Protocol::Json);
    let input = statistics_of(session, namespace, series, &["SampleCount", "Sum"]);
    let answer: Answer = connection.call_json(&head, &input).await?;
    Ok(answer.datapoints.iter().fold(Stored::default(), |stored, datapoint| Stored {
        count: stored.count + datapoint.sample_count,
        sum: stored.sum + datapoint.sum,
    }))
}

/// The input of a `GetMetricStatistics` over all that the run wrote.
pub(crate) fn statistics_of(
    session: &Session,
    namespace: &str,
    series: &Series,
    statistics: &[&str],
) -> serde_json::Value {
    let (start, end) = session.written_secs();
    json!({
        "Namespace": namespace,
        "MetricName": series.metric_name,
        "Dimensions": dimensions(series),
        "StartTime": start,
        "EndTime": end,
        "Period": PERIOD_SECS,
        "Statistics": statistics,
    })
}

pub(crate) fn dimensions(series: &Series) -> serde_json::Value {
    series.dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_surplus_and_wrong_sums_are_mismatches() {
        let acknowledged = Acknowledged { count: 10, count_unknown: 0, sum: 100.0 };
        let compare = |count, sum| acknowledged.compare(&Stored { count, sum });
        assert_eq!(compare(10.0, 100.000_000_001), Ok(()));
        assert!(compare(9.0, 90.0).is_err());
        assert!(compare(11.0, 110.0).is_err());
        assert!(compare(10.0, 100.1).is_err());
    }

    #[test]
    fn requests_of_unknown_fate_may_be_there_or_not() {
        let acknowledged = Acknowledged { count: 10, count_unknown: 2, sum: 100.0 };
        for (count, fits) in [(9.0, false), (10.0, true), (12.0, true), (13.0, false)] {
            assert_eq!(acknowledged.compare(&Stored { count, sum: 0.0 }).is_ok(), fits, "{count}");
        }
    }

    #[test]
    fn expectation_of_a_series_is_the_sum_over_the_requests_that_held_it() {
        let mut written = Written {
            namespace: "N".into(),
            fleet: Fleet::new(1, 5),
            data_per_request: 2,
            values_per_datum: 3,
            bodies: Vec::new(),
        };
        assert_eq!(written.blocks(), 3);
        let mut body = written.encode(Protocol::Cbor, 1);
        (body.acknowledged, body.unknown) = (4, 1);
        let sum: f64 = body.values[3..6].iter().sum();
        written.bodies = vec![body];
        assert_eq!(written.acknowledged(3), Acknowledged { count: 12, count_unknown: 3, sum: 4.0 * sum });
        assert_eq!(written.acknowledged(0), Acknowledged::default());
    }
}
