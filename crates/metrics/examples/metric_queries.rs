//! Measures GetMetricData without a server: `cargo run --release -p groundwatch-metrics --example
//! metric_queries [SERIES] [MINUTES]`.
//!
//! Puts one value a minute into each of SERIES host-like series (default 10,000) for MINUTES minutes (default
//! 1440), ten metrics a host, flushes, and prints the median time of some requests over all of it.

#![expect(clippy::print_stdout, reason = "a program that reports figures")]

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use groundwatch_api::Handle;
use groundwatch_api::cloudwatch::borrowed::{Dimension, MetricDatum, PutMetricDataInput};
use groundwatch_api::cloudwatch::{self, GetMetricData, GetMetricDataInput, MetricDataQuery, PutMetricData};
use groundwatch_core::{Call, Caller, Clock, ManualClock, RequestId, Timestamp};
use groundwatch_metrics::{MetricOptions, MetricStore, Metrics};
use groundwatch_storage::{Storage, StorageOptions};

const START: i64 = 1_767_323_040;
const NAMESPACE: &str = "Bench/Hosts";
const METRICS_OF_A_HOST: usize = 10;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (series, minutes) = (number(10_000)?, number(1440)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(series, minutes))
}

async fn run(series: usize, minutes: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir_in(".").context("a directory for the data")?;
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(START)));
    let (storage, recovery) = Storage::open(StorageOptions::new(dir.path()))?;
    drop(recovery);
    let store = MetricStore::open(storage, clock.clone(), MetricOptions::default()).await?;
    let metrics = Metrics::new(store.clone());
    for minute in 0..minutes {
        clock.set(Timestamp::from_secs(START + minute as i64 * 60));
        for first in (0..series).step_by(1000) {
            put(&metrics, &call(clock.now()), first..(first + 1000).min(series), minute).await?;
        }
        if minute % 120 == 119 {
            store.flush().await?;
        }
    }
    store.flush().await?;
    clock.set(Timestamp::from_secs(START + minutes as i64 * 60));

    let expression = |text: &str, period| MetricDataQuery {
        id: Some("e1".to_owned()),
        expression: Some(text.to_owned()),
        period: Some(period),
        ..MetricDataQuery::default()
    };
    let hundred =
        |period: i32| (0..100.min(series)).map(|index| metric_query(index * 97 % series, period)).collect();
    let search = format!("AVG(SEARCH('{{{NAMESPACE},Host}} MetricName=\"{}\"', 'Average', 300))", name(0));
    let top = |from: &str| {
        format!("SELECT AVG({}) FROM {from} GROUP BY Host ORDER BY AVG() DESC LIMIT 10", name(0))
    };
    let top = top(&format!("SCHEMA(\"{NAMESPACE}\", Host)"));
    let requests = [
        ("100 series, 5 minutes", hundred(300)),
        ("100 series, 1 hour", hundred(3600)),
        ("AVG(SEARCH), 5 minutes", vec![expression(&search, 300)]),
        ("top 10 by host, 5 minutes", vec![expression(&top, 300)]),
        ("top 10 by host, 1 minute", vec![expression(&top, 60)]),
    ];
    for (what, queries) in requests {
        let mut times = Vec::new();
        let mut points = 0;
        for _ in 0..15 {
            let input = GetMetricDataInput {
                metric_data_queries: Some(queries.clone()),
                start_time: Some(Timestamp::from_secs(START).into()),
                end_time: Some(clock.now().into()),
                ..GetMetricDataInput::default()
            };
            let begun = Instant::now();
            let answer = Handle::<GetMetricData>::handle(&metrics, &call(clock.now()), input).await?;
            times.push(begun.elapsed());
            let results = answer.metric_data_results.unwrap_or_default();
            points = results.iter().map(|result| result.values.as_ref().map_or(0, Vec::len)).sum();
        }
        times.sort_unstable();
        println!("{:>9.2} ms  {what} ({points} points)", times[times.len() / 2].as_secs_f64() * 1e3);
    }
    Ok(())
}

fn call(received: Timestamp) -> Call {
    Call::new(Caller::default(), RequestId(String::new()), received)
}

fn name(index: usize) -> String {
    format!("system_metric_{}", index % METRICS_OF_A_HOST)
}

fn host(index: usize) -> String {
    format!("web-{:06}.example.internal", index / METRICS_OF_A_HOST)
}

async fn put(
    metrics: &Metrics,
    call: &Call,
    series: std::ops::Range<usize>,
    minute: usize,
) -> anyhow::Result<()> {
    let datum = |index: usize| {
        let noise = ((index * 1_000_003 + minute) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
        MetricDatum {
            metric_name: Some(name(index).into()),
            dimensions: Some(vec![Dimension { name: Some("Host".into()), value: Some(host(index).into()) }]),
            timestamp: Some(call.received.into()),
            value: Some(noise as f64 / 10.0),
            ..MetricDatum::default()
        }
    };
    let input = PutMetricDataInput {
        namespace: Some(NAMESPACE.into()),
        metric_data: Some(series.map(datum).collect()),
        ..PutMetricDataInput::default()
    };
    Handle::<PutMetricData>::handle(metrics, call, input).await?;
    Ok(())
}

fn metric_query(index: usize, period: i32) -> MetricDataQuery {
    let dimension = cloudwatch::Dimension { name: Some("Host".to_owned()), value: Some(host(index)) };
    let metric = cloudwatch::Metric {
        namespace: Some(NAMESPACE.to_owned()),
        metric_name: Some(name(index)),
        dimensions: Some(vec![dimension]),
    };
    let stat = cloudwatch::MetricStat {
        metric: Some(metric),
        period: Some(period),
        stat: Some("Average".to_owned()),
        ..cloudwatch::MetricStat::default()
    };
    MetricDataQuery { id: Some(format!("m{index}")), metric_stat: Some(stat), ..MetricDataQuery::default() }
}
