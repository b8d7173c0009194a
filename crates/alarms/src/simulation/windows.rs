//! Alarms whose windows follow a clock on the wall, over time.

use groundwatch_api::cloudwatch::{self as api, EvaluationWindow, PutMetricAlarmInput, WallClockWindow};
use groundwatch_core::Scope;

use super::{World, alarm, at};
use crate::explain::backtest::Subject;

/// An alarm on the metric of its own name: on the sum of one period along the clock of `timezone`.
pub(super) fn along(name: &str, timezone: Option<&str>, period_secs: i32) -> PutMetricAlarmInput {
    PutMetricAlarmInput {
        statistic: Some(api::Statistic::Sum),
        period: Some(period_secs),
        treat_missing_data: Some("notBreaching".to_owned()),
        evaluation_window: Some(EvaluationWindow {
            sliding_window: None,
            wall_clock_window: Some(WallClockWindow { timezone: timezone.map(str::to_owned) }),
        }),
        ..alarm(name)
    }
}

#[tokio::test]
async fn only_whole_periods_of_the_clock_count() {
    let world = World::new();
    world.put(along("sales", None, 300)).await;
    // Three within five minutes, but only two of them between 12:00 and 12:05.
    for time in ["12:02:10", "12:04:50", "12:05:10"] {
        world.metrics.add("sales", at(time), 1.0);
    }
    world.advance_to(at("12:04:30")).await;
    assert_eq!(world.state("sales").await, "OK");
    world.advance_to(at("12:30:00")).await;
    assert_eq!(
        world.transitions().await,
        ["12:00:00 INSUFFICIENT_DATA to OK", "12:05:00 OK to ALARM", "12:10:00 ALARM to OK"]
    );
    let reason = world.describe("sales").await.and_then(|alarm| alarm.state_reason).expect("a reason");
    assert!(reason.contains("[1.0 (02/01/26 12:05:00)]"), "{reason}");
    let window = world.describe("sales").await.and_then(|alarm| alarm.evaluation_window);
    assert_eq!(window, along("sales", None, 300).evaluation_window);
}

#[tokio::test]
async fn late_samples_of_a_period_that_is_over_count_at_once() {
    let world = World::new();
    world.put(along("sales", None, 300)).await;
    world.advance_to(at("12:07:00")).await;
    world.metrics.add("sales", at("12:03:00"), 9.0);
    world.advance_to(at("12:08:00")).await;
    assert_eq!(world.transitions().await, ["12:00:00 INSUFFICIENT_DATA to OK", "12:08:00 OK to ALARM"]);
}

/// Nothing happens between two boundaries, so nothing is read.
#[tokio::test]
async fn an_alarm_sleeps_until_the_next_boundary() {
    let world = World::new();
    world.put(along("sales", None, 3600)).await;
    world.settle().await;
    let before = *world.metrics.reads.lock();
    world.advance_to(at("12:59:59")).await;
    assert_eq!(*world.metrics.reads.lock(), before);
    world.advance_to(at("15:00:00")).await;
    assert_eq!(*world.metrics.reads.lock(), before + 3);
}

#[tokio::test]
async fn days_are_those_of_the_time_zone() {
    let world = World::new();
    world.put(along("sales", Some("Asia/Kolkata"), 86_400)).await;
    // Midnight is at 18:30 UTC: these are of two days.
    world.metrics.add("sales", at("18:29:00"), 1.0);
    world.metrics.add("sales", at("18:31:00"), 9.0);
    world.advance_to(at("18:40:00")).await;
    assert_eq!(world.state("sales").await, "OK");
    let tomorrow = at("18:30:00") + std::time::Duration::from_secs(86_400);
    world.advance_to(tomorrow).await;
    assert_eq!(world.state("sales").await, "ALARM");
}

#[tokio::test]
async fn history_is_tried_along_the_clock() {
    let world = World::new();
    for time in ["11:02:10", "11:04:50", "11:05:10"] {
        world.metrics.add("sales", at(time), 1.0);
    }
    world.put(along("sales", None, 300)).await;
    let subject = Subject::Alarm("sales".to_owned());
    let tried = world.alarms.backtest(&Scope::default(), subject, at("11:00:00"), at("11:30:00")).await;
    let tried = tried.expect("a backtest");
    let lines: Vec<_> = tried.transitions.iter().map(|it| format!("{} {}", &it.at[11..19], it.to)).collect();
    assert_eq!(lines, ["11:00:00 OK", "11:05:00 ALARM", "11:10:00 OK"]);
}

#[tokio::test]
async fn windows_that_no_clock_has_are_refused() {
    let world = World::new();
    let both = EvaluationWindow {
        sliding_window: Some(api::SlidingWindow {}),
        wall_clock_window: Some(WallClockWindow::default()),
    };
    for (input, message) in [
        (
            along("sales", None, 120),
            "Period must be one of 60, 300, 3600, 86400, 604800 with a WallClockWindow.",
        ),
        (
            along("sales", None, 10),
            "Period must be one of 60, 300, 3600, 86400, 604800 with a WallClockWindow.",
        ),
        (
            along("sales", Some("Mars/Olympus"), 60),
            "The value Mars/Olympus for parameter Timezone is not supported.",
        ),
        (along("sales", Some("+05:31"), 60), "The value +05:31 for parameter Timezone is not supported."),
        (
            PutMetricAlarmInput { evaluation_window: Some(both), ..alarm("sales") },
            "Exactly one of the parameters SlidingWindow and WallClockWindow must be specified.",
        ),
    ] {
        let fault = world.call::<api::PutMetricAlarm>(input).await.expect_err(message);
        assert_eq!(fault.message.as_deref(), Some(message));
    }
}
