//! Alarms that sleep while nothing can change them, compared with alarms that look at each of their moments.

use std::time::Duration;

use groundwatch_api::cloudwatch::PutMetricAlarmInput;
use groundwatch_core::Clock as _;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::math::{expression, metric_of};
use super::warming_up::warming_up;
use super::windows::along;
use super::{World, alarm, at};

const METRICS: [&str; 3] = ["a", "b", "c"];
const VALUES: [f64; 4] = [0.0, 2.0, 9.0, -1.0];
const STATES: [&str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

/// What happens in the world, one after the other.
#[derive(Clone, Debug)]
enum Step {
    /// The clock goes on by so many seconds.
    Advance(u64),
    /// The clock jumps by so many seconds, back if negative.
    Jump(i64),
    /// A sample of a metric at so many seconds from now, and how many more follow each minute.
    Sample { metric: usize, offset_secs: i64, value: usize, more: u64 },
    /// An alarm's state is set by hand: alarm and state by index.
    SetState(usize, usize),
    /// An alarm watches another metric from now on.
    Redefine(usize, usize),
    /// The server starts anew.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let metric = 0..METRICS.len();
    let sample = (metric.clone(), -2000_i64..4000, 0..VALUES.len(), 0..20_u64);
    let step = prop_oneof![
        6 => (1..3000_u64).prop_map(Step::Advance),
        1 => (-5000_i64..5000).prop_map(Step::Jump),
        8 => sample.prop_map(|(metric, offset_secs, value, more)| Step::Sample { metric, offset_secs, value, more }),
        1 => (0..100_usize, 0..STATES.len()).prop_map(|(alarm, state)| Step::SetState(alarm, state)),
        1 => (0..100_usize, metric).prop_map(|(alarm, metric)| Step::Redefine(alarm, metric)),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..20)
}

/// Alarms of all kinds, on the metric of that name.
fn alarms(metric: &str) -> Vec<PutMetricAlarmInput> {
    let mut inputs = Vec::new();
    for (period, periods, needed) in
        [(60, 1, 1), (60, 3, 2), (300, 3, 3), (300, 2, 1), (10, 4, 2), (3600, 25, 1)]
    {
        for treatment in ["missing", "ignore", "breaching", "notBreaching"] {
            inputs.push(PutMetricAlarmInput {
                period: Some(period),
                evaluation_periods: Some(periods),
                datapoints_to_alarm: Some(needed),
                treat_missing_data: Some(treatment.to_owned()),
                metric_name: Some(metric.to_owned()),
                ..alarm(&format!("{period}-{periods}-{needed}-{treatment}-{metric}"))
            });
        }
    }
    inputs.push(PutMetricAlarmInput {
        statistic: None,
        extended_statistic: Some("p90".to_owned()),
        evaluate_low_sample_count_percentile: Some("ignore".to_owned()),
        metric_name: Some(metric.to_owned()),
        ..alarm(&format!("percentile-{metric}"))
    });
    for (period, timezone) in [(300, "UTC"), (3600, "Asia/Kathmandu")] {
        inputs.push(PutMetricAlarmInput {
            evaluation_periods: Some(2),
            metric_name: Some(metric.to_owned()),
            ..along(&format!("{timezone}-{metric}"), Some(timezone), period)
        });
    }
    for to_the_end in [false, true] {
        inputs.push(PutMetricAlarmInput {
            metric_name: Some(metric.to_owned()),
            ..warming_up(&format!("warm-{to_the_end}-{metric}"), 20, Some(to_the_end))
        });
    }
    for (name, text) in [
        ("sum", "a + FILL(b, 1)"),
        ("clock", "IF(MINUTE(a) < 30, a)"),
        ("repeat", "FILL(a, REPEAT)"),
        ("constant", "TIME_SERIES(3) - a"),
    ] {
        inputs.push(PutMetricAlarmInput {
            metrics: Some(vec![expression("e", text), metric_of("a", metric), metric_of("b", "b")]),
            namespace: None,
            metric_name: None,
            statistic: None,
            period: None,
            ..alarm(&format!("{name}-{metric}"))
        });
    }
    inputs
}

/// The history of a run, and how often metrics were read.
async fn run(steps: &[Step], short_sighted: bool) -> (Vec<String>, usize) {
    let mut world = World::new();
    *world.metrics.short_sighted.lock() = short_sighted;
    let inputs: Vec<_> = METRICS.iter().take(2).flat_map(|metric| alarms(metric)).collect();
    for input in &inputs {
        world.put(input.clone()).await;
    }
    for step in steps {
        let now = world.clock.now();
        let from_now = |secs: i64| groundwatch_core::Timestamp::from_millis(now.as_millis() + secs * 1000);
        match *step {
            Step::Advance(secs) => world.advance_to(now + Duration::from_secs(secs)).await,
            Step::Jump(secs) => world.jump_to(from_now(secs)).await,
            Step::Sample { metric, offset_secs, value, more } => {
                for minute in 0..=more {
                    let at = from_now(offset_secs + 60 * minute as i64);
                    world.metrics.add(METRICS[metric], at, VALUES[value]);
                }
            }
            Step::SetState(alarm, state) => {
                let name = inputs[alarm % inputs.len()].alarm_name.clone().expect("it has one");
                world.set_state(&name, STATES[state]).await;
            }
            Step::Redefine(alarm, metric) => {
                let mut input = inputs[alarm % inputs.len()].clone();
                if input.metric_name.is_some() {
                    input.metric_name = Some(METRICS[metric].to_owned());
                }
                input.threshold = Some(3.0);
                world.put(input).await;
            }
            Step::Restart => world = world.restart(),
        }
    }
    world.advance_to(world.clock.now() + Duration::from_secs(2 * 3600)).await;
    let reads = *world.metrics.reads.lock();
    (world.history().await, reads)
}

#[test]
fn sleeping_changes_no_history() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = Config { cases: 4, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        let (foresighted, _) = runtime.block_on(run(&steps, false));
        let (looking, _) = runtime.block_on(run(&steps, true));
        prop_assert_eq!(&foresighted, &looking);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// A sample an hour, known an hour ahead: a read when it comes, and one when it changes the alarm.
#[tokio::test]
async fn an_alarm_reads_when_samples_come_and_when_its_state_may_change() {
    let world = World::new();
    let quiet = PutMetricAlarmInput { treat_missing_data: Some("notBreaching".to_owned()), ..alarm("cpu") };
    world.put(PutMetricAlarmInput { period: Some(300), evaluation_periods: Some(3), ..quiet }).await;
    for hour in 0..8 {
        let begin = at("12:00:00") + Duration::from_secs(3600 * hour);
        let value = if hour == 5 { 9.0 } else { 0.0 };
        for minute in (0..60).step_by(5) {
            world.metrics.add("cpu", begin + Duration::from_secs(60 * minute), value);
        }
        world.advance_to(begin + Duration::from_secs(3600)).await;
    }
    assert_eq!(
        world.transitions().await,
        ["12:00:00 INSUFFICIENT_DATA to OK", "17:11:00 OK to ALARM", "18:01:00 ALARM to OK"]
    );
    let reads = *world.metrics.reads.lock();
    assert!(reads <= 12, "{reads} reads in 480 minutes");
}

#[tokio::test]
async fn an_alarm_without_samples_does_not_read_again() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    world.advance_to(at("23:00:00")).await;
    assert_eq!(*world.metrics.reads.lock(), 1);
    world.metrics.add("cpu", at("22:59:10"), 9.0);
    world.advance_to(at("23:01:00")).await;
    // Woken for its next moment, as if it looked every minute.
    assert_eq!(world.transitions().await, ["23:01:00 INSUFFICIENT_DATA to ALARM"]);
}
