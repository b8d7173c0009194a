//! The loads: what their requests are, and how what was acknowledged is read back.

mod alarm_fleet;
pub(crate) mod alarm_minutes;
pub(crate) mod alarm_month;
pub(crate) mod log_groups;
pub(crate) mod put_log_events;
pub(crate) mod put_metric_data;
pub(crate) mod reads;
pub(crate) mod sqs;

use groundwatch_core::{Clock as _, SystemClock, Timestamp};

use crate::args::BenchArgs;
use crate::client::Endpoint;
use crate::load::{self, Measurement, Plan, Work};
use crate::process::Process;
use crate::progress::Progress;
use crate::protocol::{Protocol, RequestHead, Service};

/// The period in which metrics are read back: at 1440 datapoints a request it reaches over five days.
const PERIOD_SECS: u32 = 300;

/// What all loads of one run share.
pub(crate) struct Session {
    pub args: BenchArgs,
    pub endpoint: Endpoint,
    pub server: Option<Process>,
    pub started: Timestamp,
}

impl Session {
    /// A part of the names of all that this run writes, unlike that of any earlier run.
    pub(crate) fn id(&self) -> String {
        self.started.strftime("%Y%m%dT%H%M%S%3f")
    }

    pub(crate) fn namespace(&self) -> String {
        format!("GroundwatchBench/{}", self.id())
    }

    /// Start and end, in seconds since the epoch, of what the run has dated, in whole [`PERIOD_SECS`].
    pub(crate) fn written_secs(&self) -> (i64, i64) {
        let end = now().ceil_to(PERIOD_SECS).as_secs() + i64::from(PERIOD_SECS);
        (self.started.floor_to(PERIOD_SECS).as_secs(), end)
    }

    pub(crate) fn head(&self, service: Service, operation: &'static str, protocol: Protocol) -> RequestHead {
        RequestHead::new(service, operation, protocol, &self.endpoint.address)
    }

    pub(crate) fn progress(&self, load: &str) -> Progress {
        Progress::new(load)
    }

    pub(crate) async fn measure<W: Work>(
        &self,
        load: &str,
        plan: Plan,
        workers: Vec<W>,
    ) -> anyhow::Result<(Vec<W>, Measurement)> {
        load::run(plan, &self.endpoint, self.server, workers, self.progress(load)).await
    }
}

/// The present moment, by which requests are dated.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// How many encoded bodies to keep when one takes so many bytes, at least `least`: enough that they differ,
/// few enough that they fit into memory beside the server.
pub(crate) fn pool_size(body_bytes: usize, least: usize) -> usize {
    const POOL_BYTES: usize = 96 << 20;
    (POOL_BYTES / body_bytes.max(1)).clamp(least, least.max(200))
}
