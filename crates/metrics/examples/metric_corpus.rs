//! Measures what the bench's host-like corpus takes on disk, and what reading it costs:
//! `cargo run --release -p groundwatch-metrics --example metric_corpus [SERIES] [MINUTES]`.
//!
//! Puts one value a minute into each of SERIES series (default 10,000) for MINUTES minutes (default 1,440)
//! under a manual clock, flushing every two hours and compacting as the server would, then prints bytes a
//! sample, and reads.

#![expect(clippy::print_stdout, reason = "a program that reports figures")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use groundwatch_bench::corpus::metrics::Fleet;
use groundwatch_core::{AccountId, Activity, Clock, ManualClock, Region, Scope, Timestamp};
use groundwatch_metrics::{
    Datum, MetricCompaction, MetricFlush, MetricId, MetricOptions, MetricStore, Period, Points, RecordWriter,
    Second, Statistic, Unit,
};
use groundwatch_storage::{Storage, StorageOptions};

const REQUEST_VALUES: usize = 1000;
/// Midnight, so that the corpus is one day.
const START: i64 = 1_767_312_000;
const NAMESPACE: &str = "Bench/Hosts";

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (series, minutes) = (number(10_000)?, number(24 * 60)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    runtime.block_on(run(series, minutes))
}

async fn run(series: usize, minutes: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir_in(".").context("a directory for the data")?;
    let scope = Scope { account: AccountId::DEFAULT, region: Region::default() };
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(START)));
    let (storage, recovery) = Storage::open(StorageOptions::new(dir.path()))?;
    drop(recovery);
    let store = MetricStore::open(storage.clone(), clock.clone(), MetricOptions::default()).await?;
    let (flush, compaction) = (MetricFlush::new(store.clone()), MetricCompaction::new(store.clone()));
    let mut fleet = Fleet::new(1, series);
    let metrics: Vec<(MetricId, Unit)> =
        fleet.series().iter().map(metric_of).collect::<anyhow::Result<_>>()?;
    let (begun, mut background) = (Instant::now(), Duration::ZERO);
    for minute in 0..minutes {
        clock.set(Timestamp::from_secs(START + 60 * minute as i64));
        for request in (0..series).collect::<Vec<_>>().chunks(REQUEST_VALUES) {
            let values: Vec<f64> = request.iter().map(|index| fleet.sample(*index)).collect();
            let second = Second::nearest(clock.now());
            store
                .append(record(&scope, &metrics[request[0]..][..request.len()], second, &values)?.into())
                .await?;
        }
        let now = clock.now();
        let begun = Instant::now();
        for activity in [&flush as &dyn Activity, &compaction] {
            if activity.next_due().is_some_and(|due| due <= now) {
                activity.run(now).await;
            }
        }
        background += begun.elapsed();
    }
    let samples = (series * minutes) as f64;
    println!(
        "put {samples} samples in {:.1} s, of which flush and compaction {:.1} s",
        begun.elapsed().as_secs_f64(),
        background.as_secs_f64()
    );
    store.flush().await?;
    println!("flushed: {:.3} bytes a sample", size_of(&dir.path().join("segments/metrics"))? / samples);
    clock.set(clock.now() + Duration::from_secs(3 * 60 * 60));
    let begun = Instant::now();
    store.compact(clock.now()).await?;
    println!(
        "compacted in {:.1} s: {:.3} bytes a sample",
        begun.elapsed().as_secs_f64(),
        size_of(&dir.path().join("segments/metrics"))? / samples
    );
    read(&store, &scope, &metrics, "cold").await?;
    read(&store, &scope, &metrics, "warm").await?;
    drop((flush, compaction, store, storage));
    let begun = Instant::now();
    let (storage, recovery) = Storage::open(StorageOptions::new(dir.path()))?;
    anyhow::ensure!(recovery.count() == 0, "all was flushed");
    let store = MetricStore::open(storage, clock, MetricOptions::default()).await?;
    println!("restart: {:.3} s, {} series", begun.elapsed().as_secs_f64(), store.series_count());
    Ok(())
}

fn metric_of(series: &groundwatch_bench::corpus::metrics::Series) -> anyhow::Result<(MetricId, Unit)> {
    let dimensions = series.dimensions.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let mut dimensions: Vec<_> = dimensions.collect();
    dimensions.sort_unstable();
    let (namespace, name) = (NAMESPACE.to_owned(), series.metric_name.to_owned());
    let unit = Unit::ALL.into_iter().find(|unit| unit.as_str() == series.unit).context("a unit")?;
    Ok((MetricId { namespace, name, dimensions }, unit))
}

fn record(
    scope: &Scope,
    metrics: &[(MetricId, Unit)],
    second: Second,
    values: &[f64],
) -> anyhow::Result<Vec<u8>> {
    let mut writer = RecordWriter::new(scope, NAMESPACE, metrics.len());
    for ((metric, unit), value) in metrics.iter().zip(values) {
        let dimensions = metric.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let dimensions: Vec<_> = dimensions.collect();
        let points = Points::One(*value);
        writer.push(&Datum { name: &metric.name, dimensions: &dimensions, unit: *unit, second, points });
    }
    Ok(writer.finish())
}

async fn read(
    store: &MetricStore,
    scope: &Scope,
    metrics: &[(MetricId, Unit)],
    state: &str,
) -> anyhow::Result<()> {
    let range = (Timestamp::from_secs(START), Timestamp::from_secs(START + 24 * 60 * 60));
    let period = Period::from_secs(300).context("a period")?;
    for (statistic, count) in [
        (Statistic::Average, 1),
        (Statistic::Average, 100),
        (Statistic::Percentile(99.0), 1000),
        (Statistic::Average, metrics.len()),
    ] {
        let begun = Instant::now();
        for index in 0..count {
            let (metric, _) = &metrics[index * 7919 % metrics.len()];
            let points = store.read_points(scope, metric, &statistic, period, None, range).await?;
            anyhow::ensure!(!black_box(points).is_empty(), "a series is missing");
        }
        println!("{state}: {statistic} of {count} series in {:.2} ms", begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}

fn size_of(dir: &std::path::Path) -> anyhow::Result<f64> {
    let sum = std::fs::read_dir(dir)?.try_fold(0, |sum, file| anyhow::Ok(sum + file?.metadata()?.len()))?;
    Ok(sum as f64)
}
