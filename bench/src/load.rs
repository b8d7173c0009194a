//! The engine: connections that work side by side, a window of time in which they are measured, and the
//! measurement.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::bail;
use hdrhistogram::Histogram;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::client::{BackOff, Connection, Endpoint, Failure};
use crate::process::{Process, Usage};
use crate::progress::Progress;

/// What one connection does over and over.
pub(crate) trait Work: Send + 'static {
    /// Does it once. A failure may be followed by another attempt at the same.
    fn step(&mut self, connection: &mut Connection) -> impl Future<Output = Result<Amount, Failure>> + Send;
}

/// How much was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Bytes of log messages, without any encoding; for other work the bytes of bodies.
    pub bytes: u64,
    /// Metric values, log events or answered reads.
    pub items: u64,
}

/// How long to work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Work before the measurement starts.
    pub warmup: Duration,
    pub extent: Extent,
}

/// What ends the measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extent {
    Duration(Duration),
    /// Acknowledged requests, on all connections together.
    Requests(u64),
}

/// What was measured between warm-up and end.
#[derive(Debug)]
pub(crate) struct Measurement {
    pub elapsed: Duration,
    pub requests: u64,
    pub amount: Amount,
    /// From the start of sending to the whole answer, in microseconds, of acknowledged requests.
    pub latency_us: Histogram<u64>,
    /// How often each error code was answered, warm-up included.
    pub errors: BTreeMap<String, u64>,
    /// What the server used meanwhile, where it can be seen.
    pub server: Option<Usage>,
    /// What this process used meanwhile.
    pub client_cpu_secs: f64,
}

/// After so many failures in a row on one connection the load is given up.
const HOPELESS_FAILURES: u32 = 9;

/// Runs each of `workers` on a connection of its own, and gives them back with the measurement.
pub(crate) async fn run<W: Work>(
    plan: Plan,
    endpoint: &Endpoint,
    server: Option<Process>,
    workers: Vec<W>,
    progress: Progress,
) -> anyhow::Result<(Vec<W>, Measurement)> {
    let gate = Arc::new(Gate::new(plan.extent));
    let mut tasks = JoinSet::new();
    for worker in workers {
        tasks.spawn(drive(worker, endpoint.connection(), gate.clone()));
    }

    progress.follow(&gate.progress, plan.warmup, gate.ended.notified()).await;
    let before = Used::now(server);
    let started = Instant::now();
    gate.measuring.store(true, Relaxed);
    let longest = match plan.extent {
        Extent::Duration(duration) => duration,
        Extent::Requests(_) => Duration::MAX,
    };
    // A load that was given up during warm-up has used up its notification.
    if !gate.stopped.load(Relaxed) {
        progress.follow(&gate.progress, longest, gate.ended.notified()).await;
    }
    gate.measuring.store(false, Relaxed);
    let elapsed = started.elapsed();
    let after = Used::now(server);
    gate.stopped.store(true, Relaxed);
    progress.clear();

    let mut measurement = Measurement::of(elapsed, before, after);
    let mut workers = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        let (worker, tally) = ended?;
        measurement.add(tally)?;
        workers.push(worker);
    }
    if measurement.requests == 0 {
        bail!("no request was acknowledged while it was measured; errors: {:?}", measurement.errors);
    }
    Ok((workers, measurement))
}

/// Measures what is done once. `work` tells how much that was, and in how many requests.
pub(crate) async fn once<T>(
    server: Option<Process>,
    work: impl Future<Output = anyhow::Result<(T, Amount, u64)>>,
) -> anyhow::Result<(T, Measurement)> {
    let (before, started) = (Used::now(server), Instant::now());
    let (done, amount, requests) = work.await?;
    let mut measurement = Measurement::of(started.elapsed(), before, Used::now(server));
    (measurement.amount, measurement.requests) = (amount, requests);
    Ok((done, measurement))
}

/// What the connections and the one who measures them tell each other.
struct Gate {
    measuring: AtomicBool,
    stopped: AtomicBool,
    /// Measured requests after which it is enough.
    requests_max: u64,
    ended: Notify,
    progress: Counters,
}

/// What has been done in the measured window until now.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub requests: AtomicU64,
    pub bytes: AtomicU64,
    pub items: AtomicU64,
    pub failures: AtomicU64,
}

impl Gate {
    fn new(extent: Extent) -> Self {
        let requests_max = match extent {
            Extent::Duration(_) => u64::MAX,
            Extent::Requests(requests) => requests.max(1),
        };
        Self {
            measuring: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            requests_max,
            ended: Notify::new(),
            progress: Counters::default(),
        }
    }

    fn count(&self, amount: Amount) {
        self.progress.bytes.fetch_add(amount.bytes, Relaxed);
        self.progress.items.fetch_add(amount.items, Relaxed);
        if self.progress.requests.fetch_add(1, Relaxed) + 1 == self.requests_max {
            self.ended.notify_one();
        }
    }

    fn give_up(&self) {
        self.stopped.store(true, Relaxed);
        self.ended.notify_one();
    }
}

/// Longer than any request is waited for; what should take longer nevertheless counts as this.
const LATENCY_US_MAX: u64 = 600_000_000;

/// One connection's part of the measurement.
struct Tally {
    requests: u64,
    amount: Amount,
    latency_us: Histogram<u64>,
    errors: BTreeMap<String, u64>,
    /// Why the connection gave up.
    hopeless: Option<Failure>,
}

async fn drive<W: Work>(mut worker: W, mut connection: Connection, gate: Arc<Gate>) -> (W, Tally) {
    let mut tally = Tally::new();
    let mut failures_in_a_row = 0;
    let mut back_off = BackOff::default();
    while !gate.stopped.load(Relaxed) {
        let started = Instant::now();
        match worker.step(&mut connection).await {
            Ok(amount) => {
                (failures_in_a_row, back_off) = (0, BackOff::default());
                if gate.measuring.load(Relaxed) {
                    tally.acknowledged(started.elapsed(), amount);
                    gate.count(amount);
                }
            }
            Err(failure) => {
                *tally.errors.entry(failure.code().to_owned()).or_default() += 1;
                gate.progress.failures.fetch_add(1, Relaxed);
                failures_in_a_row += u32::from(!matches!(failure, Failure::Throttled { .. }));
                if failures_in_a_row == HOPELESS_FAILURES {
                    tally.hopeless = Some(failure);
                    gate.give_up();
                    break;
                }
                back_off.wait().await;
            }
        }
    }
    (worker, tally)
}

impl Tally {
    fn new() -> Self {
        Self {
            requests: 0,
            amount: Amount::default(),
            latency_us: Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).expect("legal bounds and digits"),
            errors: BTreeMap::new(),
            hopeless: None,
        }
    }

    fn acknowledged(&mut self, took: Duration, amount: Amount) {
        self.requests += 1;
        self.amount += amount;
        self.latency_us.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
}

impl Measurement {
    fn of(elapsed: Duration, before: Used, after: Used) -> Self {
        let server = before.server.zip(after.server).map(|(before, after)| Usage {
            cpu_secs: after.cpu_secs - before.cpu_secs,
            resident_bytes_peak: after.resident_bytes_peak,
        });
        let Tally { requests, amount, latency_us, errors, .. } = Tally::new();
        let client_cpu_secs = after.client_cpu_secs - before.client_cpu_secs;
        Self { elapsed, requests, amount, latency_us, errors, server, client_cpu_secs }
    }

    fn add(&mut self, tally: Tally) -> anyhow::Result<()> {
        if let Some(failure) = tally.hopeless {
            bail!("gave up after {HOPELESS_FAILURES} failures in a row, the last was {failure}");
        }
        self.requests += tally.requests;
        self.amount += tally.amount;
        self.latency_us.add(&tally.latency_us)?;
        for (code, count) in tally.errors {
            *self.errors.entry(code).or_default() += count;
        }
        Ok(())
    }
}

/// Use of the machine at one moment. A server that went away meanwhile is one that cannot be seen.
#[derive(Clone, Copy)]
struct Used {
    server: Option<Usage>,
    client_cpu_secs: f64,
}

impl Used {
    fn now(server: Option<Process>) -> Self {
        Self {
            server: server.and_then(|server| server.usage().ok()),
            client_cpu_secs: Process::own().usage().map_or(0.0, |usage| usage.cpu_secs),
        }
    }
}

impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.items += other.items;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_kept_from_microseconds_to_minutes() {
        let mut tally = Tally::new();
        let latencies = [Duration::from_micros(50), Duration::from_millis(40), Duration::from_secs(90)];
        for took in latencies {
            tally.acknowledged(took, Amount { bytes: 10, items: 2 });
        }
        for (took, quantile) in latencies.into_iter().zip([0.1, 0.5, 1.0]) {
            let recorded = tally.latency_us.value_at_quantile(quantile) as f64;
            let ratio = recorded / took.as_micros() as f64;
            assert!((0.999..1.001).contains(&ratio), "{took:?} was recorded as {recorded} us");
        }
        assert_eq!((tally.requests, tally.amount), (3, Amount { bytes: 30, items: 6 }));
    }

    #[test]
    fn enough_requests_end_the_measurement_once() {
        let gate = Gate::new(Extent::Requests(2));
        let ended = || futures_util::FutureExt::now_or_never(gate.ended.notified()).is_some();
        gate.count(Amount::default());
        assert!(!ended());
        gate.count(Amount::default());
        assert!(ended());
    }
}
