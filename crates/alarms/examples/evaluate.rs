//! Measures what evaluation costs: `cargo run --release -p groundwatch-alarms --example evaluate [ALARMS]
//! [MINUTES]`.
//!
//! One-minute alarms over made-up datapoints, a tenth of which change state every ten minutes. Reading real
//! metrics comes on top of what this shows.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use groundwatch_alarms::{
    Alarms, Dependencies, MetricQuery, MetricReader, Notification, Notifier, NotifyError, Point, ReadError,
    Timing,
};
use groundwatch_api::Handle;
use groundwatch_api::cloudwatch::{ComparisonOperator, PutMetricAlarm, PutMetricAlarmInput, Statistic};
use groundwatch_core::{BoxFuture, Call, Caller, Clock, ManualClock, RequestId, Scope, Timestamp};
use groundwatch_outbound::Outbound;
use groundwatch_storage::Catalog;

const START: Timestamp = Timestamp::from_secs(1_767_355_200);

struct MadeUp;

impl MetricReader for MadeUp {
    fn read<'a>(
        &'a self,
        _: &'a Scope,
        query: &'a MetricQuery,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Point>, ReadError>> {
        Box::pin(async move {
            let restless = query.metric_name.ends_with('0');
            let starts = (from.as_secs()..to.as_secs()).step_by(query.period_secs as usize);
            let point = |secs: i64| {
                let value = if restless && secs / 600 % 2 == 0 { 9.0 } else { 0.0 };
                Point { timestamp: Timestamp::from_secs(secs), value, sample_count: 1.0, band: None }
            };
            Ok(starts.map(point).collect())
        })
    }

    fn supports(&self, _: &str) -> bool {
        true
    }
}

struct Nobody;

impl Notifier for Nobody {
    fn notify<'a>(&'a self, _: &'a Scope, _: Notification<'a>) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(async { Ok(()) })
    }
}

fn input(index: usize) -> PutMetricAlarmInput {
    PutMetricAlarmInput {
        alarm_name: Some(format!("alarm-{index:06}")),
        namespace: Some("Bench".to_owned()),
        metric_name: Some(format!("metric-{index:06}")),
        statistic: Some(Statistic::Average),
        period: Some(60),
        evaluation_periods: Some(3),
        threshold: Some(1.0),
        comparison_operator: Some(ComparisonOperator::GreaterThanThreshold),
        alarm_actions: Some(vec!["arn:aws:sns:us-east-1:000000000000:ops".to_owned()]),
        ..PutMetricAlarmInput::default()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<usize>());
    let count = numbers.next().transpose()?.unwrap_or(50_000);
    let minutes = numbers.next().transpose()?.unwrap_or(30);

    let dir = tempfile::tempdir()?;
    let clock = Arc::new(ManualClock::new(START));
    let catalog = Catalog::open(&dir.path().join("catalog.db"))?;
    let dependencies = Dependencies {
        reader: Arc::new(MadeUp),
        notifier: Arc::new(Nobody),
        outbound: Outbound::closed(),
        events: None,
    };
    let alarms = Alarms::open(&catalog, clock.clone(), Timing::EXACT, dependencies)?;
    let call = Call::new(Caller::default(), RequestId(String::new()), START);

    let started = Instant::now();
    for chunk in (0..count).collect::<Vec<_>>().chunks(256) {
        let puts = chunk.iter().map(|index| Handle::<PutMetricAlarm>::handle(&alarms, &call, input(*index)));
        for outcome in futures_util::future::join_all(puts).await {
            outcome?;
        }
    }
    println!("put {count} alarms in {:?}", started.elapsed());

    let (mut quiet, mut busy) = (Vec::new(), Vec::new());
    for minute in 0..minutes {
        clock.set(START + Duration::from_secs(60 * minute as u64));
        let started = Instant::now();
        for activity in alarms.activities() {
            if activity.next_due().is_some_and(|due| due <= clock.now()) {
                activity.run(clock.now()).await;
            }
        }
        let list = if matches!(minute % 10, 0 | 1 | 3) { &mut busy } else { &mut quiet };
        list.push(started.elapsed());
    }
    for (name, list) in [("nothing changes", quiet), ("some change", busy)] {
        let longest = list.iter().max().copied().unwrap_or_default();
        let total: Duration = list.iter().sum();
        let each = total.as_secs_f64() * 1e6 / (list.len().max(1) * count.max(1)) as f64;
        println!("minutes in which {name}: longest {longest:?}, {each:.2} µs an alarm on average");
    }
    Ok(())
}
