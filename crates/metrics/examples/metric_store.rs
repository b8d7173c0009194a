//! Measures the store without a server: `cargo run --release -p groundwatch-metrics --example metric_store
//! [SERIES] [ROUNDS]`.
//!
//! Puts one value a minute into each of SERIES host-like series (default 100,000) for ROUNDS minutes (default
//! 20), 1,000 values a request, then reads, flushes and reads again. CPU time is of the whole process, so the
//! journal is in it.

#![expect(clippy::print_stdout, reason = "a program that reports figures")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use groundwatch_api::Handle;
use groundwatch_api::cloudwatch::borrowed::{Dimension, MetricDatum, PutMetricDataInput};
use groundwatch_api::cloudwatch::{PutMetricData, StandardUnit};
use groundwatch_core::{AccountId, Call, Caller, Clock, ManualClock, Region, RequestId, Scope, Timestamp};
use groundwatch_metrics::{ListFilter, MetricId, MetricOptions, MetricStore, Metrics, Period, Statistic};
use groundwatch_storage::{Storage, StorageOptions, StreamId};

const REQUEST_VALUES: usize = 1000;
const START: i64 = 1_767_323_040;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (series, rounds) = (number(100_000)?, number(20)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    runtime.block_on(run(series, rounds))
}

async fn run(series: usize, rounds: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir_in(".").context("a directory for the data")?;
    let scope = Scope { account: AccountId::DEFAULT, region: Region::default() };
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(START)));
    let options = MetricOptions::default();
    let (storage, recovery) = Storage::open(StorageOptions::new(dir.path()))?;
    drop(recovery);
    let store = MetricStore::open(storage.clone(), clock.clone(), options).await?;
    let hosts: Vec<String> =
        (0..series.div_ceil(10)).map(|host| format!("web-{host:06}.example.internal")).collect();
    let names: Vec<String> = (0..10).map(|name| format!("system_cpu_usage_{name}")).collect();

    let idle = resident_mb()?;
    let metrics = Metrics::new(store.clone());
    let caller = Caller { scope: scope.clone(), ..Caller::default() };
    let call = Call::new(caller, RequestId(String::new()), clock.now());
    let mut known = Cost::default();
    for round in 0..rounds {
        let requests = (0..series).step_by(REQUEST_VALUES);
        let requests = requests.map(|first| first..(first + REQUEST_VALUES).min(series));
        let requests: Vec<_> = requests.map(|series| input(&hosts, &names, series, round)).collect();
        let (wall, cpu) = (Instant::now(), cpu_time()?);
        for request in requests {
            Handle::<PutMetricData>::handle(&metrics, &call, request).await?;
        }
        let cost = Cost { wall: wall.elapsed(), cpu: cpu_time()? - cpu };
        if round == 0 {
            let resident = resident_mb()?;
            println!(
                "put, new series: {}; {resident:.0} MB resident, {idle:.0} at first",
                cost.per_value(series)
            );
        } else {
            known = Cost { wall: known.wall + cost.wall, cpu: known.cpu + cost.cpu };
        }
    }
    let per_value = known.per_value(series * rounds.saturating_sub(1).max(1));
    println!("put, known series: {per_value}; {:.0} MB resident", resident_mb()?);
    clock.set(Timestamp::from_secs(START + rounds as i64 * 60));
    read(&store, &scope, &hosts, &names, clock.now(), rounds, "in memory").await?;
    let (wall, cpu) = (Instant::now(), cpu_time()?);
    store.flush().await?;
    let samples = (series * rounds) as f64;
    println!(
        "flush: {:.2} s wall, {:.2} s CPU a million samples, {:.2} bytes a sample on disk",
        wall.elapsed().as_secs_f64(),
        (cpu_time()? - cpu).as_secs_f64() / samples * 1e6,
        size_of(&dir.path().join("segments/metrics"))? as f64 / samples,
    );
    read(&store, &scope, &hosts, &names, clock.now(), rounds, "from a block").await?;
    drop((metrics, store, storage));
    let begun = Instant::now();
    let (storage, recovery) = Storage::open(StorageOptions::new(dir.path()))?;
    let store = MetricStore::open(storage, clock, options).await?;
    for record in recovery {
        let record = record?;
        if record.stream == StreamId::METRICS {
            store.recover(record.position, &record.payload)?;
        }
    }
    println!("restart: {:.2} s, {} series", begun.elapsed().as_secs_f64(), store.series_count());
    Ok(())
}

#[derive(Default)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

impl Cost {
    fn per_value(&self, values: usize) -> String {
        let nanos = |time: Duration| time.as_secs_f64() * 1e9 / values as f64;
        format!("{:.0} ns CPU and {:.0} ns wall a value", nanos(self.cpu), nanos(self.wall))
    }
}

/// One value each of a range of series, as the wire layer hands it to the handler.
fn input<'a>(
    hosts: &'a [String],
    names: &'a [String],
    series: std::ops::Range<usize>,
    round: usize,
) -> PutMetricDataInput<'a> {
    let datum = |index: usize| {
        // Percentages with noise and one decimal: what hosts report.
        let noise = ((index * 1_000_003 + round) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let noise = (noise ^ noise >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 54;
        let host = hosts[index / 10].as_str();
        MetricDatum {
            metric_name: Some(names[index % 10].as_str().into()),
            dimensions: Some(vec![Dimension { name: Some("Host".into()), value: Some(host.into()) }]),
            unit: Some(StandardUnit::Percent),
            timestamp: Some(Timestamp::from_secs(START + round as i64 * 60).into()),
            value: Some(noise as f64 / 10.0),
            ..MetricDatum::default()
        }
    };
    PutMetricDataInput {
        namespace: Some("Bench/Hosts".into()),
        metric_data: Some(series.map(datum).collect()),
        ..PutMetricDataInput::default()
    }
}

async fn read(
    store: &MetricStore,
    scope: &Scope,
    hosts: &[String],
    names: &[String],
    now: Timestamp,
    rounds: usize,
    place: &str,
) -> anyhow::Result<()> {
    const READS: u32 = 2000;
    let from = now - Duration::from_secs(rounds as u64 * 60);
    let period = Period::from_secs(300).context("a period")?;
    for statistic in [Statistic::Average, Statistic::Percentile(99.0)] {
        let begun = Instant::now();
        for index in 0..READS as usize {
            let host = &hosts[index * 7919 % hosts.len()];
            let metric = MetricId {
                namespace: "Bench/Hosts".to_owned(),
                name: names[index % 10].clone(),
                dimensions: vec![("Host".to_owned(), host.clone())],
            };
            let points = store.read_points(scope, &metric, &statistic, period, None, (from, now)).await?;
            anyhow::ensure!(!black_box(points).is_empty(), "a series is missing");
        }
        println!(
            "read {place}: {statistic} of one series in {:.1} µs",
            begun.elapsed().as_secs_f64() * 1e6 / f64::from(READS)
        );
    }
    let filter =
        ListFilter { dimensions: vec![("Host".to_owned(), Some(hosts[0].clone()))], ..ListFilter::default() };
    let begun = Instant::now();
    for _ in 0..READS {
        black_box(store.list(scope, &filter, None, 500));
    }
    println!("list by dimension: {:.1} µs", begun.elapsed().as_secs_f64() * 1e6 / f64::from(READS));
    Ok(())
}

/// User and system time of this process.
fn cpu_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(") ").next().context("fields")?.split(' ').collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}

fn resident_mb() -> anyhow::Result<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: f64 = statm.split(' ').nth(1).context("resident pages")?.parse()?;
    Ok(pages * 4096.0 / 1e6)
}

fn size_of(dir: &std::path::Path) -> anyhow::Result<u64> {
    std::fs::read_dir(dir)?.try_fold(0, |sum, file| Ok(sum + file?.metadata()?.len()))
}
