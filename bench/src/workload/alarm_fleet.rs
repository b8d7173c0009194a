//! Alarms on a fleet's metrics: alarm number i watches series number i.

use anyhow::Context as _;
use bytes::Bytes;
use groundwatch_core::Timestamp;
use serde_json::{Value, json};

use super::put_metric_data::dimensions;
use super::{Protocol, RequestHead, Service, Session};
use crate::body::StampedBody;
use crate::body::metric_data::{Datum, encode};
use crate::client::Connection;
use crate::corpus::metrics::{Fleet, Series};

/// What a metric has while nothing is wrong, and what it has in an incident. Every alarm's threshold lies
/// between.
const FINE: f64 = 0.0;
const BREACHING: f64 = 9.0;

/// The most data of one PutMetricData.
const DATA_MAX: usize = 1000;

/// The fleet, and what speaks to the server about it.
pub(super) struct AlarmFleet<'a> {
    session: &'a Session,
    namespace: String,
    fleet: Fleet,
    connection: Connection,
    /// Requests that were answered.
    pub(super) requests: u64,
    /// Metric values that were put.
    pub(super) values: u64,
}

/// A prepared PutMetricData, to be sent again and again with other timestamps.
pub(super) struct Samples(Vec<(StampedBody, u64)>);

impl<'a> AlarmFleet<'a> {
    pub(super) fn new(session: &'a Session, namespace: String, alarms: usize) -> Self {
        let fleet = Fleet::new(session.args.seed, alarms);
        let connection = session.endpoint.connection();
        Self { session, namespace, fleet, connection, requests: 0, values: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.fleet.series().len()
    }

    /// The input of a PutMetricAlarm for alarm number `index`, but for what it does with its metric.
    pub(super) fn alarm(&self, index: usize) -> Value {
        let series = self.series(index);
        json!({
            "AlarmName": format!("bench-{index:06}"),
            "Namespace": self.namespace,
            "MetricName": series.metric_name,
            "Dimensions": dimensions(series),
            "Statistic": "Average",
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
        })
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(super) fn series(&self, index: usize) -> &Series {
        &self.fleet.series()[index]
    }

    /// Samples of the metrics of these alarms: fine ones, or such that breach.
    pub(super) fn samples(&self, alarms: &[usize], breaching: impl Fn(usize) -> bool) -> Samples {
        let value = |index| if breaching(index) { &[BREACHING] } else { &[FINE] };
        let encoded = alarms.chunks(DATA_MAX).map(|chunk| {
            let data: Vec<Datum<'_>> = chunk
                .iter()
                .map(|index| Datum { series: self.series(*index), values: value(*index) })
                .collect();
            (encode(Protocol::Cbor, &self.namespace, &data), chunk.len() as u64)
        });
        Samples(encoded.collect())
    }

    pub(super) async fn put(&mut self, samples: &mut Samples, at: Timestamp) -> anyhow::Result<()> {
        let head = self.session.head(Service::Monitoring, "PutMetricData", Protocol::Cbor);
        for (body, values) in &mut samples.0 {
            let outcome = self.connection.call(&head, Bytes::new(), body.stamped(at)).await;
            outcome.context("PutMetricData")?;
            self.requests += 1;
            self.values += *values;
        }
        Ok(())
    }

    /// Calls an operation of CloudWatch.
    pub(super) async fn call(&mut self, operation: &'static str, input: &Value) -> anyhow::Result<Value> {
        self.requests += 1;
        let head = self.session.head(Service::Monitoring, operation, Protocol::Json);
        self.connection.call_json(&head, input).await.context(operation)
    }

    /// Creates an SNS topic, which nobody subscribes to.
    pub(super) async fn create_topic(&mut self, name: &str) -> anyhow::Result<()> {
        self.requests += 1;
        let head = self.session.head(Service::Sns, "CreateTopic", Protocol::Query);
        let form = Bytes::from(format!("Action=CreateTopic&Version=2010-03-31&Name={name}"));
        self.connection.call(&head, Bytes::new(), form).await.context("CreateTopic")?;
        Ok(())
    }

    /// Sends a JSON document to one of the server's own doors.
    pub(super) async fn door(&mut self, path: &str, input: &Value) -> anyhow::Result<Value> {
        self.requests += 1;
        let head = RequestHead::of_door(path, &self.session.endpoint.address);
        Ok(self.connection.call_json(&head, input).await?)
    }

    /// All items of a listing that comes in pages.
    pub(super) async fn all(
        &mut self,
        operation: &'static str,
        mut input: Value,
        items: &str,
        mut take: impl FnMut(&Value),
    ) -> anyhow::Result<()> {
        loop {
            let mut page = self.call(operation, &input).await?;
            page[items].as_array().into_iter().flatten().for_each(&mut take);
            match page["NextToken"].take() {
                Value::Null => return Ok(()),
                token => input["NextToken"] = token,
            }
        }
    }
}
