//! The load: every series gets its next value, in requests on several connections side by side.

use anyhow::Context as _;
use bytes::Bytes;
use groundwatch_core::Timestamp;
use tokio::task::JoinSet;

use super::NAMESPACE;
use super::server::OwnServer;
use crate::args::BenchArgs;
use crate::body::metric_data::{Datum, encode};
use crate::client::{BackOff, Connection, Failure};
use crate::corpus::metrics::Fleet;
use crate::protocol::{Protocol, RequestHead};

/// A fleet that publishes.
pub(super) struct Load {
    fleet: Fleet,
    protocol: Protocol,
    data_per_request: usize,
    head: Option<RequestHead>,
    connections: Vec<Connection>,
}

impl Load {
    pub(super) fn new(args: &BenchArgs, server: &OwnServer, fleet: Fleet) -> Self {
        let endpoint = server.endpoint(args).ok();
        let connections = (0..args.connections).filter_map(|_| Some(endpoint.as_ref()?.connection()));
        Self {
            fleet,
            protocol: args.protocol,
            data_per_request: args.data_per_request,
            head: server.head_in(args, "PutMetricData", args.protocol).ok(),
            connections: connections.collect(),
        }
    }

    pub(super) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Puts the next value of every series, dated `now`.
    pub(super) async fn put(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let head = self.head.clone().context("the server's address is not understood")?;
        let mut shares: Vec<Vec<Bytes>> = vec![Vec::new(); self.connections.len()];
        let series = self.fleet.series().len();
        for (number, first) in (0..series).step_by(self.data_per_request).enumerate() {
            let end = series.min(first + self.data_per_request);
            let values: Vec<f64> = (first..end).map(|index| self.fleet.sample(index)).collect();
            let data = self.fleet.series()[first..end].iter().zip(values.chunks(1));
            let data: Vec<Datum<'_>> = data.map(|(series, values)| Datum { series, values }).collect();
            let body = encode(self.protocol, NAMESPACE, &data).stamped(now);
            let share = number % shares.len();
            shares[share].push(body);
        }
        let mut tasks = JoinSet::new();
        for (connection, bodies) in self.connections.drain(..).zip(shares) {
            tasks.spawn(send(connection, head.clone(), bodies));
        }
        while let Some(sent) = tasks.join_next().await {
            self.connections.push(sent??);
        }
        Ok(())
    }
}

async fn send(
    mut connection: Connection,
    head: RequestHead,
    bodies: Vec<Bytes>,
) -> Result<Connection, Failure> {
    for body in bodies {
        let mut back_off = BackOff::default();
        loop {
            match connection.call(&head, Bytes::new(), body.clone()).await {
                Err(Failure::Throttled { .. }) if !back_off.is_exhausted() => back_off.wait().await,
                outcome => break outcome.map(drop)?,
            }
        }
    }
    Ok(connection)
}
