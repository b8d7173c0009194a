//! Alarms in their warm-up, over time.

use groundwatch_api::cloudwatch::{PutMetricAlarmInput, WarmUpConfiguration};

use super::{World, alarm, at};

/// An alarm that needs two of two datapoints, tells a topic of everything, and takes missing ones for
/// breaching.
pub(super) fn warming_up(name: &str, minutes: i32, to_the_end: Option<bool>) -> PutMetricAlarmInput {
    let topic = Some(vec!["arn:aws:sns:us-east-1:000000000000:ops".to_owned()]);
    PutMetricAlarmInput {
        evaluation_periods: Some(2),
        treat_missing_data: Some("breaching".to_owned()),
        ok_actions: topic.clone(),
        alarm_actions: topic,
        warm_up_configuration: Some(WarmUpConfiguration {
            warm_up_period_duration_in_minutes: Some(minutes),
            only_start_evaluating_after_warm_up_period_ends: to_the_end,
        }),
        ..alarm(name)
    }
}

async fn evaluation_state(world: &World) -> Option<String> {
    let alarm = world.describe("cpu").await.expect("an alarm");
    alarm.evaluation_state.map(|state| state.as_str().to_owned())
}

#[tokio::test]
async fn missing_data_decide_nothing_until_the_warm_up_ends() {
    let world = World::new();
    world.put(warming_up("cpu", 30, None)).await;
    world.advance_to(at("12:29:59")).await;
    assert_eq!(evaluation_state(&world).await.as_deref(), Some("IN_WARM_UP"));
    let shown = world.describe("cpu").await.and_then(|alarm| alarm.warm_up_configuration);
    assert_eq!(shown, warming_up("cpu", 30, None).warm_up_configuration);
    world.advance_to(at("12:40:00")).await;
    assert_eq!(world.transitions().await, ["12:30:00 INSUFFICIENT_DATA to ALARM"]);
    assert_eq!(evaluation_state(&world).await, None);
}

#[tokio::test]
async fn all_datapoints_of_the_window_end_it() {
    let world = World::new();
    world.put(warming_up("cpu", 30, None)).await;
    for time in ["12:03:10", "12:04:10", "12:05:10"] {
        world.metrics.add("cpu", at(time), 0.0);
    }
    world.advance_to(at("12:04:59")).await;
    assert_eq!(world.state("cpu").await, "INSUFFICIENT_DATA", "one of two is there");
    // It is over then, also if data go missing later.
    let world = world.restart();
    world.advance_to(at("12:20:00")).await;
    assert_eq!(world.transitions().await, ["12:05:00 INSUFFICIENT_DATA to OK", "12:10:00 OK to ALARM"]);
    assert_eq!(*world.topics.published.lock(), ["ops OK: \"cpu\"", "ops ALARM: \"cpu\""]);
}

#[tokio::test]
async fn the_whole_warm_up_is_sat_out_where_asked() {
    let world = World::new();
    world.put(warming_up("cpu", 30, Some(true))).await;
    for minute in 0..40 {
        world.metrics.add("cpu", at("12:00:10") + std::time::Duration::from_secs(60 * minute), 0.0);
    }
    world.advance_to(at("12:29:59")).await;
    assert_eq!(world.history().await.len(), 1, "its creation");
    let world = world.restart();
    world.advance_to(at("12:35:00")).await;
    assert_eq!(world.transitions().await, ["12:30:00 INSUFFICIENT_DATA to OK"]);
}

#[tokio::test]
async fn a_state_that_is_set_during_the_warm_up_runs_no_actions() {
    let world = World::new();
    world.put(warming_up("cpu", 30, None)).await;
    world.set_state("cpu", "OK").await;
    world.advance_to(at("12:10:00")).await;
    assert!(world.topics.published.lock().is_empty());
    assert_eq!(world.transitions().await, ["12:00:00 INSUFFICIENT_DATA to OK"]);
}

#[tokio::test]
async fn another_length_counts_while_it_lasts_and_never_brings_it_back() {
    let world = World::new();
    world.put(warming_up("cpu", 30, None)).await;
    world.advance_to(at("12:05:00")).await;
    world.put(warming_up("cpu", 10, None)).await;
    world.advance_to(at("12:15:00")).await;
    assert_eq!(world.transitions().await, ["12:10:00 INSUFFICIENT_DATA to ALARM"]);
    world.put(warming_up("cpu", 600, None)).await;
    assert_eq!(evaluation_state(&world).await, None);
}
