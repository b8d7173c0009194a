//! Log groups and streams in large numbers: creates them, puts an event into each group, and reads. What one
//! request costs must not depend on how many groups and streams there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{Session, now};
use crate::client::{Connection, Failure};
use crate::load::{Amount, Extent, Plan, Work};
use crate::protocol::{Protocol, RequestHead, Service};
use crate::report::Report;

/// What is done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    CreateGroups,
    CreateStreams,
    /// One event into a stream of every group.
    Put,
    /// Pages of groups, from anywhere.
    DescribeGroups,
    /// Pages of one group's streams.
    DescribeStreams,
    DescribeStreamsByTime,
    /// The events of one stream.
    Get,
    /// A word in one group.
    Filter,
}

pub(crate) const KINDS: [Kind; 8] = [
    Kind::CreateGroups,
    Kind::CreateStreams,
    Kind::Put,
    Kind::DescribeGroups,
    Kind::DescribeStreams,
    Kind::DescribeStreamsByTime,
    Kind::Get,
    Kind::Filter,
];

/// One connection's part: the requests of a kind, each about the next group or stream.
struct Requests {
    kind: Kind,
    head: RequestHead,
    fleet: Fleet,
    next: Arc<AtomicU64>,
}

/// The names of groups and streams.
#[derive(Clone, Debug)]
struct Fleet {
    prefix: String,
    groups: u64,
    streams: u64,
}

/// Does one kind of request: as many as there are groups or streams to make, and reads for as long as `plan`
/// says.
pub(crate) async fn run(session: &Session, plan: Plan, kind: Kind) -> anyhow::Result<Report> {
    let fleet = Fleet {
        prefix: format!("bench-{}", session.id()),
        groups: session.args.groups as u64,
        streams: session.args.streams as u64,
    };
    let plan = match kind.writes(&fleet) {
        Some(requests) => Plan { warmup: Duration::ZERO, extent: Extent::Requests(requests) },
        None => plan,
    };
    let next = Arc::new(AtomicU64::new(0));
    let workers = (0..session.args.connections).map(|_| Requests {
        kind,
        head: session.head(Service::Logs, kind.operation(), Protocol::Json),
        fleet: fleet.clone(),
        next: next.clone(),
    });
    let (_, measured) = session.measure(kind.load(), plan, workers.collect()).await?;
    let Fleet { groups, streams, .. } = fleet;
    let setting =
        format!("{groups} groups with {streams} streams each, {} connections", session.args.connections);
    let pid = session.server.map(|server| server.pid);
    Ok(Report::new(kind.load(), setting, "requests", &measured, pid))
}

impl Kind {
    const fn load(self) -> &'static str {
        match self {
            Self::CreateGroups => "create-log-groups",
            Self::CreateStreams => "create-log-streams",
            Self::Put => "put-log-events",
            Self::DescribeGroups => "describe-log-groups",
            Self::DescribeStreams => "describe-log-streams",
            Self::DescribeStreamsByTime => "describe-log-streams by time",
            Self::Get => "get-log-events",
            Self::Filter => "filter-log-events",
        }
    }

    const fn operation(self) -> &'static str {
        match self {
            Self::CreateGroups => "CreateLogGroup",
            Self::CreateStreams => "CreateLogStream",
            Self::Put => "PutLogEvents",
            Self::DescribeGroups => "DescribeLogGroups",
            Self::DescribeStreams | Self::DescribeStreamsByTime => "DescribeLogStreams",
            Self::Get => "GetLogEvents",
            Self::Filter => "FilterLogEvents",
        }
    }

    /// How many requests it takes to write all; `None` for reads, which never end.
    fn writes(self, fleet: &Fleet) -> Option<u64> {
        match self {
            Self::CreateGroups | Self::Put => Some(fleet.groups),
            Self::CreateStreams => Some(fleet.groups * fleet.streams),
            _ => None,
        }
    }

    /// Request number `number`. Whatever is written is written in order, a few more than there should be at
    /// the end, and read here and there.
    fn input(self, fleet: &Fleet, number: u64) -> Value {
        const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
        let anywhere = (number.wrapping_mul(SCATTER) >> 16) % fleet.groups;
        let stream = |stream: u64| format!("stream-{stream:07}");
        match self {
            Self::CreateGroups => json!({ "logGroupName": fleet.group(number) }),
            Self::CreateStreams => json!({
                "logGroupName": fleet.group(number % fleet.groups),
                "logStreamName": stream(number / fleet.groups),
            }),
            Self::Put => json!({
                "logGroupName": fleet.group(number % fleet.groups),
                "logStreamName": stream(0),
                "logEvents": [{ "timestamp": now().as_millis(), "message": format!("event number {number}") }],
            }),
            Self::DescribeGroups => {
                // A prefix that about a hundred groups have.
                let group = fleet.group(anywhere);
                json!({ "logGroupNamePrefix": group[..group.len() - 2] })
            }
            Self::DescribeStreams => json!({ "logGroupName": fleet.group(anywhere) }),
            Self::DescribeStreamsByTime => json!({
                "logGroupName": fleet.group(anywhere),
                "orderBy": "LastEventTime",
                "descending": true,
            }),
            Self::Get => json!({ "logGroupName": fleet.group(anywhere), "logStreamName": stream(0) }),
            Self::Filter => json!({ "logGroupName": fleet.group(anywhere), "filterPattern": "event" }),
        }
    }
}

impl Fleet {
    fn group(&self, number: u64) -> String {
        format!("{}/group-{:06}", self.prefix, number)
    }
}

impl Work for Requests {
    async fn step(&mut self, connection: &mut Connection) -> Result<Amount, Failure> {
        let number = self.next.fetch_add(1, Relaxed);
        let _: IgnoredAny = connection.call_json(&self.head, &self.kind.input(&self.fleet, number)).await?;
        Ok(Amount { bytes: 0, items: 1 })
    }
}
